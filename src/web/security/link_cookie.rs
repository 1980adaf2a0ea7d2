//! E-mailed links. Their secret is immediately moved from the URL into a cookie, so that it appears
//! in no page, no history and no `Referer`.

use rocket::Request;
use rocket::Responder;
use rocket::http::{Cookie, CookieJar};
use rocket::request::{FromRequest, Outcome};
use rocket::response::Redirect;
use serde_json::json;

use super::cookie::{harden, name_for};
use crate::error::Error;
use crate::models::base::site::Site;
use crate::models::mail::email_link::{self, Purpose};
use crate::web::public_url::PublicUrl;
use crate::web::request::refusal::refuse;
use crate::web::response::failure::{Failure, OrForm};
use crate::web::response::reply::{Reply, form};

/// One for each purpose, so that links opened side by side do not replace each other.
fn name(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Verify => "postly_link_verify",
        Purpose::Reset => "postly_link_reset",
    }
}

/// Maximum length of a secret in bytes; ours have 43.
const MAX_LENGTH: usize = 200;

/// A visit to an e-mailed link.
pub struct LinkVisit<'r> {
    path: &'r str,
    /// The secret in the URL, if the link was just opened.
    fresh: Option<&'r str>,
    jar: &'r CookieJar<'r>,
    public_url: &'r PublicUrl,
    site: &'r Site,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for LinkVisit<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let rocket = request.rocket();
        let (Some(public_url), Some(site)) = (rocket.state(), rocket.state()) else {
            let error = Error::Internal("no public URL or site is managed".to_owned());
            return Outcome::Error(refuse(request, error));
        };
        let fresh = request.query_value::<&str>("token").and_then(Result::ok);
        Outcome::Success(LinkVisit {
            path: request.uri().path().as_str(),
            fresh: fresh.filter(|token| token.len() <= MAX_LENGTH),
            jar: request.cookies(),
            public_url,
            site,
        })
    }
}

/// A form, or a redirect to it without the secret in its URL.
#[derive(Responder)]
pub enum LinkResponse {
    Form(Box<Reply>),
    Redirect(Box<Redirect>),
}

impl<'r> LinkVisit<'r> {
    /// Stores the secret and redirects to the same page without it; otherwise shows the form.
    ///
    /// # Errors
    /// `InvalidCredentials`, in the form, when the stored secret is missing or no longer valid: the
    /// page says so before it is filled in.
    pub async fn form(
        self,
        purpose: Purpose,
        template: &'static str,
    ) -> Result<LinkResponse, Failure> {
        if let Some(token) = self.fresh {
            let cookie = Cookie::new(self.cookie_name(purpose), token.to_owned());
            let mut cookie = harden(cookie, self.public_url);
            cookie.set_max_age(rocket::time::Duration::hours(1));
            self.jar.add(cookie);
            return Ok(LinkResponse::Redirect(Box::new(Redirect::to(self.path.to_owned()))));
        }
        let found = email_link::find(&self.site.db, purpose, self.token(purpose)).await;
        found.or_form(template, json!({}))?;
        Ok(LinkResponse::Form(Box::new(form(template, json!({}), json!({})))))
    }

    /// The stored secret; empty if there is none.
    pub fn token(&self, purpose: Purpose) -> &str {
        self.jar.get(&self.cookie_name(purpose)).map_or("", Cookie::value)
    }

    /// Removes the stored secret.
    pub fn forget(&self, purpose: Purpose) {
        self.jar.remove(harden(Cookie::new(self.cookie_name(purpose), ""), self.public_url));
    }

    fn cookie_name(&self, purpose: Purpose) -> String {
        name_for(name(purpose), self.public_url)
    }
}

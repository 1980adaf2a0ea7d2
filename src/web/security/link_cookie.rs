//! Links with a secret, most of them e-mailed. The secret is immediately moved from the URL into a cookie, so that it appears
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

/// The cookie of a link. One for each purpose, so that links opened side by side do not replace each
/// other.
#[derive(Clone, Copy)]
pub struct LinkCookie(&'static str);

/// The link with which the first admin is created.
pub const SETUP: LinkCookie = LinkCookie("postly_link_setup");

impl From<Purpose> for LinkCookie {
    fn from(purpose: Purpose) -> LinkCookie {
        LinkCookie(match purpose {
            Purpose::Verify => "postly_link_verify",
            Purpose::Reset => "postly_link_reset",
        })
    }
}

/// Maximum length of a secret in bytes; ours have 43.
const MAX_LENGTH: usize = 200;

/// A visit to such a link.
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

impl LinkVisit<'_> {
    /// If the link was just opened, stores the secret and redirects to the same page without it.
    pub fn moved(&self, cookie: impl Into<LinkCookie>) -> Option<LinkResponse> {
        let token = self.fresh?.to_owned();
        let cookie = Cookie::new(self.cookie_name(cookie), token);
        let mut cookie = harden(cookie, self.public_url);
        cookie.set_max_age(rocket::time::Duration::hours(1));
        self.jar.add(cookie);
        Some(LinkResponse::Redirect(Box::new(Redirect::to(self.path.to_owned()))))
    }

    /// The page of an e-mailed link: the redirect, or the form.
    ///
    /// # Errors
    /// `InvalidCredentials`, in the form, when the stored secret is missing or no longer valid: the
    /// page says so before it is filled in.
    pub async fn form(
        self,
        purpose: Purpose,
        template: &'static str,
    ) -> Result<LinkResponse, Failure> {
        if let Some(moved) = self.moved(purpose) {
            return Ok(moved);
        }
        let found = email_link::find(&self.site.db, purpose, self.token(purpose)).await;
        found.or_form(template, json!({}))?;
        Ok(LinkResponse::Form(Box::new(form(template, json!({}), json!({})))))
    }

    /// The stored secret; empty if there is none.
    pub fn token(&self, cookie: impl Into<LinkCookie>) -> &str {
        self.jar.get(&self.cookie_name(cookie)).map_or("", Cookie::value)
    }

    /// Removes the stored secret.
    pub fn forget(&self, cookie: impl Into<LinkCookie>) {
        self.jar.remove(harden(Cookie::new(self.cookie_name(cookie), ""), self.public_url));
    }

    fn cookie_name(&self, cookie: impl Into<LinkCookie>) -> String {
        name_for(cookie.into().0, self.public_url)
    }
}

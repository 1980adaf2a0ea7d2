//! Mailed links. Their secret is moved from the address into a cookie at once, so that it stands in
//! no page, no history and no `Referer`.

use rocket::Request;
use rocket::Responder;
use rocket::http::{Cookie, CookieJar};
use rocket::request::{FromRequest, Outcome};
use rocket::response::Redirect;
use serde_json::json;

use super::cookie::harden;
use crate::error::Error;
use crate::web::public_url::PublicUrl;
use crate::web::request::refusal::refuse;
use crate::web::response::reply::{Reply, form};

const COOKIE: &str = "postly_link";

/// Longest secret that is looked at, in bytes; ours have 43.
const MAX_LENGTH: usize = 200;

/// Somebody who opened a mailed link.
pub struct LinkVisit<'r> {
    path: &'r str,
    /// The secret in the address, if they come from the mail right now.
    fresh: Option<&'r str>,
    jar: &'r CookieJar<'r>,
    public_url: &'r PublicUrl,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for LinkVisit<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let Some(public_url) = request.rocket().state() else {
            let error = Error::Internal("no public URL is managed".to_owned());
            return Outcome::Error(refuse(request, error));
        };
        let fresh = request.query_value::<&str>("token").and_then(Result::ok);
        Outcome::Success(LinkVisit {
            path: request.uri().path().as_str(),
            fresh: fresh.filter(|token| token.len() <= MAX_LENGTH),
            jar: request.cookies(),
            public_url,
        })
    }
}

/// A form, or a redirect to it without the secret in its address.
#[derive(Responder)]
pub enum LinkResponse {
    Form(Box<Reply>),
    Redirect(Box<Redirect>),
}

impl<'r> LinkVisit<'r> {
    /// Keeps the secret and goes to the same page without it, or shows the form.
    pub fn form(self, template: &'static str) -> LinkResponse {
        match self.fresh {
            Some(token) => {
                let mut cookie = harden(Cookie::new(COOKIE, token.to_owned()), self.public_url);
                cookie.set_max_age(rocket::time::Duration::hours(1));
                self.jar.add(cookie);
                LinkResponse::Redirect(Box::new(Redirect::to(self.path.to_owned())))
            }
            None => LinkResponse::Form(Box::new(form(template, json!({}), json!({})))),
        }
    }

    /// The secret that was kept; empty if there is none.
    pub fn token(&self) -> &str {
        self.jar.get(COOKIE).map_or("", Cookie::value)
    }

    /// Forgets the secret.
    pub fn forget(&self) {
        self.jar.remove(harden(Cookie::new(COOKIE, ""), self.public_url));
    }
}

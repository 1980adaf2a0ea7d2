//! Mailed links. Their secret is moved from the address into a cookie at once, so that it stands in
//! no page, no history and no `Referer`.

use rocket::Request;
use rocket::Responder;
use rocket::http::{Cookie, CookieJar};
use rocket::request::{FromRequest, Outcome};
use rocket::response::Redirect;
use serde_json::json;

use super::cookie::harden;
use super::guards::refuse;
use super::reply::{Reply, form};
use crate::config::PublicUrl;
use crate::error::Error;

const NAME: &str = "postly_link";

/// Longest secret that is looked at, in bytes; ours have 43.
const LONGEST: usize = 200;

/// Somebody who opened a mailed link.
pub struct Arrival<'r> {
    path: &'r str,
    /// The secret in the address, if they come from the mail right now.
    fresh: Option<&'r str>,
    jar: &'r CookieJar<'r>,
    public_url: &'r PublicUrl,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Arrival<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let Some(public_url) = request.rocket().state() else {
            return refuse(request, Error::Internal("no public URL".to_owned()));
        };
        let fresh = request.query_value::<&str>("token").and_then(Result::ok);
        Outcome::Success(Arrival {
            path: request.uri().path().as_str(),
            fresh: fresh.filter(|token| token.len() <= LONGEST),
            jar: request.cookies(),
            public_url,
        })
    }
}

/// A form, or the way to it without the secret in its address.
#[derive(Responder)]
pub enum Carried {
    Form(Box<Reply>),
    Away(Box<Redirect>),
}

impl<'r> Arrival<'r> {
    /// Keeps the secret and goes to the same page without it, or shows the form.
    pub fn form(self, template: &'static str) -> Carried {
        match self.fresh {
            Some(token) => {
                let mut cookie = harden(Cookie::new(NAME, token.to_owned()), self.public_url);
                cookie.set_max_age(rocket::time::Duration::hours(1));
                self.jar.add(cookie);
                Carried::Away(Box::new(Redirect::to(self.path.to_owned())))
            }
            None => Carried::Form(Box::new(form(template, json!({}), json!({})))),
        }
    }

    /// The secret that was kept; empty if there is none.
    pub fn token(&self) -> &str {
        self.jar.get(NAME).map_or("", Cookie::value)
    }

    /// Forgets the secret.
    pub fn used(&self) {
        self.jar.remove(harden(Cookie::new(NAME, ""), self.public_url));
    }
}

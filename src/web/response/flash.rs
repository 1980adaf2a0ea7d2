//! One-time notices after a redirect. The cookie contains the name of a message, never text, so
//! that nobody can inject text into a page.

use rocket::Request;
use rocket::http::{Cookie, CookieJar};
use serde::Serialize;

use super::messages;
use crate::web::public_url::PublicUrl;
use crate::web::security::cookie::{FLASH, harden, name_for};

/// The name of a notice; `flash-<name>` in `locales/` is its text. A test checks that each exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flash(pub &'static str);

/// A notice, as templates see it.
#[derive(Serialize)]
pub struct FlashMessage {
    pub name: String,
    pub text: String,
}

impl Flash {
    /// Stores the notice for the next page.
    pub fn leave(self, jar: &CookieJar<'_>, public_url: &PublicUrl) {
        let cookie = Cookie::new(name_for(FLASH, public_url), self.0);
        let mut cookie = harden(cookie, public_url);
        cookie.set_max_age(rocket::time::Duration::minutes(1));
        jar.add(cookie);
    }
}

/// Takes the stored notice, so that it is shown once.
pub fn take(request: &Request<'_>, public_url: &PublicUrl) -> Option<FlashMessage> {
    let cookie = name_for(FLASH, public_url);
    let name = request.cookies().get(&cookie)?.value().to_owned();
    let text = messages::flash(&name);
    request.cookies().remove(harden(Cookie::new(cookie, ""), public_url));
    text.map(|text| FlashMessage { name, text })
}

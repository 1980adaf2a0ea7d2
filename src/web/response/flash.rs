//! One-time notices after a redirect. The cookie contains the name of a message and numbers, never
//! text, so that nobody can inject text into a page.

use rocket::Request;
use rocket::http::{Cookie, CookieJar};
use serde::Serialize;

use super::messages;
use crate::web::public_url::PublicUrl;
use crate::web::security::cookie::{FLASH, harden, name_for};

/// The name of a notice; `flash-<name>` in `locales/` is its text. A test checks that each exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flash(pub &'static str);

/// A number in a notice, and the name that the message has for it.
pub type Count = (&'static str, usize);

/// More numbers than these are not read: no message has so many.
const MAX_COUNTS: usize = 8;

/// A notice, as templates see it.
#[derive(Serialize)]
pub struct FlashMessage {
    pub name: String,
    pub text: String,
}

impl Flash {
    /// Stores the notice for the next page.
    pub fn leave(self, counts: &[Count], jar: &CookieJar<'_>, public_url: &PublicUrl) {
        let counts = counts.iter().map(|(name, count)| format!(".{name}.{count}"));
        let value = format!("{}{}", self.0, counts.collect::<String>());
        let cookie = Cookie::new(name_for(FLASH, public_url), value);
        let mut cookie = harden(cookie, public_url);
        cookie.set_max_age(rocket::time::Duration::minutes(1));
        jar.add(cookie);
    }
}

/// Takes the stored notice, so that it is shown once.
pub fn take(request: &Request<'_>, public_url: &PublicUrl) -> Option<FlashMessage> {
    let cookie = name_for(FLASH, public_url);
    let value = request.cookies().get(&cookie)?.value().to_owned();
    let message = read(&value);
    request.cookies().remove(harden(Cookie::new(cookie, ""), public_url));
    message
}

/// The notice of `name`, or of `name.a.1.b.2` with its numbers.
fn read(value: &str) -> Option<FlashMessage> {
    let (name, rest) = value.split_once('.').unwrap_or((value, ""));
    let mut parts = rest.split('.');
    let mut counts = Vec::new();
    while let (Some(name), Some(count)) = (parts.next(), parts.next()) {
        counts.push((name, count.parse::<u32>().ok()?));
        if counts.len() > MAX_COUNTS {
            return None;
        }
    }
    let text = messages::flash(name, &counts)?;
    Some(FlashMessage { name: name.to_owned(), text })
}

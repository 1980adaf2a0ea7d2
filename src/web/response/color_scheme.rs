//! The visitor's choice between the light and the dark theme, in a cookie, so that it works without scripts
//! and without an account. Without a choice, the system decides.

use rocket::Request;
use rocket::http::{Cookie, CookieJar};
use serde::{Deserialize, Serialize};

use crate::web::public_url::PublicUrl;
use crate::web::security::cookie::{harden, name_for};

const COOKIE: &str = "postly_theme";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColorScheme {
    System,
    Light,
    Dark,
}

impl ColorScheme {
    /// What was chosen, if anything that exists was.
    pub fn of(request: &Request<'_>, public_url: &PublicUrl) -> ColorScheme {
        let cookie = request.cookies().get(&name_for(COOKIE, public_url));
        match cookie.map(Cookie::value) {
            Some("light") => ColorScheme::Light,
            Some("dark") => ColorScheme::Dark,
            _ => ColorScheme::System,
        }
    }

    /// Keeps the choice for a year; that the system decides needs no cookie.
    pub fn keep(self, jar: &CookieJar<'_>, public_url: &PublicUrl) {
        let name = name_for(COOKIE, public_url);
        let value = match self {
            ColorScheme::System => {
                jar.remove(harden(Cookie::new(name, ""), public_url));
                return;
            }
            ColorScheme::Light => "light",
            ColorScheme::Dark => "dark",
        };
        let mut cookie = harden(Cookie::new(name, value), public_url);
        cookie.set_max_age(rocket::time::Duration::days(365));
        jar.add(cookie);
    }
}

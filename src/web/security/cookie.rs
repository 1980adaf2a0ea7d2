//! Our cookies: their names and flags, and the cookie of the session.

use rocket::Request;
use rocket::http::{Cookie, SameSite};

use crate::models::accounts::access_token::Audience;
use crate::models::accounts::device;
use crate::web::public_url::PublicUrl;

/// The cookie of the session.
const SESSION: &str = "postly";

/// The cookie of a notice for the next page.
pub const FLASH: &str = "postly_flash";
/// The cookie of what the next page shows once.
pub const SHOWN: &str = "postly_shown";

/// The name of any of our cookies. With `__Host-`, browsers require Secure, Path=/ and no Domain, so
/// that no other host can set the cookie (RFC 6265bis §4.1.3.2). It requires https.
pub fn name_for(base: &str, public_url: &PublicUrl) -> String {
    if public_url.is_https() { format!("__Host-{base}") } else { base.to_owned() }
}

fn public_url<'r>(request: &'r Request<'_>) -> Option<&'r PublicUrl> {
    request.rocket().state::<PublicUrl>()
}

/// The token that the browser sent.
pub fn token<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    request.cookies().get(&name_for(SESSION, public_url(request)?)).map(|cookie| cookie.value())
}

/// The cookie that sets the token. Only logging in sets it, and only logging out removes it: a late
/// answer to another tab then never replaces or removes a newer one.
pub fn session(public_url: &PublicUrl, token: String) -> Cookie<'static> {
    let lifetime = Audience::Page.lifetime().num_seconds();
    let mut cookie = harden(Cookie::new(name_for(SESSION, public_url), token), public_url);
    cookie.set_max_age(rocket::time::Duration::seconds(lifetime));
    cookie
}

/// The cookie that removes the token.
pub fn removal(public_url: &PublicUrl) -> Cookie<'static> {
    let mut cookie = harden(Cookie::new(name_for(SESSION, public_url), ""), public_url);
    cookie.make_removal();
    cookie
}

/// The cookie that marks a known device.
const DEVICE: &str = "postly_device";

/// The name of the cookie that marks a known device.
pub fn device_name(public_url: &PublicUrl) -> String {
    name_for(DEVICE, public_url)
}

/// The cookie that marks a known device.
pub fn device(public_url: &PublicUrl, token: String) -> Cookie<'static> {
    let mut cookie = harden(Cookie::new(device_name(public_url), token), public_url);
    let lifetime = device::lifetime().num_seconds();
    cookie.set_max_age(rocket::time::Duration::seconds(lifetime));
    cookie
}

/// Sets the flags that all our cookies have: Rocket's defaults lack HttpOnly and Secure.
pub fn harden(mut cookie: Cookie<'static>, public_url: &PublicUrl) -> Cookie<'static> {
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(public_url.is_https());
    cookie
}

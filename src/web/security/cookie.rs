//! The session cookie.

use rocket::http::{Cookie, SameSite};
use rocket::{Request, Response};

use crate::models::accounts::access_token::Audience;
use crate::models::accounts::device;
use crate::web::public_url::PublicUrl;

/// With `__Host-`, browsers require Secure, Path=/ and no Domain, so that no other host can set the
/// cookie (RFC 6265bis §4.1.3.2). It requires https.
fn name(public_url: &PublicUrl) -> &'static str {
    if public_url.is_https() { "__Host-postly" } else { "postly" }
}

fn public_url<'r>(request: &'r Request<'_>) -> Option<&'r PublicUrl> {
    request.rocket().state::<PublicUrl>()
}

/// The token that the browser sent.
pub fn token<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    request.cookies().get(name(public_url(request)?)).map(|cookie| cookie.value())
}

/// The cookie that sets the token.
pub fn session(public_url: &PublicUrl, token: String) -> Cookie<'static> {
    let lifetime = Audience::Page.lifetime().num_seconds();
    let mut cookie = harden(Cookie::new(name(public_url), token), public_url);
    cookie.set_max_age(rocket::time::Duration::seconds(lifetime));
    cookie
}

/// The cookie that removes the token.
pub fn removal(public_url: &PublicUrl) -> Cookie<'static> {
    let mut cookie = harden(Cookie::new(name(public_url), ""), public_url);
    cookie.make_removal();
    cookie
}

/// Whether a response already sets or removes the token.
pub fn is_in(response: &Response<'_>, public_url: &PublicUrl) -> bool {
    let start = format!("{}=", name(public_url));
    response.headers().get("Set-Cookie").any(|cookie| cookie.starts_with(&start))
}

/// The name of the cookie that marks a known device.
pub fn device_name(public_url: &PublicUrl) -> &'static str {
    if public_url.is_https() { "__Host-postly_device" } else { "postly_device" }
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

//! The cookie that keeps a person logged in.

use rocket::http::{Cookie, SameSite};
use rocket::{Request, Response};

use crate::models::accounts::access_token::Audience;
use crate::web::public_url::PublicUrl;

/// `__Host-` makes browsers insist on Secure, Path=/ and no Domain, so that no other host can plant
/// it (RFC 6265bis §4.1.3.2). It needs https.
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

/// The cookie that gives the browser a token.
pub fn session(public_url: &PublicUrl, token: String) -> Cookie<'static> {
    let lifetime = Audience::Page.lifetime().num_seconds();
    let mut cookie = harden(Cookie::new(name(public_url), token), public_url);
    cookie.set_max_age(rocket::time::Duration::seconds(lifetime));
    cookie
}

/// The cookie that takes the token away again.
pub fn removal(public_url: &PublicUrl) -> Cookie<'static> {
    let mut cookie = harden(Cookie::new(name(public_url), ""), public_url);
    cookie.make_removal();
    cookie
}

/// Whether a response sets or removes the token already.
pub fn is_in(response: &Response<'_>, public_url: &PublicUrl) -> bool {
    let start = format!("{}=", name(public_url));
    response.headers().get("Set-Cookie").any(|cookie| cookie.starts_with(&start))
}

/// Gives a cookie the flags of every cookie of ours: Rocket's defaults lack HttpOnly and Secure.
pub fn harden(mut cookie: Cookie<'static>, public_url: &PublicUrl) -> Cookie<'static> {
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(public_url.is_https());
    cookie
}

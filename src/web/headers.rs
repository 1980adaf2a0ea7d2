//! Headers of every answer, and a line in the log for each.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Header;
use rocket::{Request, Response};

use super::scene::{Access, Scene};
use super::{cookie, door::Door};
use crate::config::PublicUrl;
use crate::models::token::{Audience, Keys};

/// What pages may load: our own files, and nothing in line.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// Sets the security headers, renews the cookie and writes the log.
pub struct Headers;

#[rocket::async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info { name: "headers", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let scene = Scene::of(request);
        let mut set = |name: &'static str, value: &'static str| {
            if !response.headers().contains(name) {
                response.set_header(Header::new(name, value));
            }
        };
        set("Content-Security-Policy", CSP);
        set("X-Content-Type-Options", "nosniff");
        set("Referrer-Policy", "same-origin");
        set("X-Frame-Options", "DENY");
        set("Cross-Origin-Opener-Policy", "same-origin");
        set("Cross-Origin-Resource-Policy", "same-origin");
        set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
        if request.rocket().state::<PublicUrl>().is_some_and(PublicUrl::is_https) {
            set("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
        }
        let personal = !matches!(scene.access.get(), Some(Access::Nobody));
        set("Cache-Control", if personal { "no-store" } else { "no-cache" });
        response.set_header(Header::new("X-Request-Id", scene.request_id.clone()));
        tend_cookie(request, response);

        tracing::info!(
            request_id = scene.request_id,
            method = request.method().as_str(),
            // Without the query, which may hold what people searched for.
            path = request.uri().path().as_str(),
            status = response.status().code,
            milliseconds = scene.started.elapsed().as_secs_f64() * 1e3,
            user = scene.present().map(|present| present.user.id),
            address = request.client_ip().map(tracing::field::display),
            "request"
        );
    }
}

/// Replaces an ageing token and removes a dead one, unless the handler has already seen to it.
fn tend_cookie(request: &Request<'_>, response: &mut Response<'_>) {
    let rocket = request.rocket();
    let (Some(public_url), Some(keys)) = (rocket.state::<PublicUrl>(), rocket.state::<Keys>())
    else {
        return;
    };
    if Door::of(request) == Door::Api || cookie::is_in(response, public_url) {
        return;
    }
    match Scene::of(request).access.get() {
        Some(Access::Person(present)) if present.renewal_due => {
            match keys.sign(Audience::Page, present.user.id, &present.sid) {
                Ok(token) => response.adjoin_header(cookie::holding(public_url, token)),
                Err(error) => tracing::error!(%error, "a token cannot be renewed"),
            }
        }
        Some(Access::Refused(_)) => response.adjoin_header(cookie::removal(public_url)),
        _ => {}
    }
}

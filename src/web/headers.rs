//! Headers of every answer, and a line in the log for each.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Header, Method};
use rocket::{Request, Response};

use super::scene::{Access, Credential, Present, Scene};
use super::{cookie, door::Door};
use crate::config::PublicUrl;
use crate::models::throttle::Standing;
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
        let sets_cookie = response.headers().contains("Set-Cookie");
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
        // Answers to forms and log-ins may hold tokens, whoever asks.
        let personal = !matches!(scene.access.get(), Some(Access::Nobody))
            || !matches!(request.method(), Method::Get | Method::Head)
            || sets_cookie;
        set("Cache-Control", if personal { "no-store" } else { "no-cache" });
        response.set_header(Header::new("X-Request-Id", scene.caller.request_id.clone()));
        tell_limits(scene, response);
        tend_cookie(request, response);

        tracing::info!(
            request_id = scene.caller.request_id,
            method = request.method().as_str(),
            // Without the query, which may hold what people searched for.
            path = request.uri().path().as_str(),
            status = response.status().code,
            milliseconds = scene.started.elapsed().as_secs_f64() * 1e3,
            user = scene.present().map(|present| present.user.id),
            address = scene.caller.address(),
            "request"
        );
    }
}

/// Tells the limits that were met (draft-ietf-httpapi-ratelimit-headers): their quotas, windows and
/// what is left of them.
fn tell_limits(scene: &Scene, response: &mut Response<'_>) {
    let standings = scene.caller.standings();
    if standings.is_empty() {
        return;
    }
    let list = |item: fn(&Standing) -> String| -> String {
        standings.iter().map(item).collect::<Vec<_>>().join(", ")
    };
    let policy =
        list(|s| format!("\"{}\";q={};w={}", s.policy.name, s.policy.quota, s.policy.window));
    let left = list(|s| format!("\"{}\";r={};t={}", s.policy.name, s.remaining, s.resets_in));
    response.set_header(Header::new("RateLimit-Policy", policy));
    response.set_header(Header::new("RateLimit", left));
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
        Some(Access::Person(Present {
            user,
            credential: Credential::Session { session, renewal_due: true },
        })) => match keys.sign(Audience::Page, user.id, &session.id) {
            Ok(token) => response.adjoin_header(cookie::holding(public_url, token)),
            Err(error) => tracing::error!(%error, "a token cannot be renewed"),
        },
        Some(Access::Refused(_)) => response.adjoin_header(cookie::removal(public_url)),
        _ => {}
    }
}

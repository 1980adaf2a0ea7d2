//! The headers of every response.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Header, Method};
use rocket::{Request, Response};

use crate::models::base::rate_policy::RateLimitStatus;
use crate::web::public_url::PublicUrl;
use crate::web::request::state::{Authentication, RequestState};

/// Pages may load our own files and nothing inline.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// What no page changes.
const ALWAYS: &[(&str, &str)] = &[
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("X-Frame-Options", "DENY"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// The policy of a page whose form may also lead to these sources.
pub fn policy_leading_to(sources: &str) -> String {
    CSP.replace("form-action 'self'", &format!("form-action 'self' {sources}"))
}

/// Sets the security headers.
pub struct Headers;

#[rocket::async_trait]
impl Fairing for Headers {
    fn info(&self) -> Info {
        Info { name: "headers", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let state = RequestState::of(request);
        let sets_cookie = response.headers().contains("Set-Cookie");
        for (name, value) in ALWAYS {
            response.set_header(Header::new(*name, *value));
        }
        let mut set = |name: &'static str, value: &'static str| {
            if !response.headers().contains(name) {
                response.set_header(Header::new(name, value));
            }
        };
        set("Content-Security-Policy", CSP);
        if request.rocket().state::<PublicUrl>().is_some_and(PublicUrl::is_https) {
            set("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
        }
        // Responses to forms and log-ins may contain tokens.
        let personal = !matches!(state.authentication.get(), Some(Authentication::Anonymous))
            || !matches!(request.method(), Method::Get | Method::Head)
            || sets_cookie;
        set("Cache-Control", if personal { "no-store" } else { "no-cache" });
        // A cookie is for one browser, whatever was said about the rest.
        if sets_cookie {
            response.set_header(Header::new("Cache-Control", "no-store"));
        }
        response.set_header(Header::new("X-Request-Id", state.caller.request_id.clone()));
        rate_limit_headers(state, response);
    }
}

/// The rate limits that applied (draft-ietf-httpapi-ratelimit-headers): their quotas, windows and
/// what remains.
fn rate_limit_headers(state: &RequestState, response: &mut Response<'_>) {
    let limits = state.caller.rate_limits();
    if limits.is_empty() {
        return;
    }
    let list = |item: fn(&RateLimitStatus) -> String| -> String {
        limits.iter().map(item).collect::<Vec<_>>().join(", ")
    };
    let policy =
        list(|s| format!("\"{}\";q={};w={}", s.policy.name, s.policy.quota, s.policy.window));
    let left = list(|s| format!("\"{}\";r={};t={}", s.policy.name, s.remaining, s.resets_in));
    response.set_header(Header::new("RateLimit-Policy", policy));
    response.set_header(Header::new("RateLimit", left));
}

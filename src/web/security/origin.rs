//! What is checked before anything else: that a request names one host (RFC 9112 §3.2), and that no
//! other site makes a user's browser change anything here (CSRF).

use rocket::http::Method;
use rocket::route::{Handler, Outcome, Route};
use rocket::{Data, Request};

use super::cors;
use crate::web::cause::RequestError;
use crate::web::door::Door;
use crate::web::public_url::PublicUrl;
use crate::web::request::address::CHECK_RANK;
use crate::web::response::failure::Failure;

/// The methods that change something.
const UNSAFE: [Method; 4] = [Method::Post, Method::Put, Method::Patch, Method::Delete];

/// Routes that come before all others: they answer a request without a host with 400, an unsafe one
/// from another site at the page door with 403, and forward all others. Unlike a guard, they cannot
/// be forgotten.
pub fn routes() -> Vec<Route> {
    // Rocket also routes HEAD to GET.
    [&[Method::Get, Method::Options], &UNSAFE[..]]
        .concat()
        .into_iter()
        .map(|method| {
            let mut route = Route::ranked(CHECK_RANK, method, "/<path..>", Check);
            route.name = Some("check of host and origin".into());
            route
        })
        .collect()
}

#[derive(Clone)]
struct Check;

#[rocket::async_trait]
impl Handler for Check {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let refusal = if !names_one_host(request) {
            RequestError::Malformed("it must have exactly one Host header".to_owned())
        } else if is_from_elsewhere(request) {
            let known = request.rocket().state::<PublicUrl>();
            let address = known.map(|url| url.origin().to_owned()).unwrap_or_default();
            RequestError::CrossOrigin(address)
        } else if let Some(answer) = cors::preflight(request) {
            return Outcome::Success(answer);
        } else {
            return Outcome::forward(data, rocket::http::Status::NotFound);
        };
        Outcome::from(request, Failure::from(refusal))
    }
}

/// Programs that watch the server often send HTTP/1.0 without a host.
fn names_one_host(request: &Request<'_>) -> bool {
    matches!(request.uri().path().as_str(), "/healthz" | "/readyz")
        || request.headers().get("Host").count() == 1
}

/// The API door ignores cookies, so another site has nothing to abuse.
fn is_from_elsewhere(request: &Request<'_>) -> bool {
    UNSAFE.contains(&request.method()) && Door::of(request) == Door::Page && !is_ours(request)
}

/// The rule of Go's CrossOriginProtection (net/http, 1.25), tightened: `Sec-Fetch-Site` must say
/// same-origin, `Origin` must be exactly ours, and a request with a cookie but neither header is
/// refused.
fn is_ours(request: &Request<'_>) -> bool {
    let site = request.headers().get_one("Sec-Fetch-Site");
    let origin = request.headers().get_one("Origin");
    let known = request.rocket().state::<PublicUrl>();
    if site.is_some_and(|site| site != "same-origin") {
        return false;
    }
    match origin {
        Some(origin) => known.is_some_and(|url| url.is_origin(origin)),
        None => site.is_some() || request.cookies().iter().next().is_none(),
    }
}

//! The cross-origin check: no other site can make a user's browser change anything here (CSRF).

use rocket::http::Method;
use rocket::route::{Handler, Outcome, Route};
use rocket::{Data, Request};

use crate::web::cause::RequestError;
use crate::web::door::Door;
use crate::web::public_url::PublicUrl;
use crate::web::response::failure::Failure;

/// The rank before all other routes.
pub const RANK: isize = -100;

/// Routes that come before all others of the page door: they answer an unsafe request from another
/// site with 403 and forward all others. Unlike a guard, they cannot be forgotten.
pub fn routes() -> Vec<Route> {
    [Method::Post, Method::Put, Method::Patch, Method::Delete]
        .into_iter()
        .map(|method| {
            let mut route = Route::ranked(RANK, method, "/<path..>", Check);
            route.name = Some("cross-origin check".into());
            route
        })
        .collect()
}

#[derive(Clone)]
struct Check;

#[rocket::async_trait]
impl Handler for Check {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        // The API door ignores cookies, so another site has nothing to abuse.
        if Door::of(request) == Door::Api || is_ours(request) {
            return Outcome::forward(data, rocket::http::Status::NotFound);
        }
        Outcome::from(request, Failure::from(RequestError::CrossOrigin))
    }
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

//! What personal tokens may be used for, route by route.

use rocket::Request;
use rocket::http::Method;

use crate::models::api_token::Scope;

/// The table of scopes: given a route's method and path below its door, which scope a personal
/// token needs. `None` means that no token will do, a person has to log in.
pub struct Scopes(pub fn(Method, &str) -> Option<Scope>);

/// The scope that the matched route needs.
pub fn needed(request: &Request<'_>) -> Option<Scope> {
    let route = request.route()?;
    let path = route.uri.path();
    let below = path.strip_prefix(super::door::API).unwrap_or(path);
    (request.rocket().state::<Scopes>()?.0)(route.method, below)
}

//! Catches whatever no handler answers: failed guards, unknown paths, panics.

use rocket::Request;
use rocket::http::{Method, Status};
use rocket::response::{self, Responder, Response};

use super::failure::Failure;
use crate::error::{Denial, Error};
use crate::models::users::user::Role;
use crate::web::cause::RequestError;
use crate::web::door::Door;
use crate::web::request::state::RequestState;
use crate::web::security::origin;

#[rocket::catch(default)]
pub fn catch(status: Status, request: &Request<'_>) -> Result<Failure, Other> {
    let state = RequestState::of(request);
    if let Some(words) = state.panic.take() {
        return Ok(Error::Internal(words).into());
    }
    if let Some(cause) = state.take_cause() {
        return Ok(cause.into());
    }
    // Rocket answers 422 when an id in the path is not a number: nothing exists there.
    if status == Status::NotFound || status == Status::UnprocessableEntity {
        if let Some(moved) = moved(request) {
            return Err(moved);
        }
        let methods = methods_here(request);
        if methods.is_empty() {
            return Ok(Error::NotFound.into());
        }
        return match request.method() {
            Method::Options => Err(Other::Options(methods)),
            _ => Ok(RequestError::MethodNotAllowed(methods).into()),
        };
    }
    Ok(match status.code {
        401 => Error::Unauthenticated.into(),
        403 => Error::Forbidden(Denial::NotAuthor).into(),
        413 => RequestError::TooLarge.into(),
        code @ 400..500 => RequestError::Malformed(format!("status {code}")).into(),
        503 => Error::Unavailable.into(),
        code => Error::Internal(format!("answered with status {code}")).into(),
    })
}

/// A response that is no error.
pub enum Other {
    /// The path without its trailing slash: 308 preserves method and body.
    Moved(String),
    /// The methods of a resource (RFC 9110 §9.3.7).
    Options(String),
}

fn moved(request: &Request<'_>) -> Option<Other> {
    let path = request.uri().path().as_str();
    let bare = path.trim_end_matches('/');
    if bare.is_empty() || bare.len() == path.len() || bare.starts_with("//") {
        return None;
    }
    let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
    Some(Other::Moved(format!("{bare}{query}")))
}

impl<'r> Responder<'r, 'static> for Other {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        let mut response = Response::build();
        match self {
            Other::Moved(location) => {
                response.status(Status::PermanentRedirect).raw_header("Location", location);
            }
            Other::Options(methods) => {
                if methods.contains("PATCH") {
                    // RFC 5789 §3.1.
                    response.raw_header("Accept-Patch", "application/merge-patch+json");
                }
                response.status(Status::NoContent).raw_header("Allow", methods);
            }
        }
        response.ok()
    }
}

/// The methods, if any, that routes accept at this path. Rocket itself would answer 404.
fn methods_here(request: &Request<'_>) -> String {
    let path: Vec<&str> = segments(request.uri().path().as_str());
    // To everybody else, admin pages do not exist.
    let is_hidden = Door::of(request) == Door::Page
        && path.first() == Some(&"admin")
        && RequestState::of(request).authenticated().is_none_or(|a| a.user.role != Role::Admin);
    if is_hidden {
        return String::new();
    }
    let mut methods: Vec<&str> = request
        .rocket()
        .routes()
        .filter(|route| route.rank > origin::RANK && matches(route.uri.path(), &path))
        .map(|route| route.method.as_str())
        .collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods.sort_unstable();
    methods.dedup();
    methods.join(", ")
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

fn matches(pattern: &str, path: &[&str]) -> bool {
    let pattern = segments(pattern);
    if pattern.last().is_some_and(|last| last.ends_with("..>")) {
        return false;
    }
    pattern.len() == path.len()
        && pattern.iter().zip(path).all(|(p, s)| match p.strip_prefix('<') {
            // The only numbers in our paths are ids.
            Some(name) if name.starts_with("id") => s.parse::<i64>().is_ok(),
            Some(_) => true,
            None => p == s,
        })
}

//! Catches whatever no handler answers: failed guards, unknown paths, panics.

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder, Response};

use super::failure::Failure;
use crate::error::{Denial, Error};
use crate::models::users::user::Role;
use crate::web::cause::RequestError;
use crate::web::door::Door;
use crate::web::request::state::RequestState;
use crate::web::security::origin;

#[rocket::catch(default)]
pub fn catch(status: Status, request: &Request<'_>) -> Result<Failure, Moved> {
    let state = RequestState::of(request);
    if let Some(words) = state.panic.take() {
        return Ok(Error::Internal(words).into());
    }
    if let Some(cause) = state.take_cause() {
        return Ok(cause.into());
    }
    // Rocket answers 422 when an id in the path is not a number: nothing exists there.
    if status == Status::NotFound || status == Status::UnprocessableEntity {
        if let Some(moved) = Moved::of(request) {
            return Err(moved);
        }
        let methods = methods_here(request);
        return Ok(match methods.is_empty() {
            true => Error::NotFound.into(),
            false => RequestError::MethodNotAllowed(methods).into(),
        });
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

/// A redirect to the path without its trailing slash: 308 preserves method and body.
pub struct Moved(String);

impl Moved {
    fn of(request: &Request<'_>) -> Option<Moved> {
        let path = request.uri().path().as_str();
        let bare = path.trim_end_matches('/');
        if bare.is_empty() || bare.len() == path.len() || bare.starts_with("//") {
            return None;
        }
        let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
        Some(Moved(format!("{bare}{query}")))
    }
}

impl<'r> Responder<'r, 'static> for Moved {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build().status(Status::PermanentRedirect).raw_header("Location", self.0).ok()
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

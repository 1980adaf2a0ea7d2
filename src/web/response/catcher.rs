//! Catches whatever no handler answers: failed guards, unknown paths, panics.

use rocket::Request;
use rocket::http::{Method, Status};
use rocket::response::{self, Responder, Response};

use super::failure::Failure;
use crate::error::{Denial, Error};
use crate::web::cause::RequestError;
use crate::web::door::Door;
use crate::web::request::address;
use crate::web::request::state::RequestState;

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
        let methods = address::methods(request);
        if methods.is_empty() {
            return Ok(Error::NotFound.into());
        }
        return match request.method() {
            Method::Options => Err(Other::Options(methods)),
            // The address of a form that was sent and refused is reloaded, or cut out of another.
            Method::Get | Method::Head if Door::of(request) == Door::Page => {
                Err(Other::Elsewhere(address::nearest_page(request)))
            }
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
    /// The page to see instead of an address that takes only forms.
    Elsewhere(String),
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
            Other::Elsewhere(location) => {
                response.status(Status::SeeOther).raw_header("Location", location);
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

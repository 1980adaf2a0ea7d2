//! Failing guards: stores the cause for the catcher.

use rocket::Request;
use rocket::http::Status;

use super::state::RequestState;
use crate::web::cause::Cause;
use crate::web::door::Door;
use crate::web::response::status::status;

/// Stores the cause; returns the error for a request guard or a data guard.
pub fn refuse(request: &Request<'_>, cause: impl Into<Cause>) -> (Status, ()) {
    let cause = cause.into();
    let status = status(&cause, Door::of(request));
    RequestState::of(request).fail(cause);
    (status, ())
}

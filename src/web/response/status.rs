//! The HTTP status of each error.

use rocket::http::Status;

use crate::error::{Denial, Error};
use crate::web::cause::{Cause, RequestError};
use crate::web::door::Door;

/// The status of an error at a door.
pub fn status(cause: &Cause, door: Door) -> Status {
    let error = match cause {
        Cause::Site(error) => error,
        Cause::Request(error) => return request_status(error),
    };
    match (error, door) {
        (Error::NotFound, _) => Status::NotFound,
        (
            Error::Unauthenticated
            | Error::ReauthenticationRequired
            | Error::Forbidden(Denial::SecondFactorMissing),
            Door::Page,
        ) => Status::SeeOther,
        (
            Error::Unauthenticated
            | Error::ReauthenticationRequired
            | Error::SecondFactorRequired
            | Error::InvalidCredentials(_),
            _,
        ) => Status::Unauthorized,
        (Error::Forbidden(_) | Error::InsufficientScope(_), _) => Status::Forbidden,
        (Error::TooManyRequests { .. }, _) => Status::TooManyRequests,
        (Error::Invalid(_), _) => Status::UnprocessableEntity,
        (Error::VersionConflict, Door::Api) => Status::PreconditionFailed,
        (Error::Taken(_) | Error::Conflict(_) | Error::VersionConflict, _) => Status::Conflict,
        (Error::Unavailable | Error::Unserved(_), _) => Status::ServiceUnavailable,
        (Error::Database(_) | Error::Internal(_) | Error::AuditBroken(_), _) => {
            Status::InternalServerError
        }
    }
}

fn request_status(error: &RequestError) -> Status {
    match error {
        RequestError::Malformed(_)
        | RequestError::UnknownApplication
        | RequestError::WrongRedirectUri => Status::BadRequest,
        RequestError::UnsupportedMediaType(_) | RequestError::UnsupportedEncoding => {
            Status::UnsupportedMediaType
        }
        RequestError::TooLarge => Status::PayloadTooLarge,
        RequestError::MethodNotAllowed(_) => Status::MethodNotAllowed,
        RequestError::KeyInvalid => Status::BadRequest,
        RequestError::KeyInUse(_) | RequestError::AnswerLost | RequestError::FormSent => {
            Status::Conflict
        }
        RequestError::KeyReused => Status::UnprocessableEntity,
        RequestError::CrossOrigin(_) => Status::Forbidden,
    }
}

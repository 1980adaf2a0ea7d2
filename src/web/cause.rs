//! Why a request failed: an error of the site, or an HTTP error.

use strum::{EnumIter, IntoStaticStr};

use crate::error::Error;

#[derive(Debug)]
pub enum Cause {
    Site(Error),
    Request(RequestError),
}

/// An error in the HTTP request itself.
#[derive(Debug, EnumIter, IntoStaticStr)]
pub enum RequestError {
    /// It cannot be parsed; the text says why.
    #[strum(serialize = "malformed_request")]
    Malformed(String),
    /// The body does not have this media type.
    #[strum(serialize = "unsupported_media_type")]
    UnsupportedMediaType(&'static str),
    /// The body is compressed.
    #[strum(serialize = "unsupported_encoding")]
    UnsupportedEncoding,
    #[strum(serialize = "body_too_large")]
    TooLarge,
    /// The path exists, but not for this method; contains the allowed methods.
    #[strum(serialize = "method_not_allowed")]
    MethodNotAllowed(String),
    /// The Idempotency-Key is not one.
    #[strum(serialize = "idempotency_key.invalid")]
    KeyInvalid,
    /// The first request with the Idempotency-Key is still running; contains seconds to wait.
    #[strum(serialize = "idempotency_key.in_use")]
    KeyInUse(i64),
    /// The Idempotency-Key was used for another request.
    #[strum(serialize = "idempotency_key.reused")]
    KeyReused,
    /// The first request with the Idempotency-Key was carried out, but its answer is lost.
    #[strum(serialize = "idempotency_key.answer_lost")]
    AnswerLost,
    /// A form that was sent twice; the first one is still being carried out, or its answer is lost.
    #[strum(serialize = "form.sent")]
    FormSent,
    /// A form that was sent from another site; contains the address of this one.
    #[strum(serialize = "cross_origin")]
    CrossOrigin(String),
    /// An authorization request without the `client_id` of an application.
    #[strum(serialize = "oauth.unknown_application")]
    UnknownApplication,
    /// An authorization request whose redirect URI is not one of the application's.
    #[strum(serialize = "oauth.wrong_redirect_uri")]
    WrongRedirectUri,
}

impl Cause {
    /// The stable, machine-readable name.
    pub fn code(&self) -> &'static str {
        match self {
            Cause::Site(error) => error.code(),
            Cause::Request(error) => error.into(),
        }
    }
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        Cause::Site(error)
    }
}

impl From<RequestError> for Cause {
    fn from(error: RequestError) -> Self {
        Cause::Request(error)
    }
}

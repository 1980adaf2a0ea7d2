//! Why a request failed: in the site's words, or in HTTP's.

use strum::{EnumIter, IntoStaticStr};

use crate::error::Error;

#[derive(Debug)]
pub enum Cause {
    Site(Error),
    Request(RequestError),
}

/// What is wrong with a request as HTTP.
#[derive(Debug, EnumIter, IntoStaticStr)]
pub enum RequestError {
    /// It cannot be parsed; the text says why.
    #[strum(serialize = "malformed_request")]
    Malformed(String),
    /// The body has another type than this one.
    #[strum(serialize = "unsupported_media_type")]
    UnsupportedMediaType(&'static str),
    #[strum(serialize = "body_too_large")]
    TooLarge,
    /// The address exists, but not for this method; holds the methods that it has.
    #[strum(serialize = "method_not_allowed")]
    MethodNotAllowed(String),
    /// A form that was sent from another site.
    #[strum(serialize = "cross_origin")]
    CrossOrigin,
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

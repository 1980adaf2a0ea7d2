//! How jobs fail.

use std::fmt;

use crate::error::Error;

/// Why a job failed.
#[derive(Debug)]
pub enum JobFailure {
    /// It is retried later.
    Temporary(Error),
    /// It is given up: no other attempt would succeed. The text is for the log.
    Permanent(String),
}

impl fmt::Display for JobFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JobFailure::Temporary(error) => error.fmt(f),
            JobFailure::Permanent(reason) => reason.fmt(f),
        }
    }
}

impl From<Error> for JobFailure {
    fn from(error: Error) -> JobFailure {
        JobFailure::Temporary(error)
    }
}

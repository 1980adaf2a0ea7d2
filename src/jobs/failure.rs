//! How jobs fail.

use crate::error::Error;

/// Why a job failed.
#[derive(Debug)]
pub enum JobFailure {
    /// It is retried later.
    Temporary(Error),
    /// It is given up: no other attempt would succeed. The text is for the log.
    Permanent(String),
}

impl From<Error> for JobFailure {
    fn from(error: Error) -> JobFailure {
        JobFailure::Temporary(error)
    }
}

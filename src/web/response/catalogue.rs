//! The error reference, generated from the code.

use serde::Serialize;
use strum::IntoEnumIterator;

use super::messages;
use super::status::status;
use crate::error::{Conflict, Credentials, Denial, Error};
use crate::validation::{Rule, ValidationErrors};
use crate::web::cause::{Cause, RequestError};
use crate::web::door::Door;

/// An error that can appear as the `code` of a response.
#[derive(Debug, Serialize)]
pub struct Entry {
    pub code: &'static str,
    /// At the API door.
    pub status: u16,
    pub title: String,
    pub detail: String,
}

/// A rule that a field can violate; `errors[].code` is the field's name, a dot and the rule.
#[derive(Debug, Serialize)]
pub struct RuleEntry {
    pub rule: &'static str,
    pub meaning: String,
}

/// The path of the reference.
pub const PATH: &str = "/docs/errors";

/// Every error.
pub fn entries() -> Vec<Entry> {
    let nothing = ValidationErrors::default;
    let single = [
        Error::NotFound,
        Error::Unauthenticated,
        Error::ReauthenticationRequired,
        Error::SecondFactorRequired,
        Error::InsufficientScope("posts:write"),
        Error::Invalid(nothing()),
        Error::Taken(nothing()),
        Error::VersionConflict,
        Error::TooManyRequests { retry_after: 60, first: false },
        Error::Unavailable,
        Error::Internal(String::new()),
    ];
    let mut entries: Vec<Entry> = single
        .into_iter()
        .chain(Credentials::iter().map(Error::InvalidCredentials))
        .chain(Denial::iter().map(Error::Forbidden))
        .chain(Conflict::iter().map(Error::Conflict))
        .map(Cause::Site)
        .chain(RequestError::iter().map(|error| Cause::Request(sample(error))))
        .map(|cause| Entry {
            code: cause.code(),
            status: status(&cause, Door::Api).code,
            title: messages::title(cause.code()),
            // The details of these name their fields.
            detail: match &cause {
                Cause::Site(Error::Invalid(_) | Error::Taken(_)) => {
                    messages::find(&format!("error-{}", cause.code()), None).unwrap_or_default()
                }
                cause => messages::api_detail(cause),
            },
        })
        .collect();
    entries.sort_by_key(|entry| (entry.status, entry.code));
    entries
}

/// The error with example values for the parameters of its message.
fn sample(error: RequestError) -> RequestError {
    match error {
        RequestError::Malformed(_) => RequestError::Malformed("invalid JSON".to_owned()),
        RequestError::UnsupportedMediaType(_) => {
            RequestError::UnsupportedMediaType("application/json")
        }
        RequestError::MethodNotAllowed(_) => RequestError::MethodNotAllowed("GET, POST".to_owned()),
        other => other,
    }
}

/// Every rule.
pub fn rules() -> Vec<RuleEntry> {
    Rule::iter()
        .map(|rule| {
            let rule: &'static str = rule.into();
            RuleEntry { rule, meaning: messages::rule_meaning(rule) }
        })
        .collect()
}

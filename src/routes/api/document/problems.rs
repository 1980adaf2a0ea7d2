//! The error responses that operations share, with an example of each kind.

use serde_json::{Map, Value, json};

use super::headers;
use crate::error::{Conflict, Credentials, Denial, Error};
use crate::validation::Rule;
use crate::web::cause::{Cause, RequestError};
use crate::web::response::problem;

/// A shared response.
struct Shared {
    status: u16,
    name: &'static str,
    description: &'static str,
    examples: Vec<Cause>,
}

fn shared() -> Vec<Shared> {
    let response =
        |status, name, description, examples| Shared { status, name, description, examples };
    vec![
        response(
            400,
            "BadRequest",
            "The request cannot be understood.",
            vec![RequestError::Malformed("invalid JSON at line 1".to_owned()).into()],
        ),
        response(
            401,
            "Unauthorized",
            "Credentials are missing, wrong or no longer valid; or the password has to be confirmed \
             first, see `/auth/sudo`.",
            vec![
                Error::Unauthenticated.into(),
                Error::InvalidCredentials(Credentials::AccessToken).into(),
                Error::ReauthenticationRequired.into(),
            ],
        ),
        response(
            403,
            "Forbidden",
            "The credentials are valid, but do not allow this; the `code` says why.",
            vec![
                Error::InsufficientScope("posts:write").into(),
                Error::Forbidden(Denial::PersonalToken).into(),
                Error::Forbidden(Denial::NotAuthor).into(),
                Error::Forbidden(Denial::NotAdmin).into(),
            ],
        ),
        response(404, "NotFound", "There is no such thing.", vec![Error::NotFound.into()]),
        response(
            409,
            "Conflict",
            "The present state does not allow it, or the value is taken.",
            vec![Error::Conflict(Conflict::LastAdmin).into()],
        ),
        response(
            412,
            "PreconditionFailed",
            "There is a newer version than the one in `If-Match` or `version`.",
            vec![Error::VersionConflict.into()],
        ),
        response(
            413,
            "ContentTooLarge",
            "The body is too large.",
            vec![RequestError::TooLarge.into()],
        ),
        response(
            415,
            "UnsupportedMediaType",
            "The body has another media type, or is compressed.",
            vec![
                RequestError::UnsupportedMediaType("application/json").into(),
                RequestError::UnsupportedEncoding.into(),
            ],
        ),
        response(
            422,
            "InvalidInput",
            "Fields or parameters are invalid; `errors` has an entry for each.",
            vec![Error::invalid("limit", Rule::Unknown).into()],
        ),
        response(
            429,
            "TooManyRequests",
            "A limit was exceeded.",
            vec![Error::TooManyRequests { retry_after: 9, first: false }.into()],
        ),
        response(
            500,
            "InternalError",
            "A fault of the site; its log has the details under the `request_id`.",
            vec![Error::Internal(String::new()).into()],
        ),
        response(
            503,
            "Unavailable",
            "The site is busy, or its database cannot be reached. Try again later.",
            vec![Error::Unavailable.into()],
        ),
    ]
}

/// The responses by name.
pub fn responses() -> Value {
    let responses = shared().into_iter().map(|shared| {
        let headers = headers::of(&shared.status.to_string());
        let response = json!({
            "description": shared.description,
            "headers": headers,
            "content": { "application/problem+json": {
                "schema": { "$ref": "#/components/schemas/Problem" },
                "examples": examples(&shared.examples),
            }},
        });
        (shared.name.to_owned(), response)
    });
    responses.collect::<Map<_, _>>().into()
}

/// A reference to the shared response with this status; with a description, a copy that has it.
pub fn response(status: &str, description: Option<&str>) -> Option<Value> {
    let shared = shared().into_iter().find(|shared| shared.status.to_string() == status)?;
    let reference = json!({ "$ref": format!("#/components/responses/{}", shared.name) });
    let Some(description) = description else { return Some(reference) };
    let mut whole = responses()[shared.name].take();
    whole["description"] = json!(description);
    Some(whole)
}

fn examples(causes: &[Cause]) -> Map<String, Value> {
    let examples = causes.iter().map(|cause| {
        let problem =
            problem::of(cause, "https://posts.example", "/api/v1/posts/1", "5f0c2a8e7d1b4c96");
        (cause.code().to_owned(), json!({ "value": problem }))
    });
    examples.collect()
}

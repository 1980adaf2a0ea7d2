//! Errors at the API door: problem+json (RFC 9457).

use rocket::Request;
use rocket::http::ContentType;
use rocket::response::{self, Response};
use serde::Serialize;

use super::status::status;
use super::{catalogue, messages};
use crate::error::Error;
use crate::validation::{FieldError, Rule};
use crate::web::cause::Cause;
use crate::web::door::Door;
use crate::web::public_url::PublicUrl;
use crate::web::request::state::RequestState;

/// An error (RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// The URL of the error's description.
    #[serde(rename = "type")]
    #[schema(example = "https://posts.example/docs/errors#invalid_input")]
    pub kind: String,
    /// A summary, the same for every occurrence.
    #[schema(example = "Invalid input")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    pub status: u16,
    /// A sentence about this occurrence.
    #[schema(example = "Add a title.")]
    pub detail: String,
    /// The path of the request.
    #[schema(example = "/api/v1/posts")]
    pub instance: String,
    /// The stable name of the error.
    #[schema(example = "invalid_input")]
    pub code: &'static str,
    /// Identifies the request in the site's log.
    #[schema(example = "5f0c2a8e7d1b4c96")]
    pub request_id: String,
    /// With `invalid_input`, `already_taken` and `second_factor_required`: an error for each field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Vec<FieldProblem>, required = false)]
    pub errors: Option<Vec<FieldProblem>>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct FieldProblem {
    /// The name of the field; empty when the error concerns the input as a whole.
    #[schema(example = "title")]
    pub field: String,
    /// The field and the rule that it violates; stable.
    #[schema(example = "title.required")]
    pub code: String,
    /// A sentence for people.
    #[schema(example = "Add a title.")]
    pub message: String,
}

impl From<&FieldError> for FieldProblem {
    fn from(error: &FieldError) -> Self {
        FieldProblem {
            field: error.field.to_string(),
            code: error.code(),
            message: messages::field(error),
        }
    }
}

/// The errors of individual fields, if any.
pub fn field_problems(cause: &Cause) -> Option<Vec<FieldProblem>> {
    match cause {
        Cause::Site(Error::Invalid(errors) | Error::Taken(errors)) => {
            Some(errors.iter().map(FieldProblem::from).collect())
        }
        Cause::Site(Error::SecondFactorRequired) => Some(vec![FieldProblem {
            message: messages::detail(cause),
            ..FieldProblem::from(&FieldError::new("code", Rule::Required))
        }]),
        _ => None,
    }
}

/// The problem that a request for `path` of the site at `origin` had.
pub fn of(cause: &Cause, origin: &str, path: &str, request_id: &str) -> Problem {
    Problem {
        kind: format!("{origin}{}#{}", catalogue::PATH, cause.code()),
        title: messages::title(cause.code()),
        status: status(cause, Door::Api).code,
        detail: messages::api_detail(cause),
        instance: path.to_owned(),
        code: cause.code(),
        request_id: request_id.to_owned(),
        errors: field_problems(cause),
    }
}

/// The response, without the headers that belong to particular errors.
pub fn respond(request: &Request<'_>, cause: &Cause) -> response::Result<'static> {
    let origin = request.rocket().state::<PublicUrl>().map(PublicUrl::origin).unwrap_or_default();
    let (path, state) = (request.uri().path(), RequestState::of(request));
    let problem = of(cause, origin, path.as_str(), &state.caller.request_id);
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    Response::build()
        .status(status(cause, Door::Api))
        .header(ContentType::new("application", "problem+json"))
        .sized_body(body.len(), std::io::Cursor::new(body))
        .ok()
}

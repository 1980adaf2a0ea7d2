//! Request bodies: forms at the page door, JSON at the API door, parsed into the same types.

use std::ops::Deref;

use percent_encoding::percent_decode;
use rocket::Request;
use rocket::data::{Data, FromData, Outcome, ToByteUnit};
use rocket::http::{ContentType, Method};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::body;
use super::idempotency;
use super::refusal::refuse;
use super::state::RequestState;
use crate::error::Error;
use crate::validation::{FieldError, Rule, ValidationErrors};
use crate::web::cause::{Cause, RequestError};
use crate::web::door::Door;

type Result<T> = std::result::Result<T, Cause>;

/// The body: a form at the page door, JSON at the API door.
///
/// Input types have optional fields, so that the model reports missing ones, not the parser. The
/// fields of a form are stored, to show them again if it is rejected.
pub struct Input<T>(pub T);

impl<T> Deref for Input<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for Input<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let read = match Door::of(request) {
            Door::Page => read_form(request, data).await,
            Door::Api => read_json(request, data).await,
        };
        match read {
            Ok(input) => Outcome::Success(Input(input)),
            Err(cause) => Outcome::Error(refuse(request, cause)),
        }
    }
}

/// Parses a form, at either door: the OAuth2 endpoints are form-encoded by their standard.
pub async fn read_form<T: DeserializeOwned>(request: &Request<'_>, data: Data<'_>) -> Result<T> {
    if !request.content_type().is_some_and(|kind| kind.is_form()) {
        let expected = "application/x-www-form-urlencoded";
        return Err(RequestError::UnsupportedMediaType(expected).into());
    }
    let body = read_body(request, data, "form").await?;
    let mut fields = parse_form(&body)?;
    if Door::of(request) == Door::Page {
        let form_id = fields.remove(FORM_ID);
        let _ = RequestState::of(request).form.set(fields.clone());
        if let Some(Value::String(id)) = form_id {
            idempotency::begin_form(request, &id, &body).await?;
        }
    }
    deserialize_fields(fields)
}

async fn read_json<T: DeserializeOwned>(request: &Request<'_>, data: Data<'_>) -> Result<T> {
    let is_patch = request.method() == Method::Patch;
    if !request.content_type().is_some_and(|kind| kind.is_json() || is_patch && is_merge(kind)) {
        return Err(RequestError::UnsupportedMediaType("application/json").into());
    }
    let bytes = read_body(request, data, "json").await?;
    if std::str::from_utf8(&bytes).is_err() {
        return Err(not_text());
    }
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|e| RequestError::Malformed(format!("invalid JSON: {e}")))?;
    match value {
        Value::Object(fields) => {
            if is_patch {
                refuse_removals(&fields)?;
            }
            deserialize(fields, Vec::new())
        }
        _ => Err(Error::invalid("", Rule::Malformed).into()),
    }
}

/// `application/merge-patch+json` (RFC 7396).
fn is_merge(kind: &ContentType) -> bool {
    kind.top() == "application" && kind.sub() == "merge-patch+json"
}

/// More errors than these are not listed: an answer is no larger than necessary.
const MAX_ERRORS: usize = 20;

/// Fields that can be removed: what belongs to nothing else.
const REMOVABLE: [&str; 1] = ["series"];

/// In a merge patch, null removes a field (RFC 7396 §2): nearly every field of ours has to stay.
///
/// # Errors
/// `Invalid`.
fn refuse_removals(fields: &Map<String, Value>) -> Result<()> {
    let mut errors = ValidationErrors::default();
    let removed = fields.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name);
    let removed = removed.filter(|name| !REMOVABLE.contains(&name.as_str()));
    for name in removed.take(MAX_ERRORS) {
        errors.add(FieldError::new(name.clone(), Rule::Required));
    }
    Ok(errors.into_result()?)
}

async fn read_body(request: &Request<'_>, data: Data<'_>, limit: &str) -> Result<Vec<u8>> {
    let limit = request.limits().get(limit).unwrap_or_else(|| 32.kibibytes());
    body::read(request, data, limit).await
}

fn not_text() -> Cause {
    Error::invalid("", Rule::NotText).into()
}

/// The hidden field that tells a form which is sent twice from two forms.
const FORM_ID: &str = "form_id";

/// Fields that are never shown again.
const SECRET_FIELDS: [&str; 5] = ["password", "current", "code", "token", "_method"];

/// The fields of the submitted form, without secrets.
pub fn entered(request: &Request<'_>) -> Map<String, Value> {
    let mut fields = RequestState::of(request).form.get().cloned().unwrap_or_default();
    for secret in SECRET_FIELDS {
        fields.remove(secret);
    }
    fields
}

/// Fields of a form or a query string: many more than any of ours has. Each is written again in a page that
/// shows the form once more, where it takes ten times the bytes of a short one.
const MAX_FIELDS: usize = 1_000;

/// Parses `a=b&c=d` (WHATWG URL §5.1), but rejects invalid UTF-8 instead of replacing it.
pub fn parse_form(bytes: &[u8]) -> Result<Map<String, Value>> {
    let mut fields = Map::new();
    let pairs = bytes.split(|&b| b == b'&').filter(|pair| !pair.is_empty());
    for (number, pair) in pairs.enumerate() {
        if number == MAX_FIELDS {
            return Err(RequestError::Malformed("too many fields".to_owned()).into());
        }
        let mut halves = pair.splitn(2, |&b| b == b'=');
        let mut text = || {
            let half = halves.next().unwrap_or_default();
            let spaced: Vec<u8> = half.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
            percent_decode(&spaced).decode_utf8().map(|text| text.into_owned()).ok()
        };
        let name = text().ok_or_else(not_text)?;
        let value = text().ok_or_else(not_text)?;
        // Check boxes share a name; for any other field, a second value is an error.
        match fields.get_mut(&name) {
            None => drop(fields.insert(name, Value::String(value))),
            Some(Value::Array(values)) => values.push(Value::String(value)),
            Some(first) => *first = Value::Array(vec![first.take(), Value::String(value)]),
        }
    }
    Ok(fields)
}

/// Deserializes the fields of a form, where several values of one field are a list.
pub fn deserialize_fields<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T> {
    let repeated = fields.iter().filter(|(_, value)| value.is_array());
    let repeated = repeated.map(|(name, _)| name.clone()).collect();
    deserialize(fields, repeated)
}

/// Deserializes fields; errors name the field.
fn deserialize<T: DeserializeOwned>(
    fields: Map<String, Value>,
    repeated: Vec<String>,
) -> Result<T> {
    for (name, value) in &fields {
        // PostgreSQL cannot store NUL, and nobody types one.
        if name.contains('\0') || contains_nul(value) {
            let field = name.replace('\0', "");
            return Err(Error::from(FieldError::new(field, Rule::NulCharacter)).into());
        }
    }
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|e| {
        let field = e.path().to_string();
        let field = if field == "." { String::new() } else { field };
        let rule = match repeated.contains(&field) {
            true => Rule::Repeated,
            false => Rule::Malformed,
        };
        Error::from(FieldError::new(field, rule)).into()
    })
}

fn contains_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(contains_nul),
        Value::Object(fields) => fields.iter().any(|(k, v)| k.contains('\0') || contains_nul(v)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Sample {
        a: Option<String>,
        b: Option<String>,
    }

    fn read(bytes: &[u8]) -> Result<Sample> {
        deserialize_fields(parse_form(bytes)?)
    }

    #[test]
    fn forms_are_read_strictly() {
        let sample = read(b"a=x+y%21&b=%C3%A9&other=1").unwrap();
        assert_eq!(sample, Sample { a: Some("x y!".into()), b: Some("é".into()) });
        for wrong in [&b"a=%ff"[..], b"a=%00", b"a=1&a=2"] {
            assert!(matches!(read(wrong), Err(Cause::Site(Error::Invalid(_)))), "{wrong:?}");
        }
        assert_eq!(read(b"").unwrap(), Sample { a: None, b: None });
    }
}

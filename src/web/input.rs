//! What a client sends: forms at the page door, JSON at the API door, read into the same types.

use std::ops::Deref;

use percent_encoding::percent_decode;
use rocket::data::{Data, FromData, Outcome, ToByteUnit};
use rocket::request::{self, FromRequest};
use rocket::{Request, http::Status};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::door::{Door, is_local};
use super::failure::status;
use super::guards::refuse;
use super::scene::Scene;
use crate::error::{Error, Result};

/// The body: a form at the page door, JSON at the API door.
///
/// Types hold optional fields, so that what is missing becomes a complaint of the model rather
/// than a failure to read.
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
            Err(error) => fail(request, error),
        }
    }
}

fn fail<'r, T: FromData<'r, Error = ()>>(request: &Request<'_>, error: Error) -> Outcome<'r, T> {
    let code: Status = status(&error, Door::of(request));
    Scene::of(request).fail(error);
    Outcome::Error((code, ()))
}

/// A form, at whichever door: also for the OAuth2 endpoints, which are form-encoded by standard.
pub async fn read_form<T: DeserializeOwned>(request: &Request<'_>, data: Data<'_>) -> Result<T> {
    if !request.content_type().is_some_and(|kind| kind.is_form()) {
        return Err(Error::UnsupportedMediaType("Send application/x-www-form-urlencoded."));
    }
    pairs(&body(request, data, "form").await?)
}

async fn read_json<T: DeserializeOwned>(request: &Request<'_>, data: Data<'_>) -> Result<T> {
    if !request.content_type().is_some_and(|kind| kind.is_json()) {
        return Err(Error::UnsupportedMediaType("Send application/json."));
    }
    let bytes = body(request, data, "json").await?;
    if std::str::from_utf8(&bytes).is_err() {
        return Err(Error::invalid("", NOT_TEXT));
    }
    let value: Value = serde_json::from_slice(&bytes)
        .map_err(|e| Error::Malformed(format!("the JSON cannot be read: {e}")))?;
    match value {
        Value::Object(fields) => fill(fields),
        _ => Err(Error::invalid("", "Send a JSON object.")),
    }
}

async fn body(request: &Request<'_>, data: Data<'_>, limit: &str) -> Result<Vec<u8>> {
    let limit = request.limits().get(limit).unwrap_or_else(|| 32.kibibytes());
    let body = data
        .open(limit)
        .into_bytes()
        .await
        .map_err(|e| Error::Malformed(format!("the body cannot be read: {e}")))?;
    if body.is_complete() { Ok(body.into_inner()) } else { Err(Error::TooLarge) }
}

const NOT_TEXT: &str = "This is not valid UTF-8 text.";

/// Reads `a=b&c=d` (WHATWG URL §5.1), but refuses what is not UTF-8 instead of mending it.
fn pairs<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut fields = Map::new();
    for pair in bytes.split(|&b| b == b'&').filter(|pair| !pair.is_empty()) {
        let mut halves = pair.splitn(2, |&b| b == b'=');
        let mut text = || {
            let half = halves.next().unwrap_or_default();
            let spaced: Vec<u8> = half.iter().map(|&b| if b == b'+' { b' ' } else { b }).collect();
            percent_decode(&spaced).decode_utf8().map(|text| text.into_owned()).ok()
        };
        let name = text().ok_or_else(|| Error::invalid("", NOT_TEXT))?;
        let value = text().ok_or_else(|| Error::invalid("", NOT_TEXT))?;
        // Check boxes share a name; for any other field, one value too many is a complaint.
        match fields.get_mut(&name) {
            None => drop(fields.insert(name, Value::String(value))),
            Some(Value::Array(values)) => values.push(Value::String(value)),
            Some(first) => *first = Value::Array(vec![first.take(), Value::String(value)]),
        }
    }
    fill(fields)
}

fn fill<T: DeserializeOwned>(fields: Map<String, Value>) -> Result<T> {
    for (name, value) in &fields {
        // PostgreSQL keeps no NUL, and nobody types one.
        if name.contains('\0') || holds_nul(value) {
            let mut complaints = crate::error::Complaints::default();
            complaints.add(name.replace('\0', ""), "A NUL character is not allowed here.");
            return Err(Error::Invalid(complaints));
        }
    }
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|e| {
        let mut complaints = crate::error::Complaints::default();
        let field = e.path().to_string();
        let field = if field == "." { String::new() } else { field };
        complaints.add(field, format!("This has the wrong form: {}.", e.inner()));
        Error::Invalid(complaints)
    })
}

fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(k, v)| k.contains('\0') || holds_nul(v)),
        _ => false,
    }
}

/// The query string, read like a form.
pub struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromRequest<'r> for Query<T> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let query = request.uri().query().map(|q| q.as_str()).unwrap_or_default();
        match pairs(query.as_bytes()) {
            Ok(query) => request::Outcome::Success(Query(query)),
            Err(error) => refuse(request, error),
        }
    }
}

/// The version that `If-Match` names (RFC 9110 §13.1.1): a change of anything else is refused.
pub struct IfMatch(pub Option<i64>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IfMatch {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
        let tag = request.headers().get_one("If-Match").map(str::trim);
        request::Outcome::Success(IfMatch(match tag {
            None | Some("*") => None,
            // A tag begins with the version; what is not one of ours matches nothing.
            Some(tag) => Some(
                tag.trim_matches('"')
                    .split('-')
                    .next()
                    .and_then(|version| version.parse().ok())
                    .unwrap_or(-1),
            ),
        }))
    }
}

/// Where a person wants to be afterwards: the form's `next`, if it is a place on this site. The API
/// door has no such thing, and no body.
pub struct Back(Option<String>);

impl From<Option<String>> for Back {
    fn from(next: Option<String>) -> Self {
        Back(next.filter(|path| is_local(path)))
    }
}

impl Back {
    pub fn or(self, otherwise: impl ToString) -> String {
        self.0.unwrap_or_else(|| otherwise.to_string())
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Back {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        #[derive(serde::Deserialize)]
        struct Form {
            next: Option<String>,
        }
        if Door::of(request) == Door::Api {
            return Outcome::Success(Back(None));
        }
        match read_form::<Form>(request, data).await {
            Ok(form) => Outcome::Success(form.next.into()),
            Err(error) => fail(request, error),
        }
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

    #[test]
    fn forms_are_read_strictly() {
        let sample: Sample = pairs(b"a=x+y%21&b=%C3%A9&other=1").unwrap();
        assert_eq!(sample, Sample { a: Some("x y!".into()), b: Some("é".into()) });
        assert!(matches!(pairs::<Sample>(b"a=%ff"), Err(Error::Invalid(_))));
        assert!(matches!(pairs::<Sample>(b"a=%00"), Err(Error::Invalid(_))));
        assert_eq!(pairs::<Sample>(b"").unwrap(), Sample { a: None, b: None });
    }
}

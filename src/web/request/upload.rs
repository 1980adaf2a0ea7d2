//! Uploaded files: a form with the field `file` at the page door, the file itself at the API door.

use rocket::Request;
use rocket::data::{ByteUnit, Capped, Data, FromData, Outcome};
use rocket::form::{Form, FromForm};

use super::input::refuse_encoding;
use super::refusal::refuse;
use crate::web::cause::{Cause, RequestError};
use crate::web::door::Door;

/// The largest upload, with what surrounds it in a form.
const LIMIT: ByteUnit = ByteUnit::Mebibyte(1);

/// The content of an uploaded file, of at most a mebibyte; empty if none was chosen.
pub struct Upload(pub Vec<u8>);

#[derive(FromForm)]
struct Fields<'r> {
    file: Capped<&'r [u8]>,
}

#[rocket::async_trait]
impl<'r> FromData<'r> for Upload {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let read = match Door::of(request) {
            Door::Page => from_form(request, data).await,
            Door::Api => from_body(request, data).await,
        };
        match read {
            Ok(content) => Outcome::Success(Upload(content)),
            Err(cause) => Outcome::Error(refuse(request, cause)),
        }
    }
}

async fn from_form<'r>(request: &'r Request<'_>, data: Data<'r>) -> Result<Vec<u8>, Cause> {
    if !request.content_type().is_some_and(|kind| kind.is_form_data()) {
        return Err(RequestError::UnsupportedMediaType("multipart/form-data").into());
    }
    // Rocket cannot tell a form that is too large from one that is malformed. Browsers announce the
    // length.
    let length = request.headers().get_one("Content-Length").and_then(|text| text.parse().ok());
    if length.is_some_and(|length: u64| length > LIMIT) {
        return Err(RequestError::TooLarge.into());
    }
    match Form::<Fields<'r>>::from_data(request, data).await {
        Outcome::Success(form) if form.file.is_complete() => Ok(form.file.to_vec()),
        Outcome::Success(_) => Err(RequestError::TooLarge.into()),
        Outcome::Error((status, _)) if status.code == 413 => Err(RequestError::TooLarge.into()),
        _ => Err(RequestError::Malformed("the form needs a field named file".to_owned()).into()),
    }
}

async fn from_body(request: &Request<'_>, data: Data<'_>) -> Result<Vec<u8>, Cause> {
    if request.content_type().is_none_or(|kind| kind.top() != "image") {
        return Err(RequestError::UnsupportedMediaType("image/png").into());
    }
    refuse_encoding(request)?;
    let read = data.open(LIMIT).into_bytes().await;
    let body =
        read.map_err(|e| RequestError::Malformed(format!("the body cannot be read: {e}")))?;
    if body.is_complete() { Ok(body.into_inner()) } else { Err(RequestError::TooLarge.into()) }
}

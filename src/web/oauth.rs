//! The manners of OAuth2 endpoints (RFC 6749 §4.3, §5): form-encoded, their own error words, never
//! cached.

use rocket::http::Header;
use rocket::serde::json::Json;
use rocket::{Data, Request, Responder, data};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Failure, input};

/// A form at the API door; why it cannot be read is told in OAuth's own words.
pub struct Form<T>(pub Result<T, String>);

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> data::FromData<'r> for Form<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let read = input::read_form(request, data).await;
        data::Outcome::Success(Form(read.map_err(|error| error.to_string())))
    }
}

/// A refusal in the words of RFC 6749 §5.2.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Refusal {
    #[schema(example = "invalid_grant")]
    error: &'static str,
    error_description: String,
}

/// 200 with what was granted, or 400 with why not.
#[derive(Responder)]
pub enum Answer<T> {
    Granted(Json<T>, Header<'static>),
    #[response(status = 400)]
    Refused(Json<Refusal>, Header<'static>),
}

fn no_store() -> Header<'static> {
    Header::new("Cache-Control", "no-store")
}

pub fn grant<T>(granted: T) -> Result<Answer<T>, Failure> {
    Ok(Answer::Granted(Json(granted), no_store()))
}

/// `error` is one of the codes of RFC 6749 §5.2.
pub fn refuse<T>(error: &'static str, description: &str) -> Result<Answer<T>, Failure> {
    let refusal = Refusal { error, error_description: description.to_owned() };
    Ok(Answer::Refused(Json(refusal), no_store()))
}

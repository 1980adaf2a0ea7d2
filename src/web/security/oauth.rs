//! The conventions of OAuth2 endpoints (RFC 6749 §4.3, §5): form-encoded, with their own error
//! codes, never cached.

use rocket::http::Header;
use rocket::serde::json::Json;
use rocket::{Data, Request, Responder, data};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::web::request::input;
use crate::web::response::failure::Failure;
use crate::web::response::messages;

/// A form at the API door; if it cannot be parsed, an OAuth error says why.
pub struct OAuthForm<T>(pub Result<T, String>);

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> data::FromData<'r> for OAuthForm<T> {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> data::Outcome<'r, Self> {
        let read = input::read_form(request, data).await;
        data::Outcome::Success(OAuthForm(read.map_err(|cause| messages::detail(&cause))))
    }
}

/// An error response (RFC 6749 §5.2).
#[derive(Serialize, utoipa::ToSchema)]
pub struct OAuthError {
    /// One of the codes of RFC 6749.
    #[schema(example = "invalid_grant")]
    error: &'static str,
    /// A sentence about the cause.
    #[schema(example = "Wrong username or password.")]
    error_description: String,
}

/// 200, with the granted tokens if there are any, or 400 with an error.
#[derive(Responder)]
pub enum OAuthResponse<T> {
    Granted(Json<T>, Header<'static>),
    Done((), Header<'static>),
    #[response(status = 400)]
    Refused(Json<OAuthError>, Header<'static>),
}

fn no_store() -> Header<'static> {
    Header::new("Cache-Control", "no-store")
}

pub fn grant<T>(granted: T) -> Result<OAuthResponse<T>, Failure> {
    Ok(OAuthResponse::Granted(Json(granted), no_store()))
}

/// Without anything to say (RFC 7009 §2.2).
pub fn done() -> Result<OAuthResponse<()>, Failure> {
    Ok(OAuthResponse::Done((), no_store()))
}

/// `error` is one of the codes of RFC 6749 §5.2.
pub fn refuse<T>(error: &'static str, description: &str) -> Result<OAuthResponse<T>, Failure> {
    let refusal = OAuthError { error, error_description: description.to_owned() };
    Ok(OAuthResponse::Refused(Json(refusal), no_store()))
}

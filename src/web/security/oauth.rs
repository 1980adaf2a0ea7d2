//! The conventions of OAuth2 endpoints (RFC 6749 §2.3, §4.3, §5): form-encoded, with their own error
//! codes, never cached.

use base64::prelude::{BASE64_STANDARD, Engine};
use percent_encoding::percent_decode_str;
use rocket::http::Header;
use rocket::request::{FromRequest, Outcome};
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

/// The credentials of a client in the `Authorization` header (RFC 6749 §2.3.1).
pub enum BasicCredentials {
    Missing,
    /// Another scheme, or not encoded as the standard says.
    Malformed,
    Given {
        client_id: String,
        client_secret: String,
    },
}

impl BasicCredentials {
    fn parse(header: &str) -> Option<BasicCredentials> {
        let (scheme, credentials) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let decoded = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        // Both are form-encoded before they are joined.
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned()).ok()
        };
        let (client_id, client_secret) = (decode(id)?, decode(secret)?);
        let is_text = !client_id.contains('\0') && !client_secret.contains('\0');
        is_text.then_some(BasicCredentials::Given { client_id, client_secret })
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for BasicCredentials {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Success(match request.headers().get_one("Authorization") {
            None => BasicCredentials::Missing,
            Some(header) => BasicCredentials::parse(header).unwrap_or(BasicCredentials::Malformed),
        })
    }
}

/// An error response (RFC 6749 §5.2).
#[derive(Serialize, utoipa::ToSchema)]
pub struct OAuthError {
    /// One of the codes of RFC 6749, §5.2.
    #[schema(example = "invalid_grant")]
    error: &'static str,
    /// A sentence for whoever writes the client.
    #[schema(example = "The code is unknown, expired or used.")]
    error_description: String,
}

impl OAuthError {
    /// A description has only certain characters of ASCII (RFC 6749 §5.2).
    fn new(error: &'static str, description: &str) -> OAuthError {
        let plain = |c: char| match c {
            '“' | '”' | '‘' | '’' | '"' => '\'',
            ' '..='~' if c != '\\' => c,
            _ => '?',
        };
        OAuthError { error, error_description: description.chars().map(plain).collect() }
    }
}

/// 200, with the granted tokens if there are any; 400 with an error; 401 when the client did not
/// prove who it is with the `Authorization` header.
#[derive(Responder)]
pub enum OAuthResponse<T> {
    Granted(Json<T>, Header<'static>),
    Done((), Header<'static>),
    #[response(status = 400)]
    Refused(Json<OAuthError>, Header<'static>),
    #[response(status = 401)]
    Unproven(Json<OAuthError>, Header<'static>, Header<'static>),
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
    Ok(OAuthResponse::Refused(Json(OAuthError::new(error, description)), no_store()))
}

/// The client is unknown, or its secret is wrong or missing.
pub fn refuse_client<T>(credentials: &BasicCredentials) -> Result<OAuthResponse<T>, Failure> {
    let description = "The client is unknown, or its secret is wrong or missing.";
    if matches!(credentials, BasicCredentials::Missing) {
        return refuse("invalid_client", description);
    }
    let refusal = OAuthError::new("invalid_client", description);
    let challenge = Header::new("WWW-Authenticate", "Basic realm=\"Postly\"");
    Ok(OAuthResponse::Unproven(Json(refusal), no_store(), challenge))
}

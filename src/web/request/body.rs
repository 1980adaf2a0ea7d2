//! The body of a request: read as a whole, and part of what an Idempotency-Key stands for.

use rocket::Request;
use rocket::data::{ByteUnit, Data, FromData, Outcome, ToByteUnit};

use super::idempotency;
use super::refusal::refuse;
use crate::web::cause::{Cause, RequestError};
use crate::web::door::Door;

/// Reads a body of at most `limit`. With an Idempotency-Key, nothing is returned when the request
/// was answered before.
pub async fn read(
    request: &Request<'_>,
    data: Data<'_>,
    limit: ByteUnit,
) -> Result<Vec<u8>, Cause> {
    refuse_encoding(request)?;
    let body = data
        .open(limit)
        .into_bytes()
        .await
        .map_err(|e| RequestError::Malformed(format!("the body cannot be read: {e}")))?;
    if !body.is_complete() {
        return Err(RequestError::TooLarge.into());
    }
    idempotency::begin(request, &body).await?;
    Ok(body.into_inner())
}

/// Refuses a compressed body (RFC 9110 §8.4): reading it would be nonsense, or cost too much.
///
/// # Errors
/// `UnsupportedEncoding`.
fn refuse_encoding(request: &Request<'_>) -> Result<(), Cause> {
    let codings = request.headers().get("Content-Encoding").flat_map(|line| line.split(','));
    let mut codings = codings.map(str::trim).filter(|coding| !coding.is_empty());
    match codings.all(|coding| coding.eq_ignore_ascii_case("identity")) {
        true => Ok(()),
        false => Err(RequestError::UnsupportedEncoding.into()),
    }
}

/// The body of a POST that needs none. It belongs to every such handler of the API door: without
/// it, an Idempotency-Key has no effect.
pub struct NoBody;

#[rocket::async_trait]
impl<'r> FromData<'r> for NoBody {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        if Door::of(request) == Door::Page {
            return Outcome::Success(NoBody);
        }
        match read(request, data, 32.kibibytes()).await {
            Ok(_) => Outcome::Success(NoBody),
            Err(cause) => Outcome::Error(refuse(request, cause)),
        }
    }
}

//! Conditional requests (RFC 9110 §13).

use headers::{ETag, Header as _, HeaderValue, IfNoneMatch};
use rocket::Request;
use rocket::request::{FromRequest, Outcome};

/// The version in `If-Match` (RFC 9110 §13.1.1): changes to any other version are refused.
pub struct IfMatch(pub Option<i64>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for IfMatch {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let tags = request.headers().get("If-Match").flat_map(|line| line.split(','));
        let tags: Vec<&str> = tags.map(str::trim).filter(|tag| !tag.is_empty()).collect();
        Outcome::Success(IfMatch(match tags.as_slice() {
            [] | ["*"] => None,
            // Our tags start with the version; of several, the newest counts. Other tags match
            // nothing.
            tags => tags.iter().map(|tag| version(tag).unwrap_or(-1)).max(),
        }))
    }
}

/// The version at the start of one of our tags: `"3"`, or `"3-9f86d081884c7d65"`. A proxy that
/// compresses a response makes its tag weak, `W/"…"`; the version is nevertheless that of the post.
fn version(tag: &str) -> Option<i64> {
    tag.strip_prefix("W/")
        .unwrap_or(tag)
        .strip_prefix('"')?
        .strip_suffix('"')?
        .split('-')
        .next()?
        .parse()
        .ok()
}

/// Whether the client already has this representation (RFC 9110 §13.1.2).
pub fn is_known(request: &Request<'_>, tag: &str) -> bool {
    // What browsers send: the one tag that they were given.
    if request.headers().get_one("If-None-Match") == Some(tag) {
        return true;
    }
    let lines: Vec<HeaderValue> = request
        .headers()
        .get("If-None-Match")
        .filter_map(|line| HeaderValue::from_str(line).ok())
        .collect();
    match (IfNoneMatch::decode(&mut lines.iter()), tag.parse::<ETag>()) {
        (Ok(known), Ok(tag)) => !known.precondition_passes(&tag),
        _ => false,
    }
}

//! The headers of responses.

use serde_json::{Map, Value, json};

use crate::web::request::idempotency::REPLAYED;

/// Headers of responses: the name, whether it is always there, what it is for, an example.
const HEADERS: [(&str, bool, &str, &str); 9] = [
    (
        "ETag",
        true,
        "Identifies this representation, for `If-None-Match`; that of a post or a comment also has its \
         version, for `If-Match`. With 412, it is that of the present version.",
        "\"3-9f86d081884c7d65\"",
    ),
    (REPLAYED, false, "The answer is that to an earlier request with the same key.", "true"),
    ("Link", false, "The adjacent pages (RFC 8288).", "</api/v1/posts?before=AAY7>; rel=\"next\""),
    ("Location", true, "The path of what was created.", "/api/v1/posts/1"),
    ("RateLimit", false, "What is left, and when it is renewed, in seconds.", "\"posts\";r=0;t=9"),
    ("RateLimit-Policy", false, "The limits that concern the request.", "\"posts\";q=60;w=3600"),
    ("Retry-After", false, "Seconds to wait.", "9"),
    (
        "WWW-Authenticate",
        false,
        "How to authenticate (RFC 6750, RFC 9470).",
        "Bearer realm=\"Postly\", error=\"invalid_token\"",
    ),
    ("X-Request-Id", true, "Identifies the request in the site’s log.", "5f0c2a8e7d1b4c96"),
];

/// Headers that responses share, by name.
pub fn shared() -> Value {
    let headers = HEADERS.iter().map(|(name, required, description, example)| {
        let header = json!({
            "description": description,
            "required": required,
            "schema": { "type": "string" },
            "example": example,
        });
        ((*name).to_owned(), header)
    });
    headers.collect::<Map<_, _>>().into()
}

/// The headers of a response with this status.
pub fn of(status: &str) -> Map<String, Value> {
    let particular: &[&str] = match status {
        "201" => &["Location"],
        "401" | "403" => &["WWW-Authenticate"],
        "409" => &["Retry-After", REPLAYED],
        "412" => &["ETag"],
        "429" | "503" => &["Retry-After"],
        "400" | "404" | "413" | "415" | "422" => &[REPLAYED],
        _ => &[],
    };
    let mut headers = Map::new();
    // Whatever an action with a limit ends with, it tells what is left.
    if status.starts_with(['4', '5']) {
        refer(&mut headers, "RateLimit");
        refer(&mut headers, "RateLimit-Policy");
    }
    for name in particular.iter().chain(&["X-Request-Id"]) {
        refer(&mut headers, name);
    }
    headers
}

/// Refers to a shared header.
pub fn refer(headers: &mut Map<String, Value>, name: &str) {
    let reference = json!({ "$ref": format!("#/components/headers/{name}") });
    headers.insert(name.to_owned(), reference);
}

//! Cross-origin resource sharing (Fetch standard): scripts of other sites may use the API, if the
//! operator has named those sites. Never with cookies, which the API ignores anyway.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Header, Method, Status};
use rocket::{Request, Response};

use crate::error::Fatal;
use crate::web::door::Door;
use crate::web::public_url::PublicUrl;

/// Headers of responses that scripts may read; those that every response may show need no mention.
const EXPOSED: &str = "Link, ETag, Location, Idempotency-Replayed, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";
/// Headers that requests may have.
const ALLOWED: &str = "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match";
const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
/// Seconds for which a browser may remember the answer to a preflight: the most that Chromium does.
const MAX_AGE: &str = "7200";

/// The origins of those sites, exactly as browsers send them.
#[derive(Debug, Clone, Default)]
pub struct CorsOrigins(Vec<String>);

impl CorsOrigins {
    /// Parses origins that are separated by commas or white space.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub fn parse(text: &str) -> Result<CorsOrigins, Fatal> {
        let origins = text.split([',', ' ', '\n', '\t']).filter(|origin| !origin.is_empty());
        let origins = origins.map(|origin| match PublicUrl::parse(origin) {
            // Hosts may contain an asterisk, but nothing is matched with it.
            Ok(url) if !origin.contains('*') => Ok(url.origin().to_owned()),
            _ => Err(Fatal(format!(
                "POSTLY_CORS_ORIGINS must have origins such as https://app.example, not {origin:?}"
            ))),
        });
        origins.collect::<Result<_, _>>().map(CorsOrigins)
    }

    /// The origin of the request, if its scripts may use the API.
    fn allowed<'r>(&self, request: &'r Request<'_>) -> Option<&'r str> {
        let origin = request.headers().get_one("Origin")?;
        self.0.iter().any(|known| known == origin).then_some(origin)
    }
}

/// The origins, if this request concerns them.
fn origins<'r>(request: &'r Request<'_>) -> Option<&'r CorsOrigins> {
    let origins = request.rocket().state::<CorsOrigins>()?;
    (!origins.0.is_empty() && Door::of(request) == Door::Api).then_some(origins)
}

/// The answer to a browser that asks, before the request of a script, whether it may send it.
pub fn preflight(request: &Request<'_>) -> Option<Response<'static>> {
    let asks = request.method() == Method::Options
        && request.headers().contains("Access-Control-Request-Method");
    origins(request).filter(|_| asks)?.allowed(request)?;
    let mut response = Response::new();
    response.set_status(Status::NoContent);
    response.set_header(Header::new("Access-Control-Allow-Methods", METHODS));
    response.set_header(Header::new("Access-Control-Allow-Headers", ALLOWED));
    response.set_header(Header::new("Access-Control-Max-Age", MAX_AGE));
    Some(response)
}

/// Adds the headers to responses of the API.
pub struct Cors;

#[rocket::async_trait]
impl Fairing for Cors {
    fn info(&self) -> Info {
        Info { name: "CORS", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let Some(origins) = origins(request) else { return };
        // For whoever keeps responses: they differ by origin.
        response.adjoin_header(Header::new("Vary", "Origin"));
        if let Some(origin) = origins.allowed(request) {
            response.set_header(Header::new("Access-Control-Allow-Origin", origin.to_owned()));
            response.set_header(Header::new("Access-Control-Expose-Headers", EXPOSED));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_exact_and_mistakes_are_told() {
        let parsed = CorsOrigins::parse("https://App.example:443, http://localhost:5173").unwrap();
        assert_eq!(parsed.0, ["https://app.example", "http://localhost:5173"]);
        assert!(CorsOrigins::parse("").unwrap().0.is_empty());
        for wrong in ["*", "app.example", "https://app.example/x", "null", "https://*.example"] {
            let Err(Fatal(why)) = CorsOrigins::parse(wrong) else { panic!("{wrong}") };
            assert!(why.contains("POSTLY_CORS_ORIGINS"), "{why}");
        }
    }
}

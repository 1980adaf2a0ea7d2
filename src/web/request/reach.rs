//! How a browser reached the site, for the operator: whether its address is the configured one, and
//! whether the proxies in between are known.

use std::convert::Infallible;

use rocket::Request;
use rocket::request::{FromRequest, Outcome};
use serde::Serialize;

use super::client_address;
use crate::web::public_url::PublicUrl;

/// The way of one request.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Reach {
    /// The configured address of the site.
    #[schema(example = "https://posts.example")]
    pub public_url: String,
    /// The address that was opened, as far as the request tells.
    #[schema(example = "https://posts.example")]
    pub opened: String,
    /// Whether the two are the same: otherwise forms are refused, and links in e-mails lead elsewhere.
    pub agrees: bool,
    /// Whether the site is configured for https.
    pub https: bool,
    /// Whether the configured address is on this machine alone.
    pub local: bool,
    /// The address of a proxy that forwarded the request and is not trusted: all its clients count as
    /// one.
    pub untrusted_proxy: Option<String>,
}

impl Reach {
    fn of(request: &Request<'_>) -> Reach {
        let headers = request.headers();
        let known = request.rocket().state::<PublicUrl>();
        let public_url = known.map(|url| url.origin().to_owned()).unwrap_or_default();
        let https = known.is_some_and(PublicUrl::is_https);
        let scheme = match headers.get_one("X-Forwarded-Proto") {
            Some(scheme @ ("http" | "https")) => scheme,
            // A proxy may end TLS without saying so.
            _ if https => "https",
            _ => "http",
        };
        let host = headers.get_one("Host").unwrap_or_default();
        let opened = format!("{scheme}://{host}");
        Reach {
            agrees: known.is_some_and(|url| url.is_origin(&opened)),
            local: ["http://127.0.0.1", "http://localhost", "http://[::1]"]
                .iter()
                .any(|local| public_url.starts_with(local)),
            public_url,
            opened,
            https,
            untrusted_proxy: client_address::untrusted_proxy(request).map(|peer| peer.to_string()),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Reach {
    type Error = Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Infallible> {
        Outcome::Success(Reach::of(request))
    }
}

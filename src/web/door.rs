//! The two doors: pages for people, JSON for programs.

use rocket::Request;
use strum::IntoStaticStr;

/// The path prefix of the API door.
pub const API: &str = "/api/v1";

/// The path of the metadata of a protected resource, before the path of the resource (RFC 9728
/// §3.1).
pub const RESOURCE_METADATA: &str = "/.well-known/oauth-protected-resource";

/// The door of a request. It depends only on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum Door {
    Page,
    Api,
}

impl Door {
    pub fn of(request: &Request<'_>) -> Door {
        // Decoded and without empty segments, like Rocket's own route matching.
        match request.uri().path().segments().next() {
            Some("api") => Door::Api,
            _ => Door::Page,
        }
    }
}

/// Whether a redirect to `path` stays on this site: `//evil`, `/\evil` and `javascript:` do not.
pub fn is_local(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.contains('\\')
        && !path.chars().any(|c| c.is_control() || c.is_whitespace())
        && path.len() <= 2_000
        && path.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_site_are_local() {
        for good in ["/", "/posts/1?a=b#c", "/users/%C3%A9"] {
            assert!(is_local(good), "{good}");
        }
        for bad in
            ["", "//evil", "/\\evil", "javascript:alert(1)", "https://evil", "/a\r\nb", "/\t/evil"]
        {
            assert!(!is_local(bad), "{bad:?}");
        }
    }
}

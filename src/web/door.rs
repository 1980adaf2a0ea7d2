//! The two doors: pages for people, JSON for programs.

use rocket::Request;

/// Where the API door stands.
pub const API: &str = "/api/v1";

/// The door of a request. The path alone decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    Page,
    Api,
}

impl Door {
    pub fn of(request: &Request<'_>) -> Door {
        // Decoded and without empty segments, as Rocket itself matches routes.
        match request.uri().path().segments().next() {
            Some("api") => Door::Api,
            _ => Door::Page,
        }
    }
}

/// Whether a browser can be sent to `path` without leaving this site: `//evil`, `/\evil` and
/// `javascript:` are refused.
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

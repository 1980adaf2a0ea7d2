//! Where people reach the site.

use url::Url;

use crate::error::Fatal;

/// The site's public origin: links, cookie flags and the cross-origin check follow it.
#[derive(Debug, Clone)]
pub struct PublicUrl {
    origin: String,
    https: bool,
    /// The same loopback site under its other name, while no address is configured.
    alias: Option<String>,
}

impl PublicUrl {
    /// Reads `https://example.org` or `http://host:port`; a path, query or password is refused.
    pub fn parse(text: &str) -> Result<PublicUrl, Fatal> {
        let wrong = || {
            Fatal(format!(
                "POSTLY_PUBLIC_URL must be an origin such as https://posts.example, not {text:?}"
            ))
        };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare || !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong());
        }
        Ok(PublicUrl {
            origin: url.origin().ascii_serialization(),
            https: url.scheme() == "https",
            alias: None,
        })
    }

    /// The default: this machine alone, under either of its usual names.
    pub fn loopback(port: u16) -> PublicUrl {
        PublicUrl {
            origin: format!("http://127.0.0.1:{port}"),
            https: false,
            alias: Some(format!("http://localhost:{port}")),
        }
    }

    /// The origin as a browser writes it, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether an `Origin` header names this site.
    pub fn is_origin(&self, origin: &str) -> bool {
        origin == self.origin || self.alias.as_deref() == Some(origin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_an_origin() {
        for wrong in
            ["posts.example", "ftp://a.example", "https://a.example/x", "https://u@a.example"]
        {
            assert!(PublicUrl::parse(wrong).is_err(), "{wrong:?}");
        }
        let url = PublicUrl::parse("https://Posts.example:443/").unwrap();
        assert_eq!(url.origin(), "https://posts.example");
        assert!(url.is_https());
        assert!(!url.is_origin("http://posts.example"));
    }
}

//! The public URL of the site.

use url::Url;

use crate::error::Fatal;

/// The site's public origin: links, cookie flags and the cross-origin check depend on it.
#[derive(Debug, Clone)]
pub struct PublicUrl {
    origin: String,
    https: bool,
    /// The other name of the loopback address, when no public URL is configured.
    alias: Option<String>,
}

impl PublicUrl {
    /// Parses `https://example.org` or `http://host:port`; rejects a path, query or password.
    pub fn parse(text: &str) -> Result<PublicUrl, Fatal> {
        let wrong = || {
            // What comes before an @ may be a password.
            let given = if text.contains('@') { String::new() } else { format!(", not {text:?}") };
            Fatal(format!(
                "POSTLY_PUBLIC_URL must be an origin such as https://posts.example{given}"
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

    /// The default: the loopback address, as 127.0.0.1 or localhost.
    pub fn loopback(port: u16) -> PublicUrl {
        PublicUrl {
            origin: format!("http://127.0.0.1:{port}"),
            https: false,
            alias: Some(format!("http://localhost:{port}")),
        }
    }

    /// The origin as browsers send it, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether no public URL is configured.
    pub fn is_default(&self) -> bool {
        self.alias.is_some()
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether this is the value of an `Origin` header from this site.
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
        let secret = PublicUrl::parse("https://ann:canary@posts.example").unwrap_err();
        assert!(!secret.to_string().contains("canary"), "{secret}");
        let url = PublicUrl::parse("https://Posts.example:443/").unwrap();
        assert_eq!(url.origin(), "https://posts.example");
        assert!(url.is_https());
        assert!(!url.is_origin("http://posts.example"));
    }
}

//! Redirect URIs of applications: which ones may be registered, and which one a request may use.

use url::Url;

/// The longest redirect URI, in bytes: a request with it still fits the `next` of the log-in page.
pub const MAX_LENGTH: usize = 500;

/// The beginnings of URIs of programs that listen on the person's own device (RFC 8252 §7.3).
const LOOPBACK: [&str; 3] = ["http://127.0.0.1", "http://[::1]", "http://localhost"];

/// Whether an application may have this redirect URI: https, http on the person's own device, or a
/// scheme of its own, which must contain a dot, as in `com.example.app:/done` (RFC 8252 §7.1).
pub fn is_allowed(uri: &str) -> bool {
    let is_plain = uri.bytes().all(|b| b.is_ascii_graphic() && !br#"#"\<>^`{|}"#.contains(&b));
    let Ok(parsed) = Url::parse(uri) else { return false };
    let has_user = !parsed.username().is_empty() || parsed.password().is_some();
    // The parser also accepts other spellings.
    let begins_as_parsed = uri.starts_with(&format!("{}:", parsed.scheme()));
    if uri.len() > MAX_LENGTH || !is_plain || has_user || !begins_as_parsed {
        return false;
    }
    match parsed.scheme() {
        "https" => uri.starts_with("https://") && parsed.has_host(),
        "http" => loopback(uri).is_some(),
        other => other.contains('.'),
    }
}

/// Whether a request may use this URI: it is exactly one of those that were registered (RFC 9700
/// §2.1), but for the port of a program on the person's own device (RFC 8252 §7.3).
pub fn is_registered(registered: &[String], uri: &str) -> bool {
    registered.iter().any(|known| {
        known == uri || loopback(known).is_some_and(|known| loopback(uri) == Some(known))
    })
}

/// The host of a loopback URI, and what follows its port.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let host = LOOPBACK.into_iter().find(|host| uri.starts_with(host))?;
    let rest = &uri[host.len()..];
    let rest = match rest.strip_prefix(':') {
        Some(port) => {
            let path = port.trim_start_matches(|c: char| c.is_ascii_digit());
            port[..port.len() - path.len()].parse::<u16>().ok()?;
            path
        }
        None => rest,
    };
    // Otherwise the host is longer.
    (rest.is_empty() || rest.starts_with(['/', '?'])).then_some((host, rest))
}

/// Whether the URI leads to a program on the person's own device, by http.
pub fn is_loopback(uri: &str) -> bool {
    loopback(uri).is_some()
}

/// The URI with further parameters in its query (RFC 6749 §4.1.2).
pub fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let separator = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{separator}{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_uri_leads_to_a_server_the_device_or_an_app() {
        for good in [
            "https://app.example/callback",
            "https://app.example",
            "https://app.example:8443/callback?a=b",
            "http://127.0.0.1/callback",
            "http://127.0.0.1:5000/callback",
            "http://[::1]:5000/",
            "http://localhost:3000",
            "com.example.app:/done",
            "com.example.app://done/there",
        ] {
            assert!(is_allowed(good), "{good}");
        }
        for bad in [
            "",
            "/callback",
            "app.example/callback",
            "http://app.example/callback",
            "http://127.0.0.1.evil.example/",
            "http://127.0.0.1:99999/",
            "http://127.0.0.1:/",
            "http://localhost.evil.example/",
            "http://127.0.0.1@evil.example/",
            "https://ann:x@app.example/",
            "https://app.example/#part",
            "https:app.example",
            "HTTPS://app.example/",
            "https:\\\\app.example\\",
            "https://app.example/a b",
            "https://app.example/\u{e9}",
            "https://app.example/\"x",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp:/done",
            "urn:ietf:wg:oauth:2.0:oob",
            &format!("https://app.example/{}", "x".repeat(500)),
        ] {
            assert!(!is_allowed(bad), "{bad}");
        }
    }

    #[test]
    fn only_the_port_of_the_own_device_may_differ() {
        let registered: Vec<String> =
            ["https://app.example/cb", "http://127.0.0.1:1/cb?a=b", "http://[::1]/cb"]
                .map(str::to_owned)
                .into();
        for same in [
            "https://app.example/cb",
            "http://127.0.0.1/cb?a=b",
            "http://127.0.0.1:5000/cb?a=b",
            "http://[::1]:5000/cb",
        ] {
            assert!(is_registered(&registered, same), "{same}");
        }
        for other in [
            "https://app.example/cb/",
            "https://app.example/cb?x",
            "https://app.example:443/cb",
            "https://app.example.evil.example/cb",
            "http://app.example/cb",
            "http://127.0.0.1:5000/cb",
            "http://127.0.0.1:5000/cb?a=b&c",
            "http://localhost:5000/cb?a=b",
            "http://127.0.0.1:5000@evil.example/cb?a=b",
            "http://127.0.0.1:999999/cb?a=b",
            "",
        ] {
            assert!(!is_registered(&registered, other), "{other}");
        }
    }

    #[test]
    fn parameters_join_the_query() {
        let add = |uri| with_parameters(uri, &[("code", "a b"), ("state", "é&")]);
        assert_eq!(add("https://a.example/"), "https://a.example/?code=a+b&state=%C3%A9%26");
        assert_eq!(add("app.example:/x?"), "app.example:/x?code=a+b&state=%C3%A9%26");
        assert_eq!(
            add("https://a.example/?b=c"),
            "https://a.example/?b=c&code=a+b&state=%C3%A9%26"
        );
    }
}

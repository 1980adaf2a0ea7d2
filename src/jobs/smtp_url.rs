//! The address of the mail server in the configuration: its encryption, user and password.

use std::net::IpAddr;

use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, TlsParameters};
use percent_encoding::percent_decode_str;
use url::Url;

use super::smtp::{Encryption, SmtpServer};
use crate::error::Fatal;

impl SmtpServer {
    /// `smtp://host:25` is unencrypted, `smtp://user:password@host:587?tls=required` uses STARTTLS,
    /// `smtps://user:password@host` uses TLS from the start. `ca` is a file of certificates in PEM
    /// that are trusted instead of those of the system.
    ///
    /// # Errors
    /// One sentence for the operator. It repeats nothing from the URL: if special characters in a
    /// password are not escaped, any part may belong to the password.
    pub fn parse(text: &str, ca: Option<&[u8]>) -> Result<SmtpServer, Fatal> {
        let url = Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
        let is_implicit = match url.scheme() {
            "smtp" => false,
            "smtps" => true,
            _ => return Err(wrong("it must begin with smtp:, smtps: or file:")),
        };
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(wrong(
                "only ?tls= may follow the host and the port; write special characters in the \
                 user and the password as %XX",
            ));
        }
        let host = host(&url).ok_or_else(|| wrong("it names no host"))?;
        let tls = || parameters(&host, ca);
        let (encryption, default_port) = match (is_implicit, tls_option(&url)?) {
            (true, None | Some(TlsOption::Required)) => (Encryption::Implicit(tls()?), 465),
            (true, Some(TlsOption::Opportunistic)) => {
                return Err(wrong("smtps: always uses TLS; remove ?tls=opportunistic"));
            }
            (false, Some(TlsOption::Required)) => (Encryption::StartTls(tls()?), 587),
            (false, Some(TlsOption::Opportunistic)) => (Encryption::Opportunistic(tls()?), 587),
            (false, None) => (Encryption::None, 25),
        };
        if ca.is_some() && matches!(encryption, Encryption::None) {
            return Err(Fatal::new(
                "POSTLY_MAIL_CA is set, but POSTLY_MAIL_URL uses no TLS: add ?tls=required",
            ));
        }
        let credentials = credentials(&url)?;
        let is_protected = matches!(encryption, Encryption::StartTls(_) | Encryption::Implicit(_));
        if credentials.is_some() && !is_protected && !is_loopback(&host) {
            return Err(wrong(
                "it would send the password without encryption; add ?tls=required (STARTTLS) or \
                 begin with smtps:",
            ));
        }
        let port = url.port().unwrap_or(default_port);
        let (user, password) = credentials.unwrap_or_default();
        let credentials = (!user.is_empty()).then(|| Credentials::new(user, password.clone()));
        Ok(SmtpServer { host, port, encryption, credentials, password })
    }
}

fn wrong(why: &str) -> Fatal {
    Fatal(format!("POSTLY_MAIL_URL is invalid: {why}"))
}

enum TlsOption {
    Required,
    Opportunistic,
}

/// The only parameter. Anything else is refused: a misspelt one would turn encryption off.
fn tls_option(url: &Url) -> Result<Option<TlsOption>, Fatal> {
    match url.query() {
        None => Ok(None),
        Some("tls=required") => Ok(Some(TlsOption::Required)),
        Some("tls=opportunistic") => Ok(Some(TlsOption::Opportunistic)),
        Some(_) => Err(wrong(
            "what follows the question mark must be exactly tls=required or tls=opportunistic",
        )),
    }
}

/// The host: a name in ASCII, or an IP address without brackets.
fn host(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return Some(address.to_owned());
    }
    let name = percent_decode_str(host).decode_utf8().ok()?;
    idna::domain_to_ascii(&name).ok().filter(|name| !name.is_empty())
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The user and the password, if there are any.
fn credentials(url: &Url) -> Result<Option<(String, String)>, Fatal> {
    let password = url.password().unwrap_or_default();
    match (url.username().is_empty(), password.is_empty()) {
        (true, true) => return Ok(None),
        (false, false) => {}
        _ => return Err(wrong("it needs both a user and a password, or neither")),
    }
    let decode = |text: &str| {
        let text = percent_decode_str(text).decode_utf8();
        text.map(|text| text.into_owned()).map_err(|_| wrong("the user or password is not UTF-8"))
    };
    Ok(Some((decode(url.username())?, decode(password)?)))
}

fn parameters(host: &str, ca: Option<&[u8]>) -> Result<TlsParameters, Fatal> {
    let mut tls = TlsParameters::builder(host.to_owned());
    if let Some(pem) = ca {
        let unusable = |why: &str| Fatal(format!("POSTLY_MAIL_CA is unusable: {why}"));
        // A file without certificates is read as an empty list.
        if !pem.windows(27).any(|text| text == b"-----BEGIN CERTIFICATE-----") {
            return Err(unusable("the file contains no certificate in PEM"));
        }
        let certificates = Certificate::from_pem(pem).map_err(|e| unusable(&e.to_string()))?;
        tls = tls.certificate_store(CertificateStore::None).add_root_certificate(certificates);
    }
    tls.build().map_err(|e| wrong(&format!("TLS cannot be used: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(url: &str) -> String {
        let error = SmtpServer::parse(url, None).err();
        error.unwrap_or_else(|| panic!("accepted: {url}")).to_string()
    }

    #[test]
    fn mail_urls_are_accepted_in_the_documented_forms() {
        for (url, host, port) in [
            ("smtp://localhost:2525", "localhost", 2525),
            ("smtp://mail.example", "mail.example", 25),
            ("smtps://u:p@mail.example", "mail.example", 465),
            ("smtps://u:p@mail.example?tls=required", "mail.example", 465),
            ("smtp://u:p@mail.example?tls=required", "mail.example", 587),
            ("smtp://u:p@mail.example:587/?tls=required", "mail.example", 587),
            ("smtp://mail.example?tls=opportunistic", "mail.example", 587),
            ("smtp://u:p@localhost", "localhost", 25),
            ("smtp://u:p@127.0.0.1:25", "127.0.0.1", 25),
            ("smtp://u:p@[::1]:25", "::1", 25),
            ("smtps://bücher.example", "xn--bcher-kva.example", 465),
        ] {
            let server = SmtpServer::parse(url, None).unwrap_or_else(|e| panic!("{url}: {e}"));
            assert_eq!((server.host.as_str(), server.port), (host, port), "{url}");
        }
    }

    #[test]
    fn nothing_turns_encryption_off_by_mistake() {
        for query in [
            "TLS=required",
            "starttls=required",
            "tls=Required",
            "tls=require",
            "tls=",
            "tls",
            "tls=required&tls=opportunistic",
            "tls=required&x=1",
            "",
        ] {
            let text = error(&format!("smtp://mail.example:587?{query}"));
            assert!(text.contains("exactly tls=required or tls=opportunistic"), "{query}: {text}");
        }
        for url in [
            "smtp://u:p@mail.example",
            "smtp://u:p@mail.example?tls=opportunistic",
            "smtp://u:p@192.0.2.1",
            "smtp://u:p@localhost.example",
        ] {
            assert!(error(url).contains("without encryption"), "{url}");
        }
        assert!(error("smtps://h?tls=opportunistic").contains("smtps: always uses TLS"));
        assert!(error("smtp://u@h?tls=required").contains("both a user and a password"));
        assert!(error("smtp://:p@h?tls=required").contains("both a user and a password"));
    }

    #[test]
    fn no_error_repeats_the_password() {
        for url in [
            "http://u:canary@mail.example",
            "smtp://u:canary@mail.example",
            "smtp://u:canary@mail.example?tls=maybe",
            "smtp://u:canary@mail.example/path",
            "smtp://u:ca#canary@mail.example",
            "smtp://u:1#canary@mail.example",
            "smtp://u:1/canary@mail.example",
            "smtp://u:1?canary@mail.example",
            "smtp://u:canary@",
            "smtp://u:canary@mail.example:x",
            "smtp://u:canary%ff@mail.example?tls=required",
            "smtp:canary",
        ] {
            assert!(!error(url).contains("canary"), "{}", error(url));
        }
    }

    #[test]
    fn a_file_of_authorities_is_checked() {
        for (url, pem, expected) in [
            ("smtps://h", "nothing", "contains no certificate"),
            ("smtps://h", "-----BEGIN CERTIFICATE-----\nx\n", "POSTLY_MAIL_CA is unusable"),
            ("smtp://h", "-----BEGIN CERTIFICATE-----", "uses no TLS"),
        ] {
            let error = SmtpServer::parse(url, Some(pem.as_bytes())).err().unwrap().to_string();
            assert!(error.contains(expected), "{url} {pem}: {error}");
        }
    }
}

//! The mail server: its address and encryption, and the delivery of an e-mail to it (RFC 5321).

use std::net::IpAddr;
use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use percent_encoding::percent_decode_str;
use url::Url;

use super::failure::JobFailure;
use crate::error::{Error, Fatal};
use crate::models::base::job::LEASE;

/// How long everything up to the text of an e-mail may take.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the server may take to accept the text. Some scan it first; an e-mail that is given up
/// too early arrives twice (RFC 5321 §4.5.3.2.6).
const TEXT_TIMEOUT: Duration = Duration::from_secs(60);

/// How long the server may take to say goodbye.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);

// No other worker may take the job while this one is still sending.
const _: () = assert!(
    HANDOVER_TIMEOUT.as_secs() + TEXT_TIMEOUT.as_secs() + QUIT_TIMEOUT.as_secs() + 60
        < LEASE.as_secs()
);

/// Maximum length of a reason in characters.
const MAX_REASON_LENGTH: usize = 300;

/// A mail server.
#[derive(Clone)]
pub struct SmtpServer {
    host: String,
    port: u16,
    encryption: Encryption,
    credentials: Option<Credentials>,
    /// Removed from all messages.
    password: String,
}

#[derive(Clone)]
enum Encryption {
    None,
    /// STARTTLS if the server offers it.
    Opportunistic(TlsParameters),
    /// STARTTLS, or no delivery.
    StartTls(TlsParameters),
    /// TLS from the start.
    Implicit(TlsParameters),
}

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

    /// Delivers an e-mail to the server. `hello` is the name of this host.
    ///
    /// # Errors
    /// `Permanent` when the server refuses this e-mail for good (5xx), or cannot process its
    /// addresses; `Temporary` for everything else. No text contains an e-mail address or the
    /// password.
    pub async fn send(&self, hello: &ClientId, message: &Message) -> Result<(), JobFailure> {
        let handover = async {
            // What goes wrong before the e-mail is mentioned does not depend on it.
            let mut connection = self.connect(hello).await.map_err(|e| self.temporary(&e))?;
            self.hand_over(&mut connection, message).await?;
            Ok::<_, JobFailure>(connection)
        };
        let connection = tokio::time::timeout(HANDOVER_TIMEOUT, handover).await;
        let mut connection = connection.map_err(|_| no_response())??;
        let text = message.formatted();
        let accepted = tokio::time::timeout(TEXT_TIMEOUT, connection.message(&text)).await;
        let outcome = match accepted {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.refusal(&error)),
            Err(_) => return Err(no_response()),
        };
        let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
        outcome
    }

    async fn connect(&self, hello: &ClientId) -> Result<AsyncSmtpConnection, SmtpError> {
        let implicit = match &self.encryption {
            Encryption::Implicit(tls) => Some(tls.clone()),
            _ => None,
        };
        let address = (self.host.as_str(), self.port);
        // If the host has several addresses, one that does not answer leaves time for the next one.
        let timeout = Some(HANDOVER_TIMEOUT / 3);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, timeout, hello, implicit, None).await?;
        match &self.encryption {
            Encryption::StartTls(tls) => connection.starttls(tls.clone(), hello).await?,
            Encryption::Opportunistic(tls) if connection.can_starttls() => {
                connection.starttls(tls.clone(), hello).await?;
            }
            _ => {}
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await?;
        }
        Ok(connection)
    }

    /// Everything before the text.
    async fn hand_over(
        &self,
        connection: &mut AsyncSmtpConnection,
        message: &Message,
    ) -> Result<(), JobFailure> {
        let envelope = message.envelope();
        let refusal = |error| self.refusal(&error);
        let mut parameters = Vec::new();
        let addresses = envelope.to().iter().chain(envelope.from());
        if addresses.into_iter().any(|address| !AsRef::<str>::as_ref(address).is_ascii()) {
            let server = connection.server_info();
            if !server.supports_feature(Extension::SmtpUtfEight)
                || !server.supports_feature(Extension::EightBitMime)
            {
                return Err(JobFailure::Permanent(
                    "the mail server accepts only ASCII characters before the @ (it does not \
                     offer SMTPUTF8)"
                        .to_owned(),
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        let mail = Mail::new(envelope.from().cloned(), parameters);
        connection.command(mail).await.map_err(refusal)?;
        for recipient in envelope.to() {
            let recipient = Rcpt::new(recipient.clone(), Vec::new());
            connection.command(recipient).await.map_err(refusal)?;
        }
        connection.command(Data).await.map_err(refusal)?;
        Ok(())
    }

    /// What the server's answer to an e-mail means. A 5xx is about the e-mail (RFC 5321 §4.2.1),
    /// unless the server demands authentication (RFC 4954 §6), which the operator can mend.
    fn refusal(&self, error: &SmtpError) -> JobFailure {
        match error.status().map(u16::from) {
            Some(530 | 534 | 535 | 538) => self.temporary(error),
            Some(500..) => JobFailure::Permanent(self.reason(error)),
            _ => self.temporary(error),
        }
    }

    fn temporary(&self, error: &SmtpError) -> JobFailure {
        JobFailure::Temporary(Error::Internal(self.reason(error)))
    }

    /// The answer of the server, or the text of another error, on one line.
    fn reason(&self, error: &SmtpError) -> String {
        let text = match (error.status(), std::error::Error::source(error)) {
            (Some(code), Some(text)) => format!("the server said {code} {text}"),
            _ => error.to_string(),
        };
        let text = match self.password.as_str() {
            "" => text,
            password => text.replace(password, "…"),
        };
        let words = text.split(|c: char| c.is_whitespace() || c.is_control());
        let words = words.filter(|word| !word.is_empty());
        let words: Vec<&str> =
            words.map(|word| if word.contains('@') { "…" } else { word }).collect();
        words.join(" ").chars().take(MAX_REASON_LENGTH).collect()
    }
}

fn wrong(why: &str) -> Fatal {
    Fatal(format!("POSTLY_MAIL_URL is invalid: {why}"))
}

fn no_response() -> JobFailure {
    JobFailure::Temporary(Error::Internal("the mail server does not respond".to_owned()))
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

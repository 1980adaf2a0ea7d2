//! The delivery of an e-mail to the mail server (RFC 5321).

use std::time::Duration;

use lettre::Message;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use super::failure::JobFailure;
use crate::error::Error;
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

/// A mail server; `smtp_url` reads it from the configuration.
#[derive(Clone)]
pub struct SmtpServer {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) encryption: Encryption,
    pub(super) credentials: Option<Credentials>,
    /// Removed from all messages.
    pub(super) password: String,
}

#[derive(Clone)]
pub(super) enum Encryption {
    None,
    /// STARTTLS if the server offers it.
    Opportunistic(TlsParameters),
    /// STARTTLS, or no delivery.
    StartTls(TlsParameters),
    /// TLS from the start.
    Implicit(TlsParameters),
}

impl SmtpServer {
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

    /// Connects and logs in, without sending anything.
    ///
    /// # Errors
    /// As of `send`.
    pub async fn check(&self, hello: &ClientId) -> Result<(), JobFailure> {
        let connection = tokio::time::timeout(HANDOVER_TIMEOUT, self.connect(hello)).await;
        let mut connection =
            connection.map_err(|_| no_response())?.map_err(|e| self.temporary(&e))?;
        let _ = tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await;
        Ok(())
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

fn no_response() -> JobFailure {
    JobFailure::Temporary(Error::Internal("the mail server does not respond".to_owned()))
}

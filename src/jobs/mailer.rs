//! Renders e-mails from templates and delivers them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use rust_embed::RustEmbed;
use tera::{Context, Tera};
use url::Url;

use crate::db::create_private_folder;
use crate::error::{Error, Fatal, Result};
use crate::models::base::random;
use crate::models::mail::outbox::Email;

#[derive(RustEmbed)]
#[folder = "templates/mail/"]
struct Templates;

/// How long the mail server may take to accept one e-mail.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// How e-mails are delivered.
#[derive(Clone)]
pub enum Transport {
    /// Sent to a mail server.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    /// Written to a folder, one file each; the operator has to deliver them.
    Folder(PathBuf),
    /// Written to the log, for development.
    Log,
}

impl Transport {
    /// `smtp://host:25` is unencrypted, `smtp://user:password@host:587?tls=required` uses STARTTLS,
    /// `smtps://user:password@host` uses TLS from the start, `file:PATH` writes files.
    ///
    /// # Errors
    /// One sentence for the operator, without the password.
    pub fn parse(text: &str) -> Result<Transport, Fatal> {
        let wrong = |why: &str| Fatal(format!("POSTLY_MAIL_URL is invalid: {why}"));
        if let Some(path) = text.strip_prefix("file:") {
            return Ok(Transport::Folder(PathBuf::from(path)));
        }
        let url = Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
        if !matches!(url.scheme(), "smtp" | "smtps") {
            return Err(wrong("it must begin with smtp:, smtps: or file:"));
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(text)
            .map_err(|e| wrong(&e.to_string()))?
            .timeout(Some(SEND_TIMEOUT / 2))
            .build();
        Ok(Transport::Smtp(Box::new(transport)))
    }

    /// Whether e-mails are delivered to their recipients.
    pub fn delivers(&self) -> bool {
        matches!(self, Transport::Smtp(_))
    }
}

/// Renders e-mails and sends them.
pub struct Mailer {
    transport: Transport,
    from: Mailbox,
    /// The site's public origin: links in e-mails use the configuration, never a request header.
    origin: String,
    tera: Tera,
}

impl Mailer {
    /// # Errors
    /// One sentence for the operator when a template cannot be read.
    pub fn new(transport: Transport, from: Mailbox, origin: &str) -> Result<Mailer, Fatal> {
        let broken = |e: &dyn std::fmt::Display| Fatal(format!("mail templates: {e}"));
        let mut texts = Vec::new();
        for name in Templates::iter() {
            let file = Templates::get(&name).ok_or_else(|| broken(&name))?;
            let text = String::from_utf8(file.data.into_owned()).map_err(|e| broken(&e))?;
            texts.push((name.into_owned(), text));
        }
        let mut tera = Tera::default();
        // Tera escapes HTML in templates whose names end in .html, but not in .txt.
        tera.add_raw_templates(texts).map_err(|e| broken(&e))?;
        Ok(Mailer { transport, from, origin: origin.to_owned(), tera })
    }

    /// Sends an e-mail.
    ///
    /// # Errors
    /// `Internal`, for the log: the server is unreachable, does not respond, or rejects the e-mail.
    pub async fn send(&self, email: &Email) -> Result<()> {
        let message = self.message(email)?;
        let failed = |e: &dyn std::fmt::Display| Error::Internal(format!("mail: {e}"));
        match &self.transport {
            Transport::Smtp(transport) => {
                let sending = tokio::time::timeout(SEND_TIMEOUT, transport.send(message)).await;
                sending
                    .map_err(|_| failed(&"the server does not respond"))?
                    .map_err(|e| failed(&e))?;
            }
            Transport::Folder(folder) => {
                let name = format!("{}-{}.eml", random::id()?, email.template);
                write_file(folder, &name, &message.formatted()).map_err(|e| failed(&e))?;
                tracing::info!(folder = %folder.display(), name, "an e-mail was written to a file");
            }
            Transport::Log => {
                let text = self.render(email, "body.txt")?;
                tracing::info!(
                    to = email.recipient,
                    text,
                    "an e-mail; no mail server is configured"
                );
            }
        }
        Ok(())
    }

    fn message(&self, email: &Email) -> Result<Message> {
        let failed = |e: &dyn std::fmt::Display| Error::Internal(format!("mail: {e}"));
        let subject = self.render(email, "subject.txt")?;
        let text = self.render(email, "body.txt")?;
        let to = Mailbox::new(None, email.recipient.parse().map_err(|e| failed(&e))?);
        let domain = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject.trim())
            .message_id(Some(format!("<{}@{domain}>", random::id()?)))
            // RFC 3834: prevents automatic replies.
            .raw_header(lettre::message::header::HeaderValue::new(
                lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(text, self.render(email, "body.html")?))
            .map_err(|e| failed(&e))
    }

    fn render(&self, email: &Email, part: &str) -> Result<String> {
        let failed = |e: tera::Error| Error::Internal(format!("mail templates: {e:?}"));
        let mut context = Context::from_serialize(email).map_err(failed)?;
        context.insert("site", &self.origin);
        let link = email.path.as_ref().map(|path| format!("{}{path}", self.origin));
        context.insert("link", &link);
        self.tera.render(&format!("{}/{part}", email.template), &context).map_err(failed)
    }
}

/// Writes a file that only its owner can read: links in e-mails contain secrets.
fn write_file(folder: &std::path::Path, name: &str, text: &[u8]) -> std::io::Result<()> {
    create_private_folder(folder)?;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(folder.join(name))?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::mail::outbox::MailKind;
    use strum::IntoEnumIterator;

    fn mailer() -> Mailer {
        let from = "Postly <post@posts.example>".parse().unwrap();
        Mailer::new(Transport::Log, from, "https://posts.example").unwrap()
    }

    fn email(template: &'static str) -> Email {
        Email {
            template,
            recipient: "ann@mail.example".to_owned(),
            username: "ann".to_owned(),
            path: Some("/verify-email?token=abc".to_owned()),
            detail: "<b>new@mail.example</b>".to_owned(),
        }
    }

    #[test]
    fn every_kind_has_text_and_html_with_a_subject() {
        let mut folders: Vec<String> = Templates::iter()
            .filter_map(|name| name.split_once('/').map(|(folder, _)| folder.to_owned()))
            .collect();
        folders.sort();
        folders.dedup();
        for kind in MailKind::iter() {
            assert!(folders.iter().any(|folder| folder == <&str>::from(kind)), "{kind:?}");
        }
        for folder in folders {
            let email = email(folder.leak());
            let message = mailer().message(&email).unwrap();
            let raw = String::from_utf8(message.formatted()).unwrap();
            assert!(raw.contains("text/plain") && raw.contains("text/html"));
            let subject = mailer().render(&email, "subject.txt").unwrap();
            assert_eq!(subject.trim().lines().count(), 1, "{}", email.template);
            let text = mailer().render(&email, "body.txt").unwrap();
            let html = mailer().render(&email, "body.html").unwrap();
            assert!(text.contains("ann") && html.contains("ann"), "{}", email.template);
            assert!(html.contains(subject.trim()), "the title: {}", email.template);
            assert!(!html.contains("<b>new@"), "user input is escaped: {}", email.template);
        }
        let text = mailer().render(&email("verify"), "body.txt").unwrap();
        assert!(text.contains("https://posts.example/verify-email?token=abc"), "{text}");
    }

    #[test]
    fn mail_urls_are_checked_and_never_repeated_whole() {
        assert!(Transport::parse("smtp://localhost:2525").unwrap().delivers());
        assert!(Transport::parse("smtps://u:p@mail.example").unwrap().delivers());
        assert!(Transport::parse("smtp://u:p@mail.example:587?tls=required").is_ok());
        assert!(!Transport::parse("file:outbox").unwrap().delivers());
        for wrong in ["mail.example", "http://u:canary@mail.example", "smtp://u:canary@h?tls=maybe"]
        {
            let Err(error) = Transport::parse(wrong) else { panic!("{wrong}") };
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}

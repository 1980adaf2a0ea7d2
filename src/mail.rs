//! Mails: their text, made from templates, and the ways in which they leave.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use rust_embed::RustEmbed;
use tera::{Context, Tera};
use url::Url;

use crate::error::{Error, Result};
use crate::models::outbox::Letter;
use crate::models::secret;

#[derive(RustEmbed)]
#[folder = "templates/mail/"]
struct Templates;

/// Longest wait for the mail server to take one mail.
const PATIENCE: Duration = Duration::from_secs(30);

/// How mails leave.
#[derive(Clone)]
pub enum Route {
    /// To a mail server.
    Smtp(Box<AsyncSmtpTransport<Tokio1Executor>>),
    /// Into a folder, a file each: nobody gets them unless the operator sees to it.
    Folder(PathBuf),
    /// Into the log, for developing.
    Log,
}

impl Route {
    /// `smtp://host:25` speaks in the clear, `smtp://user:password@host:587?tls=required` begins
    /// with STARTTLS, `smtps://user:password@host` speaks TLS from the start, `file:PATH` writes
    /// files.
    ///
    /// # Errors
    /// `Internal` with one sentence for the operator, without the password.
    pub fn parse(text: &str) -> Result<Route> {
        let wrong = |why: &str| Error::Internal(format!("POSTLY_MAIL_URL is wrong: {why}"));
        if let Some(path) = text.strip_prefix("file:") {
            return Ok(Route::Folder(PathBuf::from(path)));
        }
        let url = Url::parse(text).map_err(|e| wrong(&e.to_string()))?;
        if !matches!(url.scheme(), "smtp" | "smtps") {
            return Err(wrong("it must begin with smtp:, smtps: or file:"));
        }
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(text)
            .map_err(|e| wrong(&e.to_string()))?
            .timeout(Some(PATIENCE / 2))
            .build();
        Ok(Route::Smtp(Box::new(transport)))
    }

    /// Whether mails reach people.
    pub fn reaches_people(&self) -> bool {
        matches!(self, Route::Smtp(_))
    }
}

/// Writes mails and sends them.
pub struct Mailer {
    route: Route,
    from: Mailbox,
    /// The site's public origin: links in mails follow the configuration, never a request.
    origin: String,
    tera: Tera,
}

impl Mailer {
    /// # Errors
    /// `Internal` when a template cannot be read.
    pub fn new(route: Route, from: Mailbox, origin: &str) -> Result<Mailer> {
        let broken = |e: &dyn std::fmt::Display| Error::Internal(format!("mail templates: {e}"));
        let mut texts = Vec::new();
        for name in Templates::iter() {
            let file = Templates::get(&name).ok_or_else(|| broken(&name))?;
            let text = String::from_utf8(file.data.into_owned()).map_err(|e| broken(&e))?;
            texts.push((name.into_owned(), text));
        }
        let mut tera = Tera::default();
        // Names that end in .html are escaped, those in .txt are not.
        tera.add_raw_templates(texts).map_err(|e| broken(&e))?;
        Ok(Mailer { route, from, origin: origin.to_owned(), tera })
    }

    /// Sends a letter.
    ///
    /// # Errors
    /// `Internal`, for the log: the server is away, hangs, or refuses the mail.
    pub async fn send(&self, letter: &Letter) -> Result<()> {
        let message = self.write(letter)?;
        let failed = |e: &dyn std::fmt::Display| Error::Internal(format!("mail: {e}"));
        match &self.route {
            Route::Smtp(transport) => {
                let sending = tokio::time::timeout(PATIENCE, transport.send(message)).await;
                sending.map_err(|_| failed(&"the server hangs"))?.map_err(|e| failed(&e))?;
            }
            Route::Folder(folder) => {
                let name = format!("{}-{}.eml", secret::id()?, letter.template);
                keep(folder, &name, &message.formatted()).map_err(|e| failed(&e))?;
                tracing::info!(folder = %folder.display(), name, "a mail is kept in a file");
            }
            Route::Log => {
                let text = self.render(letter, "txt")?;
                tracing::info!(to = letter.recipient, text, "a mail, since no server is set");
            }
        }
        Ok(())
    }

    fn write(&self, letter: &Letter) -> Result<Message> {
        let failed = |e: &dyn std::fmt::Display| Error::Internal(format!("mail: {e}"));
        let text = self.render(letter, "txt")?;
        // The first line of the text is the subject.
        let (subject, text) = text.split_once("\n").unwrap_or((&text, ""));
        let to = Mailbox::new(None, letter.recipient.parse().map_err(|e| failed(&e))?);
        let domain = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject)
            .message_id(Some(format!("<{}@{domain}>", secret::id()?)))
            // RFC 3834: no vacation replies, please.
            .raw_header(lettre::message::header::HeaderValue::new(
                lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(
                text.trim_start().to_owned(),
                self.render(letter, "html")?,
            ))
            .map_err(|e| failed(&e))
    }

    fn render(&self, letter: &Letter, kind: &str) -> Result<String> {
        let failed = |e: tera::Error| Error::Internal(format!("mail templates: {e:?}"));
        let mut context = Context::from_serialize(letter).map_err(failed)?;
        context.insert("site", &self.origin);
        let link = letter.path.as_ref().map(|path| format!("{}{path}", self.origin));
        context.insert("link", &link);
        self.tera.render(&format!("{}.{kind}", letter.template), &context).map_err(failed)
    }
}

/// Writes a file that nobody else may read: links in mails are secrets.
fn keep(folder: &std::path::Path, name: &str, text: &[u8]) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(folder.join(name))?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailer() -> Mailer {
        let from = "Postly <post@posts.example>".parse().unwrap();
        Mailer::new(Route::Log, from, "https://posts.example").unwrap()
    }

    fn letter(template: &'static str) -> Letter {
        Letter {
            template,
            recipient: "ann@mail.example".to_owned(),
            username: "ann".to_owned(),
            path: Some("/verify-email?token=abc".to_owned()),
            detail: "<b>new@mail.example</b>".to_owned(),
        }
    }

    #[test]
    fn every_kind_has_text_and_html_with_a_subject() {
        for template in [
            "verify",
            "taken",
            "reset",
            "email-change",
            "email-changed",
            "password-changed",
            "two-factor-on",
            "two-factor-off",
        ] {
            let message = mailer().write(&letter(template)).unwrap();
            let raw = String::from_utf8(message.formatted()).unwrap();
            assert!(
                raw.contains("Subject: ")
                    && raw.contains("text/plain")
                    && raw.contains("text/html")
            );
            let text = mailer().render(&letter(template), "txt").unwrap();
            let html = mailer().render(&letter(template), "html").unwrap();
            assert!(text.contains("ann") && html.contains("ann"), "{template}");
            assert!(!html.contains("<b>new@"), "what people type is escaped: {template}");
        }
        let text = mailer().render(&letter("verify"), "txt").unwrap();
        assert!(text.contains("https://posts.example/verify-email?token=abc"), "{text}");
    }

    #[test]
    fn mail_urls_are_checked_and_never_repeated_whole() {
        assert!(Route::parse("smtp://localhost:2525").unwrap().reaches_people());
        assert!(Route::parse("smtps://u:p@mail.example").unwrap().reaches_people());
        assert!(Route::parse("smtp://u:p@mail.example:587?tls=required").is_ok());
        assert!(!Route::parse("file:outbox").unwrap().reaches_people());
        for wrong in ["mail.example", "http://u:canary@mail.example", "smtp://u:canary@h?tls=maybe"]
        {
            let Err(error) = Route::parse(wrong) else { panic!("{wrong}") };
            assert!(!error.to_string().contains("canary"), "{error}");
        }
    }
}

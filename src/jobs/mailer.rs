//! Renders e-mails from templates and delivers them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use rust_embed::RustEmbed;
use tera::{Context, Tera};
use url::{Host, Url};

use super::failure::JobFailure;
use super::smtp::SmtpServer;
use crate::db::create_private_folder;
use crate::error::{Error, Fatal, Result};
use crate::models::base::random;
use crate::models::mail::address::with_ascii_domain;
use crate::models::mail::outbox::Email;

#[derive(RustEmbed)]
#[folder = "templates/mail/"]
struct Templates;

/// Parsed for the first e-mail: a start need not wait for them. A test renders them all.
static TERA: LazyLock<tera::Result<Tera>> = LazyLock::new(|| {
    let mut texts = Vec::new();
    for name in Templates::iter() {
        let file = Templates::get(&name).ok_or_else(|| format!("{name} disappeared"))?;
        let text = String::from_utf8(file.data.into_owned()).map_err(tera::Error::msg)?;
        texts.push((name.into_owned(), text));
    }
    let mut tera = Tera::default();
    // Tera escapes HTML in templates whose names end in .html, but not in .txt.
    tera.add_raw_templates(texts)?;
    Ok(tera)
});

/// How e-mails are delivered.
#[derive(Clone)]
pub enum Transport {
    /// Sent to a mail server.
    Smtp(Box<SmtpServer>),
    /// Written to a folder, one file each; the operator has to deliver them.
    Folder(PathBuf),
    /// Written to the log, for development.
    Log,
}

impl Transport {
    /// `file:PATH` writes files; `SmtpServer::parse` describes the other URLs and `ca`.
    ///
    /// # Errors
    /// One sentence for the operator, without the password.
    pub fn parse(text: &str, ca: Option<&[u8]>) -> Result<Transport, Fatal> {
        match text.strip_prefix("file:") {
            Some(path) => Ok(Transport::Folder(PathBuf::from(path))),
            None => Ok(Transport::Smtp(Box::new(SmtpServer::parse(text, ca)?))),
        }
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
    /// The name of this host for mail servers.
    hello: ClientId,
}

impl Mailer {
    pub fn new(transport: Transport, from: Mailbox, origin: &str) -> Mailer {
        let hello = match Url::parse(origin).ok().as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
            Some(Host::Ipv4(address)) => ClientId::Ipv4(address),
            Some(Host::Ipv6(address)) => ClientId::Ipv6(address),
            None => ClientId::default(),
        };
        let from = Mailbox::new(from.name, ascii(from.email));
        Mailer { transport, from, origin: origin.to_owned(), hello }
    }

    /// Sends an e-mail. `key` identifies it: each attempt has the same Message-ID, by which mail
    /// servers and programs recognise duplicates.
    ///
    /// # Errors
    /// `Permanent` when the mail server refuses it for good; `Temporary` for everything else.
    pub async fn send(&self, email: &Email, key: &str) -> Result<(), JobFailure> {
        let id = &random::sha256(format!("{}\n{key}", self.origin))[..32];
        let message = self.message(email, id)?;
        match &self.transport {
            Transport::Smtp(server) => server.send(&self.hello, &message).await?,
            Transport::Folder(folder) => {
                let name = format!("{id}-{}.eml", email.template);
                write_file(folder, &name, &message.formatted())
                    .map_err(|e| Error::Internal(format!("an e-mail cannot be written: {e}")))?;
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

    /// Whether the mail server can be reached; `None` without one.
    ///
    /// # Errors
    /// As of `send`.
    pub async fn check(&self) -> Option<Result<(), JobFailure>> {
        match &self.transport {
            Transport::Smtp(server) => Some(server.check(&self.hello).await),
            Transport::Folder(_) | Transport::Log => None,
        }
    }

    fn message(&self, email: &Email, id: &str) -> Result<Message> {
        let failed = |e: &dyn std::fmt::Display| Error::Internal(format!("mail: {e}"));
        let subject = self.render(email, "subject.txt")?;
        let text = self.render(email, "body.txt")?;
        let to = Mailbox::new(None, ascii(email.recipient.parse().map_err(|e| failed(&e))?));
        let domain = self.from.email.domain();
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(subject.trim())
            .message_id(Some(format!("<{id}@{domain}>")))
            // RFC 3834: prevents automatic replies.
            .raw_header(lettre::message::header::HeaderValue::new(
                lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted"),
                "auto-generated".to_owned(),
            ))
            .multipart(MultiPart::alternative_plain_html(text, self.render(email, "body.html")?))
            .map_err(|e| failed(&e))
    }

    fn render(&self, email: &Email, part: &str) -> Result<String> {
        let failed = |e: &tera::Error| Error::Internal(format!("mail templates: {e:?}"));
        let tera = TERA.as_ref().map_err(failed)?;
        let mut context = Context::from_serialize(email).map_err(|e| failed(&e))?;
        context.insert("site", &self.origin);
        let link = email.path.as_ref().map(|path| format!("{}{path}", self.origin));
        context.insert("link", &link);
        let name = format!("{}/{part}", email.template);
        tera.render(&name, &context).map_err(|e| failed(&e))
    }
}

/// The address with its domain in ASCII, which every mail server accepts.
fn ascii(address: Address) -> Address {
    with_ascii_domain(address.as_ref()).parse().unwrap_or(address)
}

/// Writes a file that only its owner can read: links in e-mails contain secrets. A file that an
/// interrupted attempt left is replaced.
fn write_file(folder: &Path, name: &str, text: &[u8]) -> std::io::Result<()> {
    create_private_folder(folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(folder.join(name))?;
    file.write_all(text)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::mail::outbox::{Addressee, MailKind};
    use strum::IntoEnumIterator;

    fn mailer() -> Mailer {
        let from = "Postly <post@posts.example>".parse().unwrap();
        Mailer::new(Transport::Log, from, "https://posts.example")
    }

    fn email(template: &'static str) -> Email {
        Email {
            template,
            recipient: "ann@mail.example".to_owned(),
            username: "ann".to_owned(),
            site_name: "Harbour".to_owned(),
            path: Some("/verify-email?token=abc".to_owned()),
            detail: "<b>new@mail.example</b>".to_owned(),
            addressee: Addressee { user_id: 1, address: "ann@mail.example".to_owned() },
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
            let message = mailer().message(&email, "id").unwrap();
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
    fn files_deliver_nothing() {
        assert!(Transport::parse("smtp://localhost:2525", None).unwrap().delivers());
        assert!(!Transport::parse("file:outbox", None).unwrap().delivers());
    }
}

//! E-mail delivery and the sender.

use std::path::Path;

use lettre::message::Mailbox;

use crate::error::Fatal;
use crate::jobs::mailer::Transport;

/// How e-mails are delivered, and their sender.
#[derive(Clone)]
pub struct MailConfig {
    pub transport: Transport,
    pub from: Mailbox,
}

impl MailConfig {
    /// Without a mail server, a debug build logs e-mails and a release build writes them to the
    /// data folder.
    pub fn parse(
        url: Option<&str>,
        from: Option<&str>,
        ca: Option<&Path>,
        data_dir: &Path,
    ) -> Result<MailConfig, Fatal> {
        let ca = ca.map(|file| {
            let unreadable = |e| Fatal(format!("POSTLY_MAIL_CA: {}: {e}", file.display()));
            std::fs::read(file).map_err(unreadable)
        });
        let transport = match url {
            Some(url) => Transport::parse(url, ca.transpose()?.as_deref())?,
            None if cfg!(debug_assertions) => Transport::Log,
            None => Transport::Folder(data_dir.join("outbox")),
        };
        let from = match from {
            Some(from) => from,
            None if transport.delivers() => {
                return Err(Fatal::new(
                    "POSTLY_MAIL_FROM must name the sender, such as Postly <post@posts.example>",
                ));
            }
            None => "Postly <postly@localhost>",
        };
        let from = from
            .parse()
            .map_err(|e| Fatal(format!("POSTLY_MAIL_FROM must be an e-mail address: {e}")))?;
        Ok(MailConfig { transport, from })
    }
}

//! E-mail: queued e-mails, and the links in them.

pub mod address;
pub mod email_link;
pub mod outbox;

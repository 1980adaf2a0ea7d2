//! Mail: what is to be sent to whom, and the links in it.

pub mod email_link;
pub mod outbox;

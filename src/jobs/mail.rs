//! The job that sends a queued e-mail.

use super::job::{Context, Job};
use crate::error::Result;
use crate::models::mail::outbox::{self, QueuedEmail};

impl Job for QueuedEmail {
    const NAME: &'static str = outbox::JOB;

    async fn run(self, context: Context) -> Result<()> {
        match outbox::compose(&context.site.db, &self).await? {
            Some(email) => context.mailer.send(&email).await,
            None => Ok(()),
        }
    }
}

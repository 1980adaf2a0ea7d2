//! The job that sends a queued e-mail.

use super::failure::JobFailure;
use super::job::{Context, Job};
use crate::models::base::job::{self, ClaimedJob};
use crate::models::mail::outbox::{self, QueuedEmail};

impl Job for QueuedEmail {
    const NAME: &'static str = outbox::JOB;
    const AT_ONCE: usize = 8;

    async fn run(self, context: Context, job: ClaimedJob) -> Result<(), JobFailure> {
        let site = &context.site;
        let Some(email) = outbox::compose(site, &job, &self).await? else { return Ok(()) };
        job::renew(&site.db, &job).await?;
        let outcome = context.mailer.send(&email, &job.key()).await;
        let told = match &outcome {
            Ok(()) => {
                // It must not be sent again because of this.
                if let Err(error) = outbox::accepted(site, &email.addressee).await {
                    tracing::warn!(%error, "an old note about an e-mail is still there");
                }
                "accepted"
            }
            Err(JobFailure::Permanent(reason)) => {
                outbox::refused(site, &email.addressee, reason).await?;
                "refused"
            }
            Err(JobFailure::Temporary(error)) if job.attempts >= Self::MAX_ATTEMPTS => {
                outbox::refused(site, &email.addressee, &error.to_string()).await?;
                "refused"
            }
            Err(JobFailure::Temporary(_)) => "retried",
        };
        site.metrics.mail(email.template, told);
        outcome
    }
}

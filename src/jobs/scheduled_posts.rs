//! The job that publishes what was planned for later.

use std::time::Duration;

use super::failure::JobFailure;
use super::job::{Context, Job};
use crate::models::base::job::ClaimedJob;
use crate::models::posts::schedule::{self, ScheduledPosts};

impl Job for ScheduledPosts {
    const NAME: &'static str = schedule::JOB;
    // Readers wait for what was planned. Each post is published in a transaction of its own, by whoever comes
    // first, so that nothing is done twice if a worker was only slow.
    const LEASE: Duration = Duration::from_secs(15);
    const EVERY: Option<Duration> = Some(Duration::from_secs(10 * 60));

    async fn run(self, context: Context, _: ClaimedJob) -> Result<(), JobFailure> {
        schedule::publish_due(&context.site).await?;
        Ok(())
    }
}

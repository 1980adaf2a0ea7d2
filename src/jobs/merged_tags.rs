//! The job that gives posts the tags into which theirs were merged.

use std::time::Duration;

use super::failure::JobFailure;
use super::job::{Context, Job};
use crate::db::Step;
use crate::models::base::job::ClaimedJob;
use crate::models::posts::tag_merge::{self, MergedTags};

impl Job for MergedTags {
    const NAME: &'static str = tag_merge::JOB;
    const EVERY: Option<Duration> = Some(Duration::from_secs(60 * 60));

    async fn run(self, context: Context, _: ClaimedJob) -> Result<(), JobFailure> {
        while tag_merge::move_posts(&context.site.db).await? == Step::Continue {}
        Ok(())
    }
}

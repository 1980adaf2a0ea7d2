//! Indexes posts and comments anew when the language of the site has changed, and what an older instance
//! wrote without indexing it.

use std::time::Duration;

use serde::Deserialize;

use super::failure::JobFailure;
use super::job::{Context, Job};
use crate::models::base::job::ClaimedJob;
use crate::models::posts::word_index;

#[derive(Deserialize)]
pub struct SearchIndex;

impl Job for SearchIndex {
    const NAME: &'static str = word_index::JOB;
    const EVERY: Option<Duration> = Some(Duration::from_secs(60 * 60));

    async fn run(self, context: Context, claimed: ClaimedJob) -> Result<(), JobFailure> {
        let db = &context.site.db;
        // The setting may have changed in another instance.
        context.site.settings.refresh(db).await?;
        word_index::refresh(&context.site, &claimed).await?;
        Ok(())
    }
}

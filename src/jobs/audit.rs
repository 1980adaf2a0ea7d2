//! Seals and deletes audit events that are older than the operator wants to keep.

use std::time::Duration;

use serde::Deserialize;

use super::failure::JobFailure;
use super::job::{Context, Job};
use crate::db::now;
use crate::models::audit::retention;
use crate::models::base::job::ClaimedJob;

#[derive(Deserialize)]
pub struct AuditRetention;

impl Job for AuditRetention {
    const NAME: &'static str = "audit-retention";
    const EVERY: Option<Duration> = Some(Duration::from_secs(24 * 60 * 60));

    async fn run(self, context: Context, _: ClaimedJob) -> Result<(), JobFailure> {
        let Some(days) = context.site.rules.audit_retention_days else { return Ok(()) };
        let cutoff = now() - chrono::Duration::days(days.into());
        let deleted = retention::enforce(&context.site, cutoff).await?;
        if deleted > 0 {
            tracing::info!(deleted, "old audit events were sealed and deleted");
        }
        Ok(())
    }
}

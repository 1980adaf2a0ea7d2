//! Deletes expired data: sessions with their tokens, links, pending log-ins, authorization codes,
//! kept forms, rate limits, answers kept for retries, finished jobs, share links; and tags and series that no post has any more.

use std::time::Duration;

use serde::Deserialize;

use super::failure::JobFailure;
use super::job::{Context, Job};
use crate::models::accounts::{authorization_code, kept_form, login_challenge, session};
use crate::models::base::job::{self, ClaimedJob};
use crate::models::base::{idempotency, rate_limit};
use crate::models::mail::email_link;
use crate::models::posts::{series_assignment, share_link, tag};

#[derive(Deserialize)]
pub struct Sweep;

impl Job for Sweep {
    const NAME: &'static str = "sweep";
    const EVERY: Option<Duration> = Some(Duration::from_secs(15 * 60));

    async fn run(self, context: Context, _: ClaimedJob) -> Result<(), JobFailure> {
        let db = &context.site.db;
        // One transaction each, so that no table is locked while another one is swept.
        macro_rules! sweep {
            ($($what:path),+) => {
                $({
                    let mut tx = db.begin().await?.without_time_limit().await?;
                    $what(&mut tx).await?;
                    tx.commit().await?;
                })+
            };
        }
        sweep!(
            session::sweep,
            email_link::sweep,
            login_challenge::sweep,
            authorization_code::sweep,
            kept_form::sweep,
            rate_limit::sweep,
            idempotency::sweep,
            job::sweep,
            tag::sweep,
            share_link::sweep
        );
        series_assignment::sweep(db).await?;
        Ok(())
    }
}

//! How busy the site is, for the metrics; each number costs a bounded amount of work.

use chrono::{DateTime, Duration, Utc};

use crate::db::{Db, now, sql};
use crate::error::Result;
use crate::models::base::metrics::Census;

/// How many jobs are counted.
const JOBS: i64 = 10_000;

/// How many sessions are counted.
const SESSIONS: i64 = 100_000;

/// Counts the jobs that are due, and the sessions in use.
pub async fn take(db: &Db) -> Result<Census> {
    let at = now();
    let jobs_due = sql("SELECT count(*) FROM (SELECT id FROM jobs \
         WHERE finished_at IS NULL AND run_at <= $1 LIMIT $2) AS due")
    .bind(at)
    .bind(JOBS)
    .scalar(db)
    .await?;
    let first: Option<DateTime<Utc>> = sql("SELECT run_at FROM jobs \
         WHERE finished_at IS NULL AND run_at <= $1 ORDER BY run_at, id LIMIT 1")
    .bind(at)
    .optional_scalar(db)
    .await?;
    let sessions = sql("SELECT count(*) FROM (SELECT 1 FROM sessions \
         WHERE last_used_at > $1 LIMIT $2) AS used")
    .bind(at - Duration::hours(24))
    .bind(SESSIONS)
    .scalar(db)
    .await?;
    let oldest_due = first.map_or(0, |first| (at - first).num_seconds().max(0));
    Ok(Census { jobs_due, oldest_due, sessions })
}

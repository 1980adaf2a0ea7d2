//! The job queue: work to be done after a transaction is a row that is written in the transaction.
//! `crate::jobs` runs the jobs.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Conn, Db, Tx, now, sql};
use crate::error::{Error, Result};

/// How long a worker's claim on a job lasts, unless its kind says otherwise. If the worker dies, another one
/// takes the job then.
pub const LEASE: std::time::Duration = std::time::Duration::from_secs(180);

/// A kind of job that a worker would take, and how long its claim lasts.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub kind: &'a str,
    pub lease: std::time::Duration,
}

/// How long jobs are kept after they succeeded, or failed for the last time.
fn retention() -> (Duration, Duration) {
    (Duration::days(1), Duration::days(30))
}

/// Adds a job, to be run as soon as the transaction is committed. The payload is JSON; it must not
/// contain secrets. Only a few jobs of the same lane run at the same time.
pub async fn enqueue(
    tx: &mut Tx,
    kind: &str,
    lane: Option<&str>,
    payload: &impl Serialize,
) -> Result<()> {
    let at = now();
    insert(tx, kind, lane, payload, at, at).await
}

/// Adds a job that runs at a time to come.
pub async fn enqueue_at(
    tx: &mut Tx,
    kind: &str,
    at: DateTime<Utc>,
    payload: &impl Serialize,
) -> Result<()> {
    insert(tx, kind, None, payload, now(), at).await
}

async fn insert(
    tx: &mut Tx,
    kind: &str,
    lane: Option<&str>,
    payload: &impl Serialize,
    created_at: DateTime<Utc>,
    run_at: DateTime<Utc>,
) -> Result<()> {
    let payload = serde_json::to_string(payload)
        .map_err(|e| Error::Internal(format!("the payload of a job: {e}")))?;
    sql("INSERT INTO jobs (kind, lane, payload, created_at, run_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(kind)
        .bind(lane.map(str::to_owned))
        .bind(payload)
        .bind(created_at)
        .bind(run_at)
        .execute(tx)
        .await?;
    Ok(())
}

/// Adds a job without a payload to run after `delay`, unless one of its kind is already waiting.
pub async fn schedule<'c>(conn: impl Into<Conn<'c>>, kind: &str, delay: Duration) -> Result<()> {
    let at = now();
    sql("INSERT INTO jobs (kind, unique_key, payload, created_at, run_at) \
         VALUES ($1, $1, 'null', $2, $3) \
         ON CONFLICT (unique_key) WHERE finished_at IS NULL DO NOTHING")
    .bind(kind)
    .bind(at)
    .bind(at + delay)
    .execute(conn)
    .await?;
    Ok(())
}

/// A job that this worker has claimed.
#[derive(Debug, Clone, FromRow)]
pub struct ClaimedJob {
    pub id: i64,
    pub kind: String,
    pub lane: Option<String>,
    pub payload: String,
    /// The number of attempts, including this one.
    pub attempts: i64,
    pub created_at: DateTime<Utc>,
}

impl ClaimedJob {
    /// The same for each attempt, and never the same for another job: an id can be issued again
    /// after an older backup was restored.
    pub fn key(&self) -> String {
        format!("{}/{}", self.id, self.created_at.timestamp_micros())
    }
}

/// Claims the next job of these kinds that is due and in none of these lanes; `None` when there is
/// none.
pub async fn claim(
    db: &Db,
    wanted: &[Wanted<'_>],
    full_lanes: &[&str],
) -> Result<Option<ClaimedJob>> {
    loop {
        let at = now();
        // Looked up on a reader, which is cheap: usually there is nothing to do.
        let due: Option<(i64, String)> = sql("SELECT id, kind FROM jobs WHERE finished_at IS NULL")
            .push_bind(" AND run_at <= ", at)
            .push_bind(" AND (claimed_until IS NULL OR claimed_until <= ", at)
            .push_list(") AND kind IN ", wanted.iter().map(|wanted| wanted.kind))
            .push_list(" AND (lane IN ", full_lanes.iter().copied())
            .push(") IS NOT TRUE ORDER BY run_at, id LIMIT 1")
            .optional(db)
            .await?;
        let Some((id, kind)) = due else { return Ok(None) };
        let lease = wanted.iter().find(|wanted| wanted.kind == kind).map_or(LEASE, |it| it.lease);
        // Atomic: of two workers that found the same job, only one gets it.
        let claimed = sql("UPDATE jobs SET attempts = attempts + 1, claimed_until = $1 \
             WHERE id = $2 AND finished_at IS NULL AND run_at <= $3 \
             AND (claimed_until IS NULL OR claimed_until <= $3) \
             RETURNING id, kind, lane, payload, attempts, created_at")
        .bind(at + lease)
        .bind(id)
        .bind(at)
        .optional(db.writer())
        .await?;
        if claimed.is_some() {
            return Ok(claimed);
        }
    }
}

/// Extends the claim, immediately before work that two workers must not do at the same time.
///
/// # Errors
/// `Internal` when the claim has expired: another worker may have the job.
pub async fn renew(db: &Db, job: &ClaimedJob) -> Result<()> {
    let at = now();
    let renewed = sql("UPDATE jobs SET claimed_until = $1 WHERE id = $2 AND attempts = $3 \
         AND finished_at IS NULL AND claimed_until > $4")
    .bind(at + LEASE)
    .bind(job.id)
    .bind(job.attempts)
    .bind(at)
    .execute(db.writer())
    .await?;
    match renewed {
        0 => Err(Error::Internal("the claim expired before the work began".to_owned())),
        _ => Ok(()),
    }
}

/// The job succeeded.
pub async fn complete(db: &Db, job: &ClaimedJob) -> Result<()> {
    // Unless the claim expired and another worker has claimed the job in the meantime.
    sql("UPDATE jobs SET finished_at = $1, claimed_until = NULL \
         WHERE id = $2 AND attempts = $3 AND finished_at IS NULL")
    .bind(now())
    .bind(job.id)
    .bind(job.attempts)
    .execute(db.writer())
    .await?;
    Ok(())
}

/// The job failed: it is retried later, or given up after `max_attempts`. Returns whether it will
/// be retried.
pub async fn fail(db: &Db, job: &ClaimedJob, max_attempts: i64, error: &str) -> Result<bool> {
    let at = now();
    let retry = job.attempts < max_attempts;
    sql("UPDATE jobs SET run_at = $1, claimed_until = NULL, last_error = $2, failed = $3, \
         finished_at = $4 WHERE id = $5 AND attempts = $6 AND finished_at IS NULL")
    .bind(at + back_off(job.attempts))
    .bind(error.chars().take(1_000).collect::<String>())
    .bind(!retry)
    .bind((!retry).then_some(at))
    .bind(job.id)
    .bind(job.attempts)
    .execute(db.writer())
    .await?;
    Ok(retry)
}

/// One minute, doubling each time up to an hour.
fn back_off(attempt: i64) -> Duration {
    Duration::minutes(1 << (attempt - 1).clamp(0, 6)).min(Duration::hours(1))
}

/// How many jobs of a kind are waiting or running; for tests.
pub async fn pending(db: &Db, kind: &str) -> Result<i64> {
    sql("SELECT count(*) FROM jobs WHERE finished_at IS NULL AND kind = $1")
        .bind(kind)
        .scalar(db)
        .await
}

/// Deletes jobs that finished or failed some time ago; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    let (succeeded, failed) = retention();
    let at = now();
    sql("DELETE FROM jobs WHERE finished_at <= $1 AND (NOT failed OR finished_at <= $2)")
        .bind(at - succeeded)
        .bind(at - failed)
        .execute(tx)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_grows_to_an_hour() {
        let minutes: Vec<i64> = (1..=9).map(|n| back_off(n).num_minutes()).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }
}

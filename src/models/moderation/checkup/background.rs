//! Checks of what happens in the background: the queue of jobs, and the clocks.

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;

use super::finding::{Diagnosis, Finding};
use crate::db::{Db, now, shared_now, sql};
use crate::error::Result;

/// How long a job may be due before something is wrong with the workers.
const LATE: Duration = Duration::minutes(15);

/// By how much the clocks of this machine and of the database may differ.
const CLOCK_DIFFERENCE: Duration = Duration::seconds(2);

/// By how much an event may lie in the future.
const FUTURE: Duration = Duration::seconds(60);

#[derive(FromRow)]
struct JobRow {
    kind: String,
    run_at: DateTime<Utc>,
    last_error: Option<String>,
}

/// Whether jobs wait for too long, and which were given up in the last day.
pub async fn queue(db: &Db) -> Result<Finding> {
    let at = now();
    let late: Vec<JobRow> = sql("SELECT kind, run_at, last_error FROM jobs \
         WHERE finished_at IS NULL AND run_at < $1 ORDER BY run_at, id LIMIT 10")
    .bind(at - LATE)
    .all(db)
    .await?;
    if !late.is_empty() {
        let since = |job: &JobRow| format!("{}: due since {}", job.kind, seconds(job.run_at));
        return Ok(Finding::about(Diagnosis::QueueLate, late.iter().map(since)));
    }
    let failed: Vec<JobRow> = sql("SELECT kind, run_at, last_error FROM (\
         SELECT id, kind, finished_at AS run_at, last_error, failed FROM jobs \
         WHERE finished_at > $1 ORDER BY finished_at DESC LIMIT 10000) AS recent \
         WHERE failed ORDER BY run_at DESC, id DESC LIMIT 10")
    .bind(at - Duration::days(1))
    .all(db)
    .await?;
    if failed.is_empty() {
        return Ok(Finding::new(Diagnosis::QueueOk));
    }
    let why = |job: &JobRow| {
        let error = job.last_error.as_deref().unwrap_or("no reason");
        format!("{}, {}: {error}", job.kind, seconds(job.run_at))
    };
    Ok(Finding::about(Diagnosis::QueueFailures, failed.iter().map(why)))
}

fn seconds(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// Whether the clocks of this machine and of the database agree, and go on from where they were.
pub async fn clock(db: &Db) -> Result<Finding> {
    let before = now();
    let shared = shared_now(db).await?;
    let after = now();
    let difference = match () {
        () if shared < before => before - shared,
        () if shared > after => shared - after,
        () => Duration::zero(),
    };
    if difference > CLOCK_DIFFERENCE {
        let detail = format!("{} seconds", difference.num_seconds());
        return Ok(Finding::about(Diagnosis::ClockDiffers, [detail]));
    }
    let last: Option<DateTime<Utc>> =
        sql("SELECT at FROM audit_events ORDER BY id DESC LIMIT 1").optional_scalar(db).await?;
    Ok(match last {
        Some(last) if last > after + FUTURE => {
            Finding::about(Diagnosis::ClockSetBack, [seconds(last)])
        }
        _ => Finding::new(Diagnosis::ClockOk),
    })
}

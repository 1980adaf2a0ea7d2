//! The examination of a site: what may be wrong, and the latest report. `crate::jobs::checkup`
//! carries it out, for `postly doctor` and for admins.

mod background;
pub mod counters;
mod finding;

use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

pub use self::background::{clock, queue};
pub use self::finding::{Diagnosis, Finding, Severity, worst};
use crate::db::{Db, now, sql};
use crate::error::{Error, Result};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::job;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;

/// The kind of job that examines the site.
pub const JOB: &str = "checkup";

const REQUESTED: EventKind = EventKind("checkup.requested");

/// A finding as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    diagnosis: String,
    details: Vec<String>,
}

/// The latest report.
#[derive(Debug)]
pub struct Report {
    /// When an admin last asked for one.
    pub requested_at: DateTime<Utc>,
    /// When the latest one was finished.
    pub finished_at: Option<DateTime<Utc>>,
    pub findings: Vec<Finding>,
}

#[derive(FromRow)]
struct ReportRow {
    requested_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    findings: String,
}

/// The latest report; `None` if there was never one.
pub async fn latest(site: &Site, _: &Admin) -> Result<Option<Report>> {
    let row: Option<ReportRow> =
        sql("SELECT requested_at, finished_at, findings FROM checkups").optional(&site.db).await?;
    let Some(row) = row else { return Ok(None) };
    let stored: Vec<Stored> = serde_json::from_str(&row.findings)
        .map_err(|e| Error::Internal(format!("the stored report: {e}")))?;
    // One that only a newer version knows is left out.
    let known = |stored: Stored| {
        let diagnosis = Diagnosis::from_str(&stored.diagnosis).ok()?;
        Some(Finding { diagnosis, details: stored.details })
    };
    Ok(Some(Report {
        requested_at: row.requested_at,
        finished_at: row.finished_at,
        findings: stored.into_iter().filter_map(known).collect(),
    }))
}

/// Queues an examination, unless one is waiting already.
///
/// # Errors
/// `TooManyRequests`.
pub async fn request(site: &Site, _: &Admin, actor: &Actor) -> Result<()> {
    let budget = Budget::new(site.limits.checkups, &actor.user.id.to_string());
    rate_limit::check(&site.db, &actor.caller, &budget).await?;
    let mut tx = site.db.begin().await?;
    rate_limit::charge(&mut tx, &actor.caller, &budget).await?;
    sql("INSERT INTO checkups (one, requested_at, findings) VALUES (1, $1, '[]') \
         ON CONFLICT (one) DO UPDATE SET requested_at = excluded.requested_at")
    .bind(now())
    .execute(&mut tx)
    .await?;
    job::schedule(&mut tx, JOB, chrono::Duration::zero()).await?;
    AuditEvent::own(REQUESTED, &actor.user).write(&mut tx, &actor.caller).await?;
    tx.commit().await
}

/// Stores the report of an examination.
pub async fn store(db: &Db, findings: &[Finding]) -> Result<()> {
    let stored: Vec<Stored> = findings
        .iter()
        .map(|finding| Stored {
            diagnosis: <&str>::from(finding.diagnosis).to_owned(),
            details: finding.details.clone(),
        })
        .collect();
    let text =
        serde_json::to_string(&stored).map_err(|e| Error::Internal(format!("the report: {e}")))?;
    sql("INSERT INTO checkups (one, requested_at, finished_at, findings) VALUES (1, $1, $1, $2) \
         ON CONFLICT (one) DO UPDATE SET finished_at = excluded.finished_at, \
         findings = excluded.findings")
    .bind(now())
    .bind(text)
    .execute(db.writer())
    .await?;
    Ok(())
}

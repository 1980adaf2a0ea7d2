//! Retention: audit events that are old enough are sealed and deleted.

use chrono::{DateTime, Utc};

use super::chain::{self, Checkpoint};
use super::seal;
use crate::db::{Db, Lock, now, sql};
use crate::error::{AuditFault, Error, Result};
use crate::models::base::site::Site;

/// Events per transaction, so that the database is free for others in between.
const BATCH: i64 = 1_000;

/// Verifies the log, seals the events from before `cutoff`, and deletes them. Returns how many were
/// deleted. It may run on several instances at once, and be interrupted.
///
/// # Errors
/// `AuditBroken`: what was tampered with is not deleted.
pub async fn enforce(site: &Site, cutoff: DateTime<Utc>) -> Result<u64> {
    if let Some(last) = last_before(&site.db, cutoff).await? {
        let seals = seal::all(&site.db).await?;
        match seal::check(&site.keys, &seals) {
            Err(Error::AuditBroken(AuditFault::UnknownKey { id, key })) => {
                // Personal data must not be kept for ever because a key was lost.
                tracing::warn!(id, key, "the last seal of the audit log cannot be checked");
            }
            other => other?,
        }
        let start = seals.last().map_or(Checkpoint { id: 0, hash: String::new() }, |seal| {
            Checkpoint { id: seal.event_id, hash: seal.hash.clone() }
        });
        let sealed = start.id;
        if last.id > sealed {
            chain::walk(&site.db, start).await?;
            let mut tx = site.db.begin().await?;
            tx.lock(Lock::AuditSeals).await?;
            // Unless another instance was faster.
            if seal::last_id(&mut tx).await? == sealed {
                seal::create(&mut tx, &site.keys, &seals, last.id, last.hash).await?;
                tx.commit().await?;
            }
        }
    }
    prune(&site.db).await
}

/// The last event of the sequence that lies before `cutoff` as a whole. A time in the future, from
/// a clock that was wrong, does not keep the events behind it for ever.
async fn last_before(db: &Db, cutoff: DateTime<Utc>) -> Result<Option<Checkpoint>> {
    let kept: Option<i64> =
        sql("SELECT id FROM audit_events WHERE at >= $1 AND at <= $2 ORDER BY id LIMIT 1")
            .bind(cutoff)
            .bind(now())
            .optional_scalar(db)
            .await?;
    let last: Option<(i64, String)> = sql("SELECT id, hash FROM audit_events")
        .push_bind(" WHERE id < ", kept.unwrap_or(i64::MAX))
        .push(" ORDER BY id DESC LIMIT 1")
        .optional(db)
        .await?;
    Ok(last.map(|(id, hash)| Checkpoint { id, hash }))
}

/// Deletes what is sealed.
async fn prune(db: &Db) -> Result<u64> {
    let sealed = seal::last_id(db).await?;
    let mut deleted = 0;
    loop {
        let first: Option<i64> =
            sql("SELECT id FROM audit_events WHERE id <= $1 ORDER BY id LIMIT 1")
                .bind(sealed)
                .optional_scalar(db)
                .await?;
        let Some(first) = first else { return Ok(deleted) };
        let last = sealed.min(first + BATCH - 1);
        let mut tx = db.begin().await?;
        sql("DELETE FROM audit_people WHERE event_id <= $1").bind(last).execute(&mut tx).await?;
        deleted +=
            sql("DELETE FROM audit_events WHERE id <= $1").bind(last).execute(&mut tx).await?;
        tx.commit().await?;
    }
}

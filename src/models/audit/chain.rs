//! The chain of audit events: each has a hash of itself and the previous hash, so that a changed or
//! missing event is detected. `verify` also checks what the events say about people.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use super::seal;
use crate::db::{Db, sql};
use crate::error::{AuditFault, Error, Result};
use crate::models::base::random;
use crate::models::base::site::Site;

/// The kind of the event that erases what the log says about an account, as in `EventKind`.
const DELETION: &str = "user.deleted";

/// Rows per query.
const BATCH: i64 = 1_000;

/// An event as it is stored.
#[derive(Debug, FromRow)]
pub struct EventRow {
    pub id: i64,
    pub at: DateTime<Utc>,
    pub kind: String,
    pub actor_id: Option<i64>,
    /// Names, address and user agent stand in `audit_people`, except those of events from before
    /// migration 9, which have no digests.
    pub actor: Option<String>,
    pub subject_id: Option<i64>,
    pub subject: Option<String>,
    pub address: String,
    pub user_agent: String,
    pub request_id: String,
    pub detail: String,
    pub actor_digest: Option<String>,
    pub subject_digest: Option<String>,
    pub hash: String,
}

impl EventRow {
    /// SHA-256 over the previous hash and every column, as one JSON array: no two rows serialise
    /// alike. Rows without digests have the shorter array of their time.
    pub fn hash_after(&self, previous: &str) -> String {
        let mut text = serde_json::json!([
            previous,
            self.id,
            self.at.timestamp_micros(),
            self.kind,
            self.actor_id,
            self.actor,
            self.subject_id,
            self.subject,
            self.address,
            self.user_agent,
            self.request_id,
            self.detail,
        ]);
        if let (Some(actor), Some(columns)) = (&self.actor_digest, text.as_array_mut()) {
            columns.push(actor.as_str().into());
            columns.push(self.subject_digest.as_deref().into());
        }
        random::sha256(text.to_string())
    }
}

/// What an event says about a person: a row of `audit_people`.
#[derive(Debug)]
pub struct PersonDetails {
    pub user_id: Option<i64>,
    pub salt: String,
    pub name: Option<String>,
    pub address: Option<String>,
    pub user_agent: Option<String>,
}

impl PersonDetails {
    /// SHA-256 over every column; the salt is random, so that nothing can be guessed from it.
    pub fn digest(&self) -> String {
        let text =
            serde_json::json!([self.salt, self.user_id, self.name, self.address, self.user_agent]);
        random::sha256(text.to_string())
    }
}

/// An event with both of its people.
#[derive(FromRow)]
struct WholeEvent {
    #[sqlx(flatten)]
    event: EventRow,
    actor_salt: Option<String>,
    actor_user_id: Option<i64>,
    actor_name: Option<String>,
    actor_address: Option<String>,
    actor_user_agent: Option<String>,
    subject_salt: Option<String>,
    subject_user_id: Option<i64>,
    subject_name: Option<String>,
    subject_address: Option<String>,
    subject_user_agent: Option<String>,
}

const WHOLE: &str = "SELECT e.id, e.at, e.kind, e.actor_id, e.actor, e.subject_id, e.subject, \
    e.address, e.user_agent, e.request_id, e.detail, e.actor_digest, e.subject_digest, e.hash, \
    a.salt AS actor_salt, a.user_id AS actor_user_id, a.name AS actor_name, \
    a.address AS actor_address, a.user_agent AS actor_user_agent, \
    s.salt AS subject_salt, s.user_id AS subject_user_id, s.name AS subject_name, \
    s.address AS subject_address, s.user_agent AS subject_user_agent \
    FROM audit_events e \
    LEFT JOIN audit_people a ON a.event_id = e.id AND a.part = 'actor' \
    LEFT JOIN audit_people s ON s.event_id = e.id AND s.part = 'subject'";

/// An event of an intact chain, usually its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The id of the event; ids count from 1 without gaps.
    pub id: i64,
    /// Its hash; empty when there is none.
    pub hash: String,
}

impl std::str::FromStr for Checkpoint {
    type Err = ();

    /// Parses `NUMBER:HASH`.
    fn from_str(text: &str) -> std::result::Result<Checkpoint, ()> {
        let (id, hash) = text.split_once(':').ok_or(())?;
        Ok(Checkpoint { id: id.parse().map_err(|_| ())?, hash: hash.to_owned() })
    }
}

/// The result of verifying an intact log.
#[derive(Debug, PartialEq, Eq)]
pub struct Verification {
    pub end: Checkpoint,
    /// The last sealed event; 0 when there is none.
    pub sealed: i64,
    /// How many events had details that were erased with an account.
    pub erased: i64,
}

/// Verifies the seals, and the whole chain from the last seal on.
///
/// # Errors
/// `AuditBroken`, naming the first event that was changed or is missing.
pub async fn verify(site: &Site) -> Result<Verification> {
    loop {
        let seals = seal::all(&site.db).await?;
        seal::check(&site.keys, &seals)?;
        let start = seals.last().map_or(Checkpoint { id: 0, hash: String::new() }, |seal| {
            Checkpoint { id: seal.event_id, hash: seal.hash.clone() }
        });
        let sealed = start.id;
        match walk(&site.db, start).await {
            // Another process has sealed these events in the meantime.
            Err(Error::AuditBroken(AuditFault::Missing(_)))
                if seal::last_id(&site.db).await? > sealed => {}
            other => return other,
        }
    }
}

/// Verifies the chain behind `start`.
pub(super) async fn walk(db: &Db, start: Checkpoint) -> Result<Verification> {
    let sealed = start.id;
    let mut end = start;
    let mut erasures = Erasures::default();
    loop {
        let rows: Vec<WholeEvent> = sql(WHOLE)
            .push_bind(" WHERE e.id > ", end.id)
            .push_bind(" ORDER BY e.id LIMIT ", BATCH)
            .all(db)
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.event.id != end.id + 1 {
                return Err(Error::AuditBroken(AuditFault::Missing(end.id + 1)));
            }
            if row.event.hash_after(&end.hash) != row.event.hash {
                return Err(Error::AuditBroken(AuditFault::Changed(row.event.id)));
            }
            end = erasures.check(row)?;
        }
    }
    let erased = erasures.finish(db, sealed).await?;
    // Read last: events appended in the meantime are beyond our end, which is fine.
    let (id, hash): (i64, String) = sql("SELECT id, hash FROM audit_head").one(db).await?;
    if id < end.id || (id == end.id && hash != end.hash) {
        return Err(Error::AuditBroken(AuditFault::Head));
    }
    let next: i64 =
        sql("SELECT count(*) FROM audit_events WHERE id = $1").bind(end.id + 1).scalar(db).await?;
    if id > end.id && next == 0 {
        return Err(Error::AuditBroken(AuditFault::Missing(end.id + 1)));
    }
    Ok(Verification { end, sealed, erased })
}

/// Tells details that were erased with an account from those that somebody removed.
#[derive(Default)]
struct Erasures {
    /// Accounts whose details are missing, with the first event concerned.
    missing: BTreeMap<i64, i64>,
    deleted: BTreeSet<i64>,
    events: i64,
}

impl Erasures {
    /// Compares the details of one event with its digests.
    fn check(&mut self, row: WholeEvent) -> Result<Checkpoint> {
        let WholeEvent { event, .. } = row;
        let actor = row.actor_salt.map(|salt| PersonDetails {
            user_id: row.actor_user_id,
            salt,
            name: row.actor_name,
            address: row.actor_address,
            user_agent: row.actor_user_agent,
        });
        let subject = row.subject_salt.map(|salt| PersonDetails {
            user_id: row.subject_user_id,
            salt,
            name: row.subject_name,
            address: row.subject_address,
            user_agent: row.subject_user_agent,
        });
        let mut is_erased = false;
        for (digest, person, owner) in [
            (&event.actor_digest, actor, event.actor_id.or(event.subject_id)),
            (&event.subject_digest, subject, event.subject_id),
        ] {
            let fault = match (digest, person) {
                (None, None) => continue,
                (Some(digest), Some(person)) if person.digest() == *digest => continue,
                (Some(_), None) => match owner {
                    Some(owner) => {
                        self.missing.entry(owner).or_insert(event.id);
                        is_erased = true;
                        continue;
                    }
                    None => AuditFault::DetailsMissing(event.id),
                },
                _ => AuditFault::DetailsChanged(event.id),
            };
            return Err(Error::AuditBroken(fault));
        }
        self.events += i64::from(is_erased);
        if event.kind == DELETION {
            self.deleted.extend(event.subject_id);
        }
        Ok(Checkpoint { id: event.id, hash: event.hash })
    }

    /// The number of events with erased details.
    async fn finish(mut self, db: &Db, sealed: i64) -> Result<i64> {
        self.missing.retain(|account, _| !self.deleted.contains(account));
        for (account, event) in self.missing {
            let existing: i64 =
                sql("SELECT count(*) FROM users WHERE id = $1").bind(account).scalar(db).await?;
            // The event of the deletion may have been sealed.
            if sealed == 0 || existing > 0 {
                return Err(Error::AuditBroken(AuditFault::DetailsMissing(event)));
            }
        }
        Ok(self.events)
    }
}

/// Checks that the log still contains a checkpoint that an earlier `verify` returned. This detects
/// that the whole chain was rewritten.
///
/// # Errors
/// `AuditBroken`; with `Sealed` when the event is no longer stored.
pub async fn verify_checkpoint(db: &Db, checkpoint: &Checkpoint) -> Result<()> {
    let stored: Option<String> = sql("SELECT hash FROM audit_events WHERE id = $1 \
         UNION ALL SELECT hash FROM audit_seals WHERE event_id = $1")
    .bind(checkpoint.id)
    .optional_scalar(db)
    .await?;
    let id = checkpoint.id;
    match stored {
        Some(stored) if stored == checkpoint.hash => return Ok(()),
        None if id == 0 => return Ok(()),
        Some(_) => return Err(Error::AuditBroken(AuditFault::Checkpoint(id))),
        None => {}
    }
    let seals = seal::all(db).await?;
    Err(Error::AuditBroken(match seals.iter().find(|seal| seal.event_id > id) {
        Some(seal) => {
            let instead = format!("{}:{}", seal.event_id, seal.hash);
            AuditFault::Sealed { id, at: seal.sealed_at, instead }
        }
        None => AuditFault::Checkpoint(id),
    }))
}

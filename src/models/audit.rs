//! The audit log of account events. It is append-only, and each event has a hash of itself and the
//! previous hash, so that a changed or missing event is detected.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Db, Tx, now, sql};
use crate::error::{AuditFault, Error, Result};
use crate::models::base::actor::Admin;
use crate::models::base::caller::Caller;
use crate::models::base::page::{Column, Keyset, Page, PageParams, like_pattern};
use crate::models::base::random;
use crate::models::base::site::Site;
use crate::models::users::user::User;

/// A kind of event. The name is stored in the database; its text is `event-…` in `locales/`, and a
/// test checks that each exists. Other modules can define their own kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind(pub &'static str);

impl EventKind {
    pub const REGISTERED: EventKind = EventKind("registered");
    pub const LOGGED_IN: EventKind = EventKind("login");
    pub const LOGIN_FAILED: EventKind = EventKind("login.failed");
    pub const LOGIN_THROTTLED: EventKind = EventKind("login.throttled");
    pub const CODES_LOCKED: EventKind = EventKind("code.locked");
    pub const LOGGED_OUT: EventKind = EventKind("logout");
    pub const SESSION_ENDED: EventKind = EventKind("session.ended");
    pub const TOKEN_REPLAYED: EventKind = EventKind("token.replayed");
    pub const TOKEN_CREATED: EventKind = EventKind("token.created");
    pub const TOKEN_REVOKED: EventKind = EventKind("token.revoked");
    pub const REAUTHENTICATED: EventKind = EventKind("sudo");
    pub const REAUTHENTICATION_FAILED: EventKind = EventKind("sudo.failed");
    pub const ROLE_CHANGED: EventKind = EventKind("user.role");
    pub const USER_DISABLED: EventKind = EventKind("user.disabled");
    pub const USER_ENABLED: EventKind = EventKind("user.enabled");
    pub const USER_UNLOCKED: EventKind = EventKind("user.unlocked");
    pub const USER_DELETED: EventKind = EventKind("user.deleted");
    pub const TWO_FACTOR_ON: EventKind = EventKind("two-factor.on");
    pub const TWO_FACTOR_OFF: EventKind = EventKind("two-factor.off");
    pub const RECOVERY_CODE_USED: EventKind = EventKind("recovery-code.used");
    pub const RECOVERY_CODES_CREATED: EventKind = EventKind("recovery-codes.made");
    pub const PASSWORD_SET: EventKind = EventKind("password.set");
    pub const PASSWORD_CHANGED: EventKind = EventKind("password.changed");
    pub const PASSWORD_RESET: EventKind = EventKind("password.reset");
    pub const EMAIL_CHANGE_REQUESTED: EventKind = EventKind("email.asked");
    pub const EMAIL_VERIFIED: EventKind = EventKind("email.verified");
    pub const POST_EDITED: EventKind = EventKind("post.edited");
    pub const POST_DELETED: EventKind = EventKind("post.deleted");
    pub const DENIED: EventKind = EventKind("denied");
}

/// An event before it is written.
#[must_use]
pub struct AuditEvent {
    kind: EventKind,
    actor: Option<(i64, String)>,
    subject: Option<(i64, String)>,
    detail: String,
}

impl AuditEvent {
    pub fn new(kind: EventKind) -> AuditEvent {
        AuditEvent { kind, actor: None, subject: None, detail: String::new() }
    }

    /// Something that `user` did to their own account.
    pub fn own(kind: EventKind, user: &User) -> AuditEvent {
        AuditEvent::new(kind).by(Some(user)).about(user.id, &user.username)
    }

    /// Who did it; none for the operator, or when nobody was logged in.
    pub fn by(mut self, user: Option<&User>) -> AuditEvent {
        self.actor = user.map(|user| (user.id, user.username.clone()));
        self
    }

    /// Whose account it concerns.
    pub fn about(mut self, id: i64, username: &str) -> AuditEvent {
        self.subject = Some((id, username.to_owned()));
        self
    }

    /// Additional information: never a secret, never user input.
    pub fn detail(mut self, detail: impl Into<String>) -> AuditEvent {
        self.detail = detail.into();
        self
    }

    /// Writes the event. Call it at the end of a transaction: the end of the chain stays locked
    /// until the commit.
    pub async fn write(self, tx: &mut Tx, caller: &Caller) -> Result<()> {
        let (id, previous): (i64, String) =
            sql("UPDATE audit_head SET id = id + 1 RETURNING id, hash").one(&mut *tx).await?;
        let (actor_id, actor) = self.actor.unzip();
        let (subject_id, subject) = self.subject.unzip();
        let row = EventRow {
            id,
            at: now(),
            kind: self.kind.0.to_owned(),
            actor_id,
            actor,
            subject_id,
            subject,
            address: caller.address(),
            user_agent: caller.user_agent.clone(),
            request_id: caller.request_id.clone(),
            detail: self.detail,
            hash: String::new(),
        };
        let hash = row.hash_after(&previous);
        sql("INSERT INTO audit_events (id, at, kind, actor_id, actor, subject_id, subject, \
             address, user_agent, request_id, detail, hash) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
        .bind(row.id)
        .bind(row.at)
        .bind(row.kind)
        .bind(row.actor_id)
        .bind(row.actor)
        .bind(row.subject_id)
        .bind(row.subject)
        .bind(row.address)
        .bind(row.user_agent)
        .bind(row.request_id)
        .bind(row.detail)
        .bind(hash.as_str())
        .execute(&mut *tx)
        .await?;
        sql("UPDATE audit_head SET hash = $1").bind(hash).execute(tx).await?;
        Ok(())
    }

    /// Writes the event in its own transaction.
    pub async fn record(self, db: &Db, caller: &Caller) -> Result<()> {
        let mut tx = db.begin().await?;
        self.write(&mut tx, caller).await?;
        tx.commit().await
    }
}

/// An event as it is stored.
#[derive(Debug, FromRow)]
struct EventRow {
    id: i64,
    at: DateTime<Utc>,
    kind: String,
    actor_id: Option<i64>,
    actor: Option<String>,
    subject_id: Option<i64>,
    subject: Option<String>,
    address: String,
    user_agent: String,
    request_id: String,
    detail: String,
    hash: String,
}

impl EventRow {
    /// SHA-256 over the previous hash and every column, as one JSON array: no two rows serialise
    /// alike.
    fn hash_after(&self, previous: &str) -> String {
        let text = serde_json::json!([
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
        random::sha256(&text.to_string())
    }
}

/// An event, as shown to users and admins.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Event {
    pub id: i64,
    /// UTC.
    pub at: DateTime<Utc>,
    #[schema(example = "login")]
    pub kind: String,
    /// Who did it; null when nobody was logged in, or for the command line.
    pub actor: Option<String>,
    /// Whose account it concerns.
    pub subject: Option<String>,
    #[schema(example = "192.0.2.7")]
    pub address: String,
    pub user_agent: String,
    /// Identifies the request in the site's log.
    pub request_id: String,
    pub detail: String,
}

/// All columns; each reader takes those that it has fields for.
const COLUMNS: &str = "SELECT id, at, kind, actor_id, actor, subject_id, subject, address, \
    user_agent, request_id, detail, hash FROM audit_events";

/// The events of the user's own account, latest first.
pub async fn for_user(db: &Db, user: &User, params: &PageParams) -> Result<Page<Event>> {
    let keyset = Keyset::<1>::new(params)?;
    let query = sql(COLUMNS).push_bind(" WHERE subject_id = ", user.id);
    let rows = keyset.apply(query, [Column::Int("id")]).all(db).await?;
    Ok(keyset.page(rows, |event: &Event| [event.id]))
}

/// Token reuse that was detected in the last two weeks, latest first.
pub async fn replays(db: &Db, user: &User) -> Result<Vec<Event>> {
    sql(COLUMNS)
        .push_bind(" WHERE subject_id = ", user.id)
        .push_bind(" AND kind = ", EventKind::TOKEN_REPLAYED.0)
        .push_bind(" AND at > ", now() - Duration::days(14))
        .push(" ORDER BY id DESC LIMIT 10")
        .all(db)
        .await
}

/// All events, latest first; `q` searches names, kinds and addresses.
pub async fn list(
    site: &Site,
    _: &Admin,
    q: Option<&str>,
    params: &PageParams,
) -> Result<Page<Event>> {
    let keyset = Keyset::<1>::new(params)?;
    let mut query = sql(COLUMNS).push(" WHERE true");
    if let Some(pattern) = q.and_then(like_pattern) {
        query = query
            .push_bind(" AND (lower(actor) LIKE ", pattern.clone())
            .push_bind(" ESCAPE '\\' OR lower(subject) LIKE ", pattern.clone())
            .push_bind(" ESCAPE '\\' OR kind LIKE ", pattern.clone())
            .push_bind(" ESCAPE '\\' OR address LIKE ", pattern)
            .push(" ESCAPE '\\')");
    }
    let rows = keyset.apply(query, [Column::Int("id")]).all(&site.db).await?;
    Ok(keyset.page(rows, |event: &Event| [event.id]))
}

/// The end of an intact chain.
#[derive(Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of events, which is the id of the last one.
    pub id: i64,
    /// The hash of the last one; empty when there is none.
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

/// Rows per query.
const BATCH: i64 = 1_000;

/// Verifies the whole chain and returns its end.
///
/// # Errors
/// `AuditBroken`, naming the first event that was changed or is missing.
pub async fn verify(db: &Db) -> Result<Checkpoint> {
    let mut end = Checkpoint { id: 0, hash: String::new() };
    loop {
        let rows: Vec<EventRow> = sql(COLUMNS)
            .push_bind(" WHERE id > ", end.id)
            .push_bind(" ORDER BY id LIMIT ", BATCH)
            .all(db)
            .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.id != end.id + 1 {
                return Err(Error::AuditBroken(AuditFault::Missing(end.id + 1)));
            }
            if row.hash_after(&end.hash) != row.hash {
                return Err(Error::AuditBroken(AuditFault::Changed(row.id)));
            }
            end = Checkpoint { id: row.id, hash: row.hash };
        }
    }
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
    Ok(end)
}

/// Checks that the chain still contains the end that an earlier `verify` returned. This detects
/// that the whole chain was rewritten.
///
/// # Errors
/// `AuditBroken`.
pub async fn verify_checkpoint(db: &Db, checkpoint: &Checkpoint) -> Result<()> {
    let stored: Option<String> = sql("SELECT hash FROM audit_events WHERE id = $1")
        .bind(checkpoint.id)
        .optional_scalar(db)
        .await?;
    match stored {
        Some(stored) if stored == checkpoint.hash => Ok(()),
        None if checkpoint.id == 0 => Ok(()),
        _ => Err(Error::AuditBroken(AuditFault::Checkpoint(checkpoint.id))),
    }
}

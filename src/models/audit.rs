//! The audit: what happened to accounts. Events are only ever added, each with the hash of itself
//! and the one before, so that a changed or missing one is found.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Db, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::caller::Caller;
use crate::models::page::{Asked, Page, Part};
use crate::models::secret;
use crate::models::user::{self, Admin, User};

/// What can happen. The names are kept in the database and shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Registered,
    LoggedIn,
    LoginFailed,
    LoginThrottled,
    LoggedOut,
    SessionEnded,
    TokenReplayed,
    TokenCreated,
    TokenRevoked,
    Proved,
    ProofFailed,
    RoleChanged,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    TwoFactorOn,
    TwoFactorOff,
    RecoveryCodeUsed,
    RecoveryCodesMade,
    PasswordSet,
    PasswordChanged,
    PasswordReset,
    EmailAsked,
    EmailVerified,
    PostEdited,
    PostDeleted,
    Denied,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Registered => "registered",
            Kind::LoggedIn => "login",
            Kind::LoginFailed => "login.failed",
            Kind::LoginThrottled => "login.throttled",
            Kind::LoggedOut => "logout",
            Kind::SessionEnded => "session.ended",
            Kind::TokenReplayed => "token.replayed",
            Kind::TokenCreated => "token.created",
            Kind::TokenRevoked => "token.revoked",
            Kind::Proved => "sudo",
            Kind::ProofFailed => "sudo.failed",
            Kind::RoleChanged => "user.role",
            Kind::UserDisabled => "user.disabled",
            Kind::UserEnabled => "user.enabled",
            Kind::UserDeleted => "user.deleted",
            Kind::TwoFactorOn => "two-factor.on",
            Kind::TwoFactorOff => "two-factor.off",
            Kind::RecoveryCodeUsed => "recovery-code.used",
            Kind::RecoveryCodesMade => "recovery-codes.made",
            Kind::PasswordSet => "password.set",
            Kind::PasswordChanged => "password.changed",
            Kind::PasswordReset => "password.reset",
            Kind::EmailAsked => "email.asked",
            Kind::EmailVerified => "email.verified",
            Kind::PostEdited => "post.edited",
            Kind::PostDeleted => "post.deleted",
            Kind::Denied => "denied",
        }
    }
}

/// An event before it is written.
#[must_use]
pub struct Entry {
    kind: Kind,
    actor: Option<(i64, String)>,
    subject: Option<(i64, String)>,
    detail: String,
}

impl Entry {
    pub fn new(kind: Kind) -> Entry {
        Entry { kind, actor: None, subject: None, detail: String::new() }
    }

    /// Something that `user` did to their own account.
    pub fn own(kind: Kind, user: &User) -> Entry {
        Entry::new(kind).by(user).about(user.id, &user.username)
    }

    /// Who did it; without one, nobody that is known.
    pub fn by(mut self, user: &User) -> Entry {
        self.actor = Some((user.id, user.username.clone()));
        self
    }

    /// Whose account it concerns.
    pub fn about(mut self, id: i64, username: &str) -> Entry {
        self.subject = Some((id, username.to_owned()));
        self
    }

    /// What else is worth knowing: never a secret, never what somebody typed.
    pub fn detail(mut self, detail: impl Into<String>) -> Entry {
        self.detail = detail.into();
        self
    }

    /// Writes the event. It belongs at the end of a transaction: the end of the chain stays locked
    /// until that commits.
    pub async fn write(self, tx: &mut Tx, caller: &Caller) -> Result<()> {
        let (id, before): (i64, String) =
            sql("UPDATE audit_head SET id = id + 1 RETURNING id, hash").one(&mut *tx).await?;
        let (actor_id, actor) = self.actor.unzip();
        let (subject_id, subject) = self.subject.unzip();
        let row = Row {
            id,
            at: now(),
            kind: self.kind.as_str().to_owned(),
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
        let hash = row.hashed_after(&before);
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

    /// Writes the event in a transaction of its own.
    pub async fn note(self, db: &Db, caller: &Caller) -> Result<()> {
        let mut tx = db.begin().await?;
        self.write(&mut tx, caller).await?;
        tx.commit().await
    }
}

/// An event as it is kept.
#[derive(Debug, FromRow)]
struct Row {
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

impl Row {
    /// SHA-256 over the hash before and every column, as one JSON array: no two rows read alike.
    fn hashed_after(&self, before: &str) -> String {
        let text = serde_json::json!([
            before,
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
        secret::hashed(&text.to_string())
    }
}

/// An event, as people and admins see it.
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
    /// Names the request in the site's log.
    pub request_id: String,
    pub detail: String,
}

const EVENT: &str = "SELECT id, at, kind, actor, subject, address, user_agent, request_id, detail FROM audit_events";

/// What happened to one's own account, latest first.
pub async fn own(db: &Db, me: &User, asked: &Asked) -> Result<Page<Event>> {
    let part = Part::<1>::of(asked)?;
    let query = sql(EVENT).push_bind(" WHERE subject_id = ", me.id);
    let found = part.narrow(query, ["id"]).all(db).await?;
    Ok(part.page(found, |event: &Event| [event.id]))
}

/// Copied tokens that were found out in the last two weeks, latest first.
pub async fn replays(db: &Db, me: &User) -> Result<Vec<Event>> {
    sql(EVENT)
        .push_bind(" WHERE subject_id = ", me.id)
        .push_bind(" AND kind = ", Kind::TokenReplayed.as_str())
        .push_bind(" AND at > ", now() - Duration::days(14))
        .push(" ORDER BY id DESC LIMIT 10")
        .all(db)
        .await
}

/// Everything, latest first; `q` searches names, kinds and addresses.
pub async fn list(db: &Db, _: &Admin, q: Option<&str>, asked: &Asked) -> Result<Page<Event>> {
    let part = Part::<1>::of(asked)?;
    let mut query = sql(EVENT).push(" WHERE true");
    if let Some(pattern) = q.and_then(user::containing) {
        query = query
            .push_bind(" AND (lower(actor) LIKE ", pattern.clone())
            .push_bind(" ESCAPE '\\' OR lower(subject) LIKE ", pattern.clone())
            .push_bind(" ESCAPE '\\' OR kind LIKE ", pattern.clone())
            .push_bind(" ESCAPE '\\' OR address LIKE ", pattern)
            .push(" ESCAPE '\\')");
    }
    let found = part.narrow(query, ["id"]).all(db).await?;
    Ok(part.page(found, |event: &Event| [event.id]))
}

/// Where an unbroken chain ends.
#[derive(Debug, PartialEq, Eq)]
pub struct End {
    /// How many events there are.
    pub id: i64,
    /// The hash of the last one; empty when there is none.
    pub hash: String,
}

/// Rows read at once.
const BATCH: i64 = 1_000;

/// Walks the whole chain.
///
/// # Errors
/// `Broken`, naming the first event that was changed or is missing.
pub async fn verify(db: &Db) -> Result<End> {
    let mut end = End { id: 0, hash: String::new() };
    loop {
        let rows: Vec<Row> = sql("SELECT id, at, kind, actor_id, actor, subject_id, subject, \
             address, user_agent, request_id, detail, hash FROM audit_events \
             WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(end.id)
        .bind(BATCH)
        .all(db)
        .await?;
        if rows.is_empty() {
            break;
        }
        for row in rows {
            if row.id != end.id + 1 {
                return Err(Error::Broken(format!("event {} is missing", end.id + 1)));
            }
            if row.hashed_after(&end.hash) != row.hash {
                return Err(Error::Broken(format!("event {} was changed", row.id)));
            }
            end = End { id: row.id, hash: row.hash };
        }
    }
    // Asked last: events that were added meanwhile lie beyond the end, which is no harm.
    let (id, hash): (i64, String) = sql("SELECT id, hash FROM audit_head").one(db).await?;
    if id < end.id || (id == end.id && hash != end.hash) {
        return Err(Error::Broken("the mark of the last event was changed".to_owned()));
    }
    let (next,): (i64,) =
        sql("SELECT count(*) FROM audit_events WHERE id = $1").bind(end.id + 1).one(db).await?;
    if id > end.id && next == 0 {
        return Err(Error::Broken(format!("event {} is missing", end.id + 1)));
    }
    Ok(end)
}

/// Checks that the chain still holds an end that an earlier `verify` found, given as
/// `number:hash`. This finds a chain that was made anew as a whole.
///
/// # Errors
/// `Malformed`; `Broken`.
pub async fn expect(db: &Db, end: &str) -> Result<()> {
    let (id, hash) = end
        .split_once(':')
        .and_then(|(id, hash)| Some((id.parse::<i64>().ok()?, hash)))
        .ok_or_else(|| Error::Malformed("give the end as NUMBER:HASH".to_owned()))?;
    let kept: Option<(String,)> =
        sql("SELECT hash FROM audit_events WHERE id = $1").bind(id).optional(db).await?;
    match kept {
        Some((kept,)) if kept == hash => Ok(()),
        None if id == 0 => Ok(()),
        _ => Err(Error::Broken(format!("event {id} is no longer what it was"))),
    }
}

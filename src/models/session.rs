//! Sessions: a row for each log-in. A token is worth what its row says, and nothing without it.

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Db, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::account::{Identity, WRONG};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::device;
use crate::models::secret;
use crate::models::token::Audience;
use crate::models::user::{self, Admin, Role, User};

/// A session ends this long after log-in, whatever happens.
fn absolute_limit() -> Duration {
    Duration::days(14)
}

/// A session ends when it was not used for this long.
pub fn idle_limit() -> Duration {
    Duration::hours(24)
}

/// How precisely `last_used_at` is kept, so that reading does not write at every request.
fn precision() -> Duration {
    Duration::minutes(15)
}

/// How long a password that was given counts for what needs a fresh one.
fn proof_limit() -> Duration {
    Duration::minutes(15)
}

/// The session behind a request.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    proved_at: Option<DateTime<Utc>>,
}

impl Session {
    /// Whether the password was given lately enough for what is delicate.
    pub fn is_proved(&self) -> bool {
        self.proved_at.is_some_and(|at| at > now() - proof_limit())
    }
}

/// Opens a session for somebody who has just shown who they are; gives its id. The session that the
/// same browser had `before` ends, whoever planted it.
///
/// # Errors
/// `BadCredentials` when the password was changed or the person disabled in the meantime.
pub async fn open(
    db: &Db,
    caller: &Caller,
    who: &Identity,
    audience: Audience,
    before: Option<&str>,
) -> Result<String> {
    let mut tx = db.begin().await?;
    let id = insert(&mut tx, caller, who, audience, before).await?;
    tx.commit().await?;
    Ok(id)
}

/// `open`, inside a transaction.
pub async fn insert(
    tx: &mut Tx,
    caller: &Caller,
    who: &Identity,
    audience: Audience,
    before: Option<&str>,
) -> Result<String> {
    let at = now();
    // Locks the account's row: a change of password that is under way is waited for, and seen.
    let still = sql("UPDATE users SET last_login_at = $1 \
         WHERE id = $2 AND password_hash = $3 AND disabled_at IS NULL")
    .bind(at)
    .bind(who.user.id)
    .bind(who.stamp.as_str())
    .execute(&mut *tx)
    .await?;
    if still == 0 {
        return Err(Error::BadCredentials(WRONG));
    }
    // What has run out is swept here, where a write happens anyway.
    sql("DELETE FROM sessions WHERE id = $1 \
         OR (user_id = $2 AND (expires_at <= $3 OR last_used_at <= $4))")
    .bind(before.unwrap_or_default())
    .bind(who.user.id)
    .bind(at)
    .bind(at - idle_limit())
    .execute(&mut *tx)
    .await?;
    let id = secret::id()?;
    sql("INSERT INTO sessions (id, user_id, door, address, user_agent, created_at, last_used_at, \
         proved_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7)")
    .bind(id.as_str())
    .bind(who.user.id)
    .bind(audience.door())
    .bind(caller.address())
    .bind(caller.user_agent.as_str())
    .bind(at)
    .bind(at + absolute_limit())
    .execute(&mut *tx)
    .await?;
    Entry::own(Kind::LoggedIn, &who.user).detail(audience.door()).write(tx, caller).await?;
    Ok(id)
}

#[derive(FromRow)]
struct Live {
    id: i64,
    username: String,
    #[sqlx(try_from = "String")]
    role: Role,
    last_used_at: DateTime<Utc>,
    proved_at: Option<DateTime<Utc>>,
}

const ENDED: &str = "This session has ended. Log in again.";

/// The person behind a live session, in one query.
///
/// # Errors
/// `BadCredentials` when the session has ended, belongs to somebody else, or to somebody disabled.
pub async fn find(db: &Db, caller: &Caller, sid: &str, user_id: i64) -> Result<(User, Session)> {
    let at = now();
    let live: Option<Live> = sql("SELECT u.id, u.username, u.role, s.last_used_at, s.proved_at \
             FROM sessions s JOIN users u ON u.id = s.user_id \
             WHERE s.id = $1 AND s.user_id = $2 AND s.expires_at > $3 AND s.last_used_at > $4 \
             AND u.disabled_at IS NULL")
    .bind(sid)
    .bind(user_id)
    .bind(at)
    .bind(at - idle_limit())
    .optional(db)
    .await?;
    let live = live.ok_or(Error::BadCredentials(ENDED))?;
    if live.last_used_at < at - precision() {
        sql("UPDATE sessions SET last_used_at = $1, address = $2, user_agent = $3 WHERE id = $4")
            .bind(at)
            .bind(caller.address())
            .bind(caller.user_agent.as_str())
            .bind(sid)
            .execute(db.writer())
            .await?;
    }
    let user = User { id: live.id, username: live.username, role: live.role };
    Ok((user, Session { id: sid.to_owned(), proved_at: live.proved_at }))
}

/// Whether a cookie's token of this age should be replaced by a fresh one.
pub fn is_due_for_renewal(issued_at: DateTime<Utc>) -> bool {
    issued_at < now() - precision()
}

/// Notes that the password was given again.
pub async fn prove(tx: &mut Tx, sid: &str) -> Result<()> {
    sql("UPDATE sessions SET proved_at = $1 WHERE id = $2")
        .bind(now())
        .bind(sid)
        .execute(tx)
        .await?;
    Ok(())
}

/// Ends the session of somebody who leaves; every copy of its token is worthless from here on.
pub async fn close(db: &Db, caller: &Caller, me: &User, sid: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    if delete(&mut tx, me.id, sid).await? > 0 {
        Entry::own(Kind::LoggedOut, me).write(&mut tx, caller).await?;
    }
    tx.commit().await
}

async fn delete(tx: &mut Tx, user_id: i64, sid: &str) -> Result<u64> {
    // Paths bring anything; PostgreSQL takes no NUL.
    if !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(0);
    }
    sql("DELETE FROM sessions WHERE user_id = $1 AND id = $2")
        .bind(user_id)
        .bind(sid)
        .execute(tx)
        .await
}

/// Ends all sessions of an account, except perhaps one; gives how many.
pub async fn delete_all(tx: &mut Tx, user_id: i64, except: Option<&str>) -> Result<u64> {
    sql("DELETE FROM sessions WHERE user_id = $1 AND id <> $2")
        .bind(user_id)
        .bind(except.unwrap_or_default())
        .execute(tx)
        .await
}

/// A live session, as its owner and admins see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Seen {
    pub id: String,
    /// `page` for a browser, `api` for a program.
    #[schema(example = "page")]
    pub door: String,
    #[schema(example = "Firefox on Linux")]
    pub device: String,
    pub user_agent: String,
    /// Where it was last used from, to within 15 minutes.
    #[schema(example = "192.0.2.7")]
    pub address: String,
    pub created_at: DateTime<Utc>,
    /// To within 15 minutes.
    pub last_used_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Whether it is the one that asks.
    pub current: bool,
}

#[derive(FromRow)]
struct Row {
    id: String,
    door: String,
    user_agent: String,
    address: String,
    created_at: DateTime<Utc>,
    last_used_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// One's own live sessions, the latest used first.
pub async fn list(db: &Db, me: &User, current: Option<&str>) -> Result<Vec<Seen>> {
    live(db, me.id, current).await
}

/// Somebody's live sessions.
///
/// # Errors
/// `NotFound`.
pub async fn list_of(
    db: &Db,
    _: &Admin,
    username: &str,
    current: Option<&str>,
) -> Result<Vec<Seen>> {
    let profile = user::profile(db, username).await?;
    live(db, profile.id, current).await
}

async fn live(db: &Db, user_id: i64, current: Option<&str>) -> Result<Vec<Seen>> {
    let at = now();
    let rows: Vec<Row> = sql("SELECT id, door, user_agent, address, created_at, last_used_at, \
         expires_at FROM sessions WHERE user_id = $1 AND expires_at > $2 AND last_used_at > $3 \
         ORDER BY last_used_at DESC, id")
    .bind(user_id)
    .bind(at)
    .bind(at - idle_limit())
    .all(db)
    .await?;
    let seen = |row: Row| Seen {
        device: device::name(&row.user_agent),
        current: current == Some(row.id.as_str()),
        id: row.id,
        door: row.door,
        user_agent: row.user_agent,
        address: row.address,
        created_at: row.created_at,
        last_used_at: row.last_used_at,
        expires_at: row.expires_at,
    };
    Ok(rows.into_iter().map(seen).collect())
}

/// Ends one of one's own sessions.
///
/// # Errors
/// `NotFound` when it is not there, or not one's own.
pub async fn end(db: &Db, caller: &Caller, me: &User, sid: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    if delete(&mut tx, me.id, sid).await? == 0 {
        return Err(Error::NotFound);
    }
    Entry::own(Kind::SessionEnded, me).write(&mut tx, caller).await?;
    tx.commit().await
}

/// Ends all of one's own sessions but the current one; gives how many.
pub async fn end_others(db: &Db, caller: &Caller, me: &User, current: Option<&str>) -> Result<u64> {
    let mut tx = db.begin().await?;
    let ended = delete_all(&mut tx, me.id, current).await?;
    let detail = format!("all others: {ended}");
    Entry::own(Kind::SessionEnded, me).detail(detail).write(&mut tx, caller).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Ends one session of somebody, or all of them; in effect from the next request on.
///
/// # Errors
/// `NotFound`.
pub async fn end_of(
    db: &Db,
    caller: &Caller,
    admin: &Admin,
    username: &str,
    sid: Option<&str>,
) -> Result<()> {
    let profile = user::profile(db, username).await?;
    let mut tx = db.begin().await?;
    let ended = match sid {
        Some(sid) => delete(&mut tx, profile.id, sid).await?,
        None => delete_all(&mut tx, profile.id, None).await?,
    };
    if sid.is_some() && ended == 0 {
        return Err(Error::NotFound);
    }
    Entry::new(Kind::SessionEnded)
        .by(admin.user())
        .about(profile.id, &profile.username)
        .detail(format!("by an admin: {ended}"))
        .write(&mut tx, caller)
        .await?;
    tx.commit().await
}

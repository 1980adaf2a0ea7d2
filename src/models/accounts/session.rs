//! Sessions: one row per log-in. A token is valid only as long as its session's row.

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;

use crate::db::{CONTENT_VERSION, Db, Tx, now, repeat, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::accounts::access_token::Audience;
use crate::models::accounts::identity::Identity;
use crate::models::accounts::scope::Scopes;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::mail::email_link;
use crate::models::users::user::User;

/// The maximum lifetime of a session.
fn absolute_limit() -> Duration {
    Audience::Page.lifetime()
}

/// A session ends when it has not been used for this long.
pub fn idle_limit() -> Duration {
    Duration::hours(24)
}

/// How many active sessions an account can have; another log-in ends the oldest.
const MAX_SESSIONS: i64 = 100;

/// The accuracy of `last_used_at`, so that not every request has to write.
fn precision() -> Duration {
    Duration::minutes(15)
}

/// How long after the password was confirmed sensitive actions are allowed.
fn reauthentication_limit() -> Duration {
    Duration::minutes(15)
}

/// The session behind a request.
#[derive(Debug, Clone)]
pub struct Session {
    pub id: String,
    /// What a program may do with it; `None` for everything.
    pub scopes: Option<Scopes>,
    /// The application that has it; `None` for a person's own.
    pub application: Option<i64>,
    /// The version of what anybody may read (`Db::content_version`), as the session was looked up.
    pub content_version: i64,
    reauthenticated_at: Option<DateTime<Utc>>,
}

/// What is opened: for which client, and what it may do.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'o> {
    pub audience: Audience,
    /// The browser's previous session, which ends, to prevent session fixation.
    pub previous: Option<&'o str>,
    /// `None` for everything.
    pub scopes: Option<&'o Scopes>,
    /// The application that gets the session.
    pub application: Option<i64>,
}

impl NewSession<'_> {
    /// A person's own session.
    pub fn own(audience: Audience) -> NewSession<'static> {
        NewSession { audience, previous: None, scopes: None, application: None }
    }
}

impl Session {
    /// Whether the user proved recently enough for sensitive actions who they are. A time in the
    /// future, left by a clock that jumped, does not count for ever.
    pub fn is_recently_authenticated(&self) -> bool {
        self.reauthenticated_at.is_some_and(|at| (now() - at).abs() < reauthentication_limit())
    }
}

/// Opens a session for a user who has just been authenticated; returns its id.
///
/// # Errors
/// `InvalidCredentials` when the password was changed or the account disabled in the meantime.
pub async fn open(
    site: &Site,
    caller: &Caller,
    identity: &Identity,
    new_session: NewSession<'_>,
) -> Result<String> {
    let mut tx = begin(site, caller, identity).await?;
    let id = insert(&mut tx, caller, identity, new_session).await?;
    tx.commit().await?;
    Ok(id)
}

/// Begins the transaction that opens a session, and counts it.
///
/// # Errors
/// `TooManyRequests`.
pub async fn begin(site: &Site, caller: &Caller, identity: &Identity) -> Result<Tx> {
    let (own, network) = (site.limits.sessions, site.limits.sessions_address);
    let budgets = Budget::of_user(identity.user.id, caller, own, network);
    rate_limit::check_all(&site.db, caller, &budgets).await?;
    let mut tx = site.db.begin().await?;
    rate_limit::charge_all(&mut tx, caller, &budgets).await?;
    Ok(tx)
}

/// `open`, inside a transaction.
pub async fn insert(
    tx: &mut Tx,
    caller: &Caller,
    identity: &Identity,
    new_session: NewSession<'_>,
) -> Result<String> {
    let NewSession { audience, previous, scopes, application } = new_session;
    // Changes nothing, but locks the account's row, to wait for a concurrent password change.
    let unchanged = sql("UPDATE users SET password_hash = password_hash \
         WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL")
    .bind(identity.user.id)
    .bind(identity.password_hash.as_str())
    .execute(&mut *tx)
    .await?;
    if unchanged == 0 {
        return Err(Error::InvalidCredentials(Credentials::Login));
    }
    if let Some(previous) = previous {
        sql("DELETE FROM sessions WHERE id = $1").bind(previous).execute(&mut *tx).await?;
    }
    let id = random::id()?;
    let at = now();
    sql("INSERT INTO sessions (id, user_id, client, address, user_agent, created_at, \
         last_used_at, proved_at, expires_at, scopes, application_id, number) \
         VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8, $9, \
         (SELECT coalesce(max(number), 0) + 1 FROM sessions WHERE user_id = $2))")
    .bind(id.as_str())
    .bind(identity.user.id)
    .bind(audience.client())
    .bind(caller.address())
    .bind(caller.user_agent.as_str())
    .bind(at)
    .bind(at + absolute_limit())
    .bind(scopes.map(Scopes::to_string))
    .bind(application)
    .execute(&mut *tx)
    .await?;
    let ended = end_oldest(tx, identity.user.id).await?;
    AuditEvent::own(EventKind::LOGGED_IN, &identity.user)
        .detail(match application {
            Some(id) => format!("application number {id}"),
            None => audience.client().to_owned(),
        })
        .write(tx, caller)
        .await?;
    if ended > 0 {
        AuditEvent::own(EventKind::SESSION_ENDED, &identity.user)
            .detail("the oldest of too many")
            .write(tx, caller)
            .await?;
    }
    Ok(id)
}

/// Ends the oldest sessions of an account that has too many; returns how many. The account's row is
/// locked.
async fn end_oldest(tx: &mut Tx, user_id: i64) -> Result<u64> {
    let at = now();
    sql("DELETE FROM sessions WHERE user_id = $1 AND number <= (SELECT number FROM sessions \
         WHERE user_id = $1 AND expires_at > $2 AND last_used_at > $3 \
         ORDER BY number DESC LIMIT 1 OFFSET $4)")
    .bind(user_id)
    .bind(at)
    .bind(at - idle_limit())
    .bind(MAX_SESSIONS)
    .execute(tx)
    .await
}

#[derive(FromRow)]
struct SessionRow {
    #[sqlx(flatten)]
    user: User,
    last_used_at: DateTime<Utc>,
    proved_at: Option<DateTime<Utc>>,
    scopes: Option<String>,
    application_id: Option<i64>,
    content_version: i64,
}

/// The user of an active session, in one query.
///
/// # Errors
/// `InvalidCredentials` when the session has ended, belongs to somebody else, or to a disabled
/// account.
pub async fn find(db: &Db, caller: &Caller, sid: &str, user_id: i64) -> Result<(User, Session)> {
    let at = now();
    let row: Option<SessionRow> = sql("SELECT u.id, u.username, u.role, s.last_used_at, \
         s.proved_at, s.scopes, s.application_id, ")
    .push(CONTENT_VERSION)
    .push(
        " AS content_version FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.id = $1 AND s.user_id = $2 AND s.expires_at > $3 AND s.last_used_at > $4 \
         AND u.disabled_at IS NULL",
    )
    .bind(sid)
    .bind(user_id)
    .bind(at)
    .bind(at - idle_limit())
    .optional(db)
    .await?;
    let row = row.ok_or(Error::InvalidCredentials(Credentials::Session))?;
    if row.last_used_at < at - precision() {
        let touch = sql(
            "UPDATE sessions SET last_used_at = $1, address = $2, user_agent = $3 WHERE id = $4",
        )
        .bind(at)
        .bind(caller.address())
        .bind(caller.user_agent.as_str())
        .bind(sid);
        let request_id = caller.request_id.clone();
        // Nobody waits for it: reading must not depend on a full disk or a busy writer.
        touch.execute_later(db, format!("session {sid}"), move |error| {
            tracing::warn!(request_id, %error, "the last use of a session cannot be recorded");
        });
    }
    let session = Session {
        id: sid.to_owned(),
        scopes: row.scopes.map(Scopes::from),
        application: row.application_id,
        content_version: row.content_version,
        reauthenticated_at: row.proved_at,
    };
    Ok((row.user, session))
}

/// Records that the password was confirmed.
pub async fn mark_reauthenticated(tx: &mut Tx, sid: &str) -> Result<()> {
    sql("UPDATE sessions SET proved_at = $1 WHERE id = $2")
        .bind(now())
        .bind(sid)
        .execute(tx)
        .await?;
    Ok(())
}

/// Logs out: deletes the session, which invalidates every copy of its token.
pub async fn log_out(site: &Site, actor: &Actor, sid: &str) -> Result<()> {
    repeat(|| try_log_out(site, actor, sid)).await
}

async fn try_log_out(site: &Site, actor: &Actor, sid: &str) -> Result<()> {
    let mut tx = site.db.begin().await?;
    if delete(&mut tx, actor.user.id, sid).await? > 0 {
        AuditEvent::own(EventKind::LOGGED_OUT, &actor.user).write(&mut tx, &actor.caller).await?;
    }
    tx.commit().await
}

/// Deletes a session of this account, if it exists; returns how many.
pub async fn delete(tx: &mut Tx, user_id: i64, sid: &str) -> Result<u64> {
    // A path can contain anything; PostgreSQL cannot store NUL.
    if !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Ok(0);
    }
    sql("DELETE FROM sessions WHERE user_id = $1 AND id = $2")
        .bind(user_id)
        .bind(sid)
        .execute(tx)
        .await
}

/// Ends all sessions of an account, optionally except one; returns how many.
pub async fn delete_all(tx: &mut Tx, user_id: i64, except: Option<&str>) -> Result<u64> {
    sql("DELETE FROM sessions WHERE user_id = $1 AND id <> $2")
        .bind(user_id)
        .bind(except.unwrap_or_default())
        .execute(tx)
        .await
}

/// Revokes all access to an account other than the password: sessions, personal tokens, e-mailed
/// links, pending log-ins, authorization codes.
pub async fn revoke_all(tx: &mut Tx, user_id: i64) -> Result<()> {
    delete_all(tx, user_id, None).await?;
    for statement in [
        "DELETE FROM api_tokens WHERE user_id = $1",
        "DELETE FROM login_challenges WHERE user_id = $1",
        "DELETE FROM authorization_codes WHERE user_id = $1",
    ] {
        sql(statement).bind(user_id).execute(&mut *tx).await?;
    }
    email_link::invalidate_all(tx, user_id).await
}

/// Deletes expired sessions with their refresh tokens; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    let at = now();
    let expired =
        sql("DELETE FROM sessions WHERE expires_at <= $1").bind(at).execute(&mut *tx).await?;
    let idle = sql("DELETE FROM sessions WHERE last_used_at <= $1")
        .bind(at - idle_limit())
        .execute(tx)
        .await?;
    Ok(expired + idle)
}

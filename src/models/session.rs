//! Sessions: a row for each log-in. A token is worth what its row says, and nothing without it.

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;

use crate::db::{Db, now, sql};
use crate::error::{Error, Result};
use crate::models::user::{Role, User};

/// A session ends this long after log-in, whatever happens.
fn absolute_limit() -> Duration {
    Duration::days(14)
}

/// A session ends when it was not used for this long.
fn idle_limit() -> Duration {
    Duration::hours(24)
}

/// Longest part of a user agent that is kept, in characters.
const USER_AGENT: usize = 200;

/// Opens a session; gives its id, 128 random bits in hexadecimal.
pub async fn open(db: &Db, user_id: i64, user_agent: &str) -> Result<String> {
    let id = random_id()?;
    let opened = now();
    let user_agent: String =
        user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect();
    let mut tx = db.begin().await?;
    // What has run out is swept here, where a write happens anyway.
    sql("DELETE FROM sessions WHERE user_id = $1 AND (expires_at <= $2 OR last_used_at <= $3)")
        .bind(user_id)
        .bind(opened)
        .bind(opened - idle_limit())
        .execute(&mut tx)
        .await?;
    sql("INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, user_agent) \
         VALUES ($1, $2, $3, $3, $4, $5)")
    .bind(id.as_str())
    .bind(user_id)
    .bind(opened)
    .bind(opened + absolute_limit())
    .bind(user_agent)
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(id)
}

#[derive(FromRow)]
struct Live {
    id: i64,
    username: String,
    #[sqlx(try_from = "String")]
    role: Role,
    last_used_at: DateTime<Utc>,
}

/// How precisely `last_used_at` is kept, so that reading does not write at every request.
fn precision() -> Duration {
    Duration::minutes(15)
}

/// The person behind a live session, in one query.
///
/// # Errors
/// `BadCredentials` when the session has ended or belongs to somebody else.
pub async fn find(db: &Db, sid: &str, user_id: i64) -> Result<User> {
    let at = now();
    let live: Option<Live> = sql("SELECT u.id, u.username, u.role, s.last_used_at \
         FROM sessions s JOIN users u ON u.id = s.user_id \
         WHERE s.id = $1 AND s.user_id = $2 AND s.expires_at > $3 AND s.last_used_at > $4")
    .bind(sid)
    .bind(user_id)
    .bind(at)
    .bind(at - idle_limit())
    .optional(db)
    .await?;
    let live = live.ok_or(Error::BadCredentials("This session has ended. Log in again."))?;
    if live.last_used_at < at - precision() {
        sql("UPDATE sessions SET last_used_at = $1 WHERE id = $2")
            .bind(at)
            .bind(sid)
            .execute(db.writer())
            .await?;
    }
    Ok(User { id: live.id, username: live.username, role: live.role })
}

/// Whether a cookie's token of this age should be replaced by a fresh one.
pub fn is_due_for_renewal(issued_at: DateTime<Utc>) -> bool {
    issued_at < now() - precision()
}

/// Ends a session; every copy of its token is worthless from here on.
pub async fn close(db: &Db, sid: &str) -> Result<()> {
    sql("DELETE FROM sessions WHERE id = $1").bind(sid).execute(db.writer()).await?;
    Ok(())
}

fn random_id() -> Result<String> {
    let mut bytes = [0u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Internal("no randomness".to_owned()))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

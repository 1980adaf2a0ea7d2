//! Refresh tokens: opaque, good for one use, kept as SHA-256. All that follow one log-in are a
//! family, which is its session (RFC 9700 §4.14.2).

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;

use crate::db::{Db, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::account::Identity;
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::secret;
use crate::models::session;
use crate::models::token::{Audience, Keys};
use crate::models::user::User;

/// Marks a refresh token.
pub const PREFIX: &str = "prt_";

/// For this long a token that was used already gives the same successor again: a client whose
/// answer was lost, or that asked twice at once, stays logged in. The grace does not grow.
fn grace() -> Duration {
    Duration::seconds(10)
}

/// What a program holds: the session, and the token that keeps it going.
pub struct Grant {
    pub user: User,
    pub sid: String,
    pub refresh_token: String,
}

const REFUSED: Error =
    Error::BadCredentials("The refresh token is not valid, or was used already. Log in again.");

/// Opens a session for a program, with the first token of its family.
pub async fn open(db: &Db, caller: &Caller, who: &Identity) -> Result<Grant> {
    let mut tx = db.begin().await?;
    let sid = session::insert(&mut tx, caller, who, Audience::Api, None).await?;
    let refresh_token = secret::token(PREFIX)?;
    sql("INSERT INTO refresh_tokens (hash, session_id, created_at) VALUES ($1, $2, $3)")
        .bind(secret::hashed(&refresh_token))
        .bind(sid.as_str())
        .bind(now())
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(Grant { user: who.user.clone(), sid, refresh_token })
}

#[derive(FromRow)]
struct Successor {
    hash: String,
    session_id: String,
    created_at: DateTime<Utc>,
}

/// Exchanges a token for the next one of its family. Whoever comes twice within the grace gets the
/// same successor, since it is derived from the token and our key. Whoever comes later shows that
/// the token was copied: the family ends.
///
/// # Errors
/// `BadCredentials`.
pub async fn rotate(db: &Db, keys: &Keys, caller: &Caller, token: &str) -> Result<Grant> {
    let at = now();
    let hash = secret::hashed(token);
    let refresh_token = format!("{PREFIX}{}", keys.derive("refresh", token));
    let mut tx = db.begin().await?;
    // Whatever ends a session locks its row first and its tokens then; so does this.
    sql("UPDATE sessions SET address = $1 \
         WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = $2)")
    .bind(caller.address())
    .bind(hash.as_str())
    .execute(&mut tx)
    .await?;
    // One statement decides: the successor is added, or found to be there already.
    let successor: Option<Successor> =
        sql("INSERT INTO refresh_tokens (hash, parent_hash, session_id, created_at) \
             SELECT $1, t.hash, t.session_id, $2 FROM refresh_tokens t \
             JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id \
             WHERE t.hash = $3 AND s.expires_at > $2 AND s.last_used_at > $4 \
             AND u.disabled_at IS NULL \
             ON CONFLICT (parent_hash) DO UPDATE SET parent_hash = excluded.parent_hash \
             RETURNING hash, session_id, created_at")
        .bind(secret::hashed(&refresh_token))
        .bind(at)
        .bind(hash)
        .bind(at - session::idle_limit())
        .optional(&mut tx)
        .await?;
    let successor = successor.ok_or(REFUSED)?;
    let user = owner(&mut tx, &successor.session_id).await?;
    if successor.created_at < at - grace() {
        sql("DELETE FROM sessions WHERE id = $1")
            .bind(successor.session_id)
            .execute(&mut tx)
            .await?;
        Entry::new(Kind::TokenReplayed)
            .about(user.id, &user.username)
            .detail("a used refresh token came again; its session was ended")
            .write(&mut tx, caller)
            .await?;
        tx.commit().await?;
        return Err(REFUSED);
    }
    if successor.hash != secret::hashed(&refresh_token) {
        // The signing key was changed within the grace: only the first to come has the successor.
        return Err(REFUSED);
    }
    sql("UPDATE sessions SET last_used_at = $1 WHERE id = $2")
        .bind(at)
        .bind(successor.session_id.as_str())
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(Grant { user, sid: successor.session_id, refresh_token })
}

async fn owner(tx: &mut Tx, sid: &str) -> Result<User> {
    sql("SELECT u.id, u.username, u.role FROM sessions s \
         JOIN users u ON u.id = s.user_id WHERE s.id = $1")
    .bind(sid)
    .one(tx)
    .await
}

/// Ends the family of a token (RFC 7009 §2.1), whether it was used already or not. A token that is
/// not known is as good as revoked.
pub async fn revoke(db: &Db, caller: &Caller, token: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    let found: Option<(String,)> = sql("SELECT session_id FROM refresh_tokens WHERE hash = $1")
        .bind(secret::hashed(token))
        .optional(&mut tx)
        .await?;
    let Some((sid,)) = found else { return Ok(()) };
    let user = owner(&mut tx, &sid).await?;
    sql("DELETE FROM sessions WHERE id = $1").bind(sid).execute(&mut tx).await?;
    Entry::own(Kind::SessionEnded, &user).detail("revoked").write(&mut tx, caller).await?;
    tx.commit().await
}

//! Refresh tokens: opaque, single-use, stored as SHA-256. All tokens that descend from one log-in
//! are a family, which is its session (RFC 9700 §4.14.2).

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;

use crate::db::{Tx, now, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::accounts::access_token::Audience;
use crate::models::accounts::identity::Identity;
use crate::models::accounts::session;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::users::user::User;

/// Identifies refresh tokens.
pub const PREFIX: &str = "prt_";

/// How long a used token returns the same successor again, so that a client stays logged in when a
/// response was lost or when it sent two requests at once. The period is not extended.
fn grace() -> Duration {
    Duration::seconds(10)
}

/// What an API client gets: the session, and the token that extends it.
pub struct Grant {
    pub user: User,
    pub sid: String,
    pub refresh_token: String,
}

const INVALID: Error = Error::InvalidCredentials(Credentials::RefreshToken);

/// Opens a session for an API client, with the first token of its family.
pub async fn open(site: &Site, caller: &Caller, identity: &Identity) -> Result<Grant> {
    let mut tx = session::begin(site, caller, identity).await?;
    let sid = session::insert(&mut tx, caller, identity, Audience::Api, None).await?;
    let refresh_token = random::token(PREFIX)?;
    sql("INSERT INTO refresh_tokens (hash, session_id, created_at) VALUES ($1, $2, $3)")
        .bind(random::sha256(&refresh_token))
        .bind(sid.as_str())
        .bind(now())
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(Grant { user: identity.user.clone(), sid, refresh_token })
}

#[derive(FromRow)]
struct Successor {
    hash: String,
    session_id: String,
    created_at: DateTime<Utc>,
}

/// Exchanges a token for the next one of its family. Reuse within the grace period returns the same
/// successor, which is derived from the token and our key. Later reuse means that the token was
/// copied: the family is revoked.
///
/// # Errors
/// `InvalidCredentials`; `TooManyRequests`.
pub async fn rotate(site: &Site, caller: &Caller, token: &str) -> Result<Grant> {
    let at = now();
    let hash = random::sha256(token);
    let refresh_token = format!("{PREFIX}{}", site.keys.derive("refresh", token));
    let budget = limit(site, caller, &hash).await?;
    let mut tx = site.db.begin().await?;
    rate_limit::charge(&mut tx, caller, &budget).await?;
    // The same lock order as everything that ends a session: first its row, then its tokens.
    sql("UPDATE sessions SET address = $1 \
         WHERE id = (SELECT session_id FROM refresh_tokens WHERE hash = $2)")
    .bind(caller.address())
    .bind(hash.as_str())
    .execute(&mut tx)
    .await?;
    // Atomic: one statement inserts the successor, or finds the existing one.
    let successor: Option<Successor> =
        sql("INSERT INTO refresh_tokens (hash, parent_hash, session_id, created_at) \
             SELECT $1, t.hash, t.session_id, $2 FROM refresh_tokens t \
             JOIN sessions s ON s.id = t.session_id JOIN users u ON u.id = s.user_id \
             WHERE t.hash = $3 AND s.expires_at > $2 AND s.last_used_at > $4 \
             AND u.disabled_at IS NULL \
             ON CONFLICT (parent_hash) DO UPDATE SET parent_hash = excluded.parent_hash \
             RETURNING hash, session_id, created_at")
        .bind(random::sha256(&refresh_token))
        .bind(at)
        .bind(hash)
        .bind(at - session::idle_limit())
        .optional(&mut tx)
        .await?;
    let successor = successor.ok_or(INVALID)?;
    let user = owner(&mut tx, &successor.session_id).await?;
    if successor.created_at < at - grace() {
        sql("DELETE FROM sessions WHERE id = $1")
            .bind(successor.session_id)
            .execute(&mut tx)
            .await?;
        AuditEvent::new(EventKind::TOKEN_REPLAYED)
            .about(user.id, &user.username)
            .detail("a used refresh token was sent again; its session was ended")
            .write(&mut tx, caller)
            .await?;
        tx.commit().await?;
        return Err(INVALID);
    }
    if successor.hash != random::sha256(&refresh_token) {
        // The signing key changed within the grace period: only the first caller has the successor.
        return Err(INVALID);
    }
    sql("UPDATE sessions SET last_used_at = $1 WHERE id = $2")
        .bind(at)
        .bind(successor.session_id.as_str())
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(Grant { user, sid: successor.session_id, refresh_token })
}

/// What an exchange counts for. Unknown tokens are found by reading, and counted for the network:
/// on SQLite, anybody could otherwise keep the one connection that writes busy.
///
/// # Errors
/// `InvalidCredentials` when the token is unknown; `TooManyRequests`.
async fn limit(site: &Site, caller: &Caller, hash: &str) -> Result<Budget> {
    let db = &site.db;
    let owner: Option<i64> = sql("SELECT s.user_id FROM refresh_tokens t \
         JOIN sessions s ON s.id = t.session_id WHERE t.hash = $1")
    .bind(hash)
    .optional_scalar(db)
    .await?;
    let Some(owner) = owner else {
        let network = Budget::new(site.limits.refresh_address, &caller.network());
        rate_limit::acquire(db, caller, &network).await?;
        return Err(INVALID);
    };
    let budget = Budget::new(site.limits.refreshes, &owner.to_string());
    rate_limit::check(db, caller, &budget).await?;
    Ok(budget)
}

async fn owner(tx: &mut Tx, sid: &str) -> Result<User> {
    sql("SELECT u.id, u.username, u.role FROM sessions s \
         JOIN users u ON u.id = s.user_id WHERE s.id = $1")
    .bind(sid)
    .one(tx)
    .await
}

/// Revokes the family of a token (RFC 7009 §2.1), used or not. An unknown token counts as revoked.
pub async fn revoke(site: &Site, caller: &Caller, token: &str) -> Result<()> {
    let mut tx = site.db.begin().await?;
    let found: Option<String> = sql("SELECT session_id FROM refresh_tokens WHERE hash = $1")
        .bind(random::sha256(token))
        .optional_scalar(&mut tx)
        .await?;
    let Some(sid) = found else { return Ok(()) };
    let user = owner(&mut tx, &sid).await?;
    sql("DELETE FROM sessions WHERE id = $1").bind(sid).execute(&mut tx).await?;
    AuditEvent::own(EventKind::SESSION_ENDED, &user)
        .detail("revoked")
        .write(&mut tx, caller)
        .await?;
    tx.commit().await
}

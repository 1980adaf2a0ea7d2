//! Secrets that travel in mailed links: for one use, for a while, for one purpose.

use chrono::Duration;
use sqlx::FromRow;

use crate::db::{Conn, Db, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::secret;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Confirming an e-mail address.
    Verify,
    /// Setting a new password.
    Reset,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        match self {
            Purpose::Verify => "verify",
            Purpose::Reset => "reset",
        }
    }

    fn lifetime(self) -> Duration {
        match self {
            Purpose::Verify => Duration::days(3),
            Purpose::Reset => Duration::hours(1),
        }
    }
}

/// What a link that does not work is told.
pub const DEAD: Error =
    Error::BadCredentials("This link is not valid any more. Ask for a new one.");

/// Makes the secret for a link; those before it for the same purpose die.
pub async fn make(db: &Db, user_id: i64, purpose: Purpose, email: &str) -> Result<String> {
    let token = secret::token("")?;
    let at = now();
    let mut tx = db.begin().await?;
    sql("DELETE FROM link_tokens WHERE (user_id = $1 AND purpose = $2) OR expires_at <= $3")
        .bind(user_id)
        .bind(purpose.as_str())
        .bind(at)
        .execute(&mut tx)
        .await?;
    sql("INSERT INTO link_tokens (hash, user_id, purpose, email, expires_at) \
         VALUES ($1, $2, $3, $4, $5)")
    .bind(secret::hashed(&token))
    .bind(user_id)
    .bind(purpose.as_str())
    .bind(email)
    .bind(at + purpose.lifetime())
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(token)
}

/// Whom a link concerns, and where it was sent.
#[derive(Debug, FromRow)]
pub struct Link {
    pub user_id: i64,
    pub email: String,
}

/// Looks without using it up.
///
/// # Errors
/// `BadCredentials` when the link is unknown, used, replaced or too old.
pub async fn find<'c>(conn: impl Into<Conn<'c>>, purpose: Purpose, token: &str) -> Result<Link> {
    sql("SELECT user_id, email FROM link_tokens \
         WHERE hash = $1 AND purpose = $2 AND expires_at > $3")
    .bind(secret::hashed(token))
    .bind(purpose.as_str())
    .bind(now())
    .optional(conn)
    .await?
    .ok_or(DEAD)
}

/// Uses a link up, in one statement: of many who come with it one gets it.
///
/// # Errors
/// As `find`.
pub async fn take(tx: &mut Tx, purpose: Purpose, token: &str) -> Result<Link> {
    sql("DELETE FROM link_tokens WHERE hash = $1 AND purpose = $2 AND expires_at > $3 \
         RETURNING user_id, email")
    .bind(secret::hashed(token))
    .bind(purpose.as_str())
    .bind(now())
    .optional(tx)
    .await?
    .ok_or(DEAD)
}

/// Ends all links of a person for a purpose.
pub async fn void(tx: &mut Tx, user_id: i64, purpose: Purpose) -> Result<()> {
    sql("DELETE FROM link_tokens WHERE user_id = $1 AND purpose = $2")
        .bind(user_id)
        .bind(purpose.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

//! The secrets in e-mailed links: for one use, for a limited time, for one purpose.

use chrono::Duration;
use sqlx::FromRow;
use strum::IntoStaticStr;

use crate::db::{Conn, Db, Tx, now, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Purpose {
    /// Confirming an e-mail address.
    Verify,
    /// Setting a new password.
    Reset,
}

impl Purpose {
    fn as_str(self) -> &'static str {
        self.into()
    }

    fn lifetime(self) -> Duration {
        match self {
            Purpose::Verify => Duration::days(3),
            Purpose::Reset => Duration::hours(1),
        }
    }
}

/// The error of an invalid or expired link.
pub const INVALID: Error = Error::InvalidCredentials(Credentials::Link);

/// Creates the secret for a link; earlier ones for the same purpose become invalid.
pub async fn create(db: &Db, user_id: i64, purpose: Purpose, email: &str) -> Result<String> {
    let token = random::token("")?;
    let at = now();
    let mut tx = db.begin().await?;
    invalidate(&mut tx, user_id, purpose).await?;
    sql("INSERT INTO link_tokens (hash, user_id, purpose, email, expires_at) \
         VALUES ($1, $2, $3, $4, $5)")
    .bind(random::sha256(&token))
    .bind(user_id)
    .bind(purpose.as_str())
    .bind(email)
    .bind(at + purpose.lifetime())
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(token)
}

/// Rate-limits requests for links and uses of links.
///
/// # Errors
/// `TooManyRequests`.
pub async fn limit(site: &Site, caller: &Caller) -> Result<()> {
    let budget = Budget::new(site.limits.links, &caller.network());
    rate_limit::acquire(&site.db, caller, &budget).await
}

/// Whose link it is, and where it was sent.
#[derive(Debug, FromRow)]
pub struct Link {
    pub user_id: i64,
    pub email: String,
}

/// Looks a link up without consuming it.
///
/// # Errors
/// `InvalidCredentials` when the link is unknown, used, replaced or expired.
pub async fn find<'c>(conn: impl Into<Conn<'c>>, purpose: Purpose, token: &str) -> Result<Link> {
    sql("SELECT user_id, email FROM link_tokens \
         WHERE hash = $1 AND purpose = $2 AND expires_at > $3")
    .bind(random::sha256(token))
    .bind(purpose.as_str())
    .bind(now())
    .optional(conn)
    .await?
    .ok_or(INVALID)
}

/// Consumes a link atomically; of concurrent callers one succeeds.
///
/// # Errors
/// As `find`.
pub async fn consume(tx: &mut Tx, purpose: Purpose, token: &str) -> Result<Link> {
    sql("DELETE FROM link_tokens WHERE hash = $1 AND purpose = $2 AND expires_at > $3 \
         RETURNING user_id, email")
    .bind(random::sha256(token))
    .bind(purpose.as_str())
    .bind(now())
    .optional(tx)
    .await?
    .ok_or(INVALID)
}

/// Invalidates all of a user's links for a purpose.
pub async fn invalidate(tx: &mut Tx, user_id: i64, purpose: Purpose) -> Result<()> {
    sql("DELETE FROM link_tokens WHERE user_id = $1 AND purpose = $2")
        .bind(user_id)
        .bind(purpose.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

/// Deletes expired links; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    sql("DELETE FROM link_tokens WHERE expires_at <= $1").bind(now()).execute(tx).await
}

//! The secrets in e-mailed links: for one use, for a limited time, for one purpose.

use chrono::Duration;
use sqlx::FromRow;
use strum::{EnumIter, IntoEnumIterator, IntoStaticStr};

use crate::db::{Conn, Tx, now, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::base::caller::Caller;
use crate::models::base::job::ClaimedJob;
use crate::models::base::random;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::users::user;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Purpose {
    /// Confirming an e-mail address.
    Verify,
    /// Setting a new password.
    Reset,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    fn lifetime(self) -> Duration {
        match self {
            Purpose::Verify => Duration::days(3),
            Purpose::Reset => Duration::minutes(30),
        }
    }
}

/// The error of an invalid or expired link.
pub const INVALID: Error = Error::InvalidCredentials(Credentials::Link);

/// A link that this job or a later one created for the same user and purpose.
#[derive(FromRow)]
struct Created {
    hash: String,
    job_id: i64,
    ended: bool,
}

/// The secret of the link that this job mails to this address of the user. It is derived from the
/// job and the site's key: each attempt of the job gets the same one, which stays valid, and it is
/// stored nowhere. Earlier links for the same purpose become invalid.
///
/// `None` when the link is not needed any more: the user has used or revoked it, has a later one,
/// or has given up the address.
pub async fn create(
    site: &Site,
    job: &ClaimedJob,
    user_id: i64,
    purpose: Purpose,
    email: &str,
) -> Result<Option<String>> {
    let mut tx = site.db.begin().await?;
    // Locks the user: two jobs that run at the same time see each other's links.
    let locked = sql("UPDATE users SET email = email \
         WHERE id = $1 AND (email = $2 OR pending_email = $2)")
    .bind(user_id)
    .bind(email)
    .execute(&mut tx)
    .await?;
    let created: Vec<Created> = sql("SELECT hash, job_id, ended_at IS NOT NULL AS ended \
         FROM link_tokens WHERE user_id = $1 AND purpose = $2 AND job_id >= $3")
    .bind(user_id)
    .bind(purpose.as_str())
    .bind(job.id)
    .all(&mut tx)
    .await?;
    if locked == 0 || created.iter().any(|link| link.ended || link.job_id > job.id) {
        return Ok(None);
    }
    if created.is_empty() {
        invalidate(&mut tx, user_id, purpose).await?;
    }
    let text = format!("{}\n{user_id}\n{}\n{email}", job.key(), purpose.as_str());
    let token = site
        .keys
        .derive_with_all("link", &text)
        .find(|token| created.iter().any(|link| link.hash == random::sha256(token)))
        // The first attempt, or one whose key no longer exists: then both links are valid.
        .unwrap_or_else(|| site.keys.derive("link", &text));
    sql("INSERT INTO link_tokens (hash, user_id, purpose, email, expires_at, job_id) \
         VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at \
         WHERE link_tokens.ended_at IS NULL")
    .bind(random::sha256(&token))
    .bind(user_id)
    .bind(purpose.as_str())
    .bind(email)
    .bind(now() + purpose.lifetime())
    .bind(job.id)
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(Some(token))
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

/// Consumes a link atomically; of concurrent callers one succeeds. Locks its user first: rows are
/// locked from the person down.
///
/// # Errors
/// As `find`.
pub async fn consume(tx: &mut Tx, purpose: Purpose, token: &str) -> Result<Link> {
    let owner = find(&mut *tx, purpose, token).await?.user_id;
    user::lock(tx, owner).await.map_err(|error| match error {
        // The account was deleted in the meantime.
        Error::NotFound => INVALID,
        error => error,
    })?;
    // Another caller may have consumed it while this one waited.
    let link: Link = sql("UPDATE link_tokens SET ended_at = $1, expires_at = $1 \
         WHERE hash = $2 AND purpose = $3 AND expires_at > $1 RETURNING user_id, email")
    .bind(now())
    .bind(random::sha256(token))
    .bind(purpose.as_str())
    .optional(&mut *tx)
    .await?
    .ok_or(INVALID)?;
    invalidate(tx, link.user_id, purpose).await?;
    Ok(link)
}

/// Invalidates all of a user's links.
pub async fn invalidate_all(tx: &mut Tx, user_id: i64) -> Result<()> {
    for purpose in Purpose::iter() {
        invalidate(tx, user_id, purpose).await?;
    }
    Ok(())
}

/// Invalidates all of a user's links for a purpose.
pub async fn invalidate(tx: &mut Tx, user_id: i64, purpose: Purpose) -> Result<()> {
    sql("UPDATE link_tokens SET ended_at = $1, expires_at = $1 \
         WHERE user_id = $2 AND purpose = $3 AND ended_at IS NULL")
    .bind(now())
    .bind(user_id)
    .bind(purpose.as_str())
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes expired links, except those that a waiting job may still look up in `create`; returns
/// how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    sql("DELETE FROM link_tokens WHERE expires_at <= $1 AND NOT EXISTS \
         (SELECT 1 FROM jobs j WHERE j.finished_at IS NULL AND j.id <= link_tokens.job_id)")
    .bind(now())
    .execute(tx)
    .await
}

//! Rate limits. They are stored in the database, so that all instances share them and a restart does
//! not reset them.

use chrono::{DateTime, Duration, Utc};

use crate::db::{Conn, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::base::rate_policy::{RateLimitStatus, RatePolicy};

/// Counts one of the attempts that `policy` allows for `key`, and records how many remain for the
/// response headers.
///
/// # Errors
/// `TooManyRequests` when none is left; `first` marks the first refusal in a window.
pub async fn acquire<'c>(
    conn: impl Into<Conn<'c>>,
    caller: &Caller,
    policy: &'static RatePolicy,
    key: &str,
) -> Result<()> {
    let (status, acquired) = count(conn, policy, key).await?;
    caller.record(status);
    acquired
}

/// `acquire` without response headers.
pub async fn acquire_silently<'c>(
    conn: impl Into<Conn<'c>>,
    policy: &'static RatePolicy,
    key: &str,
) -> Result<()> {
    count(conn, policy, key).await?.1
}

/// Counts in one statement, so that concurrent attempts are all counted.
async fn count<'c>(
    conn: impl Into<Conn<'c>>,
    policy: &'static RatePolicy,
    key: &str,
) -> Result<(RateLimitStatus, Result<()>)> {
    let at = now();
    let (count, ends_at): (i64, DateTime<Utc>) =
        sql("INSERT INTO throttles (key, count, ends_at) VALUES ($1, 1, $2) \
             ON CONFLICT (key) DO UPDATE SET \
             count = CASE WHEN throttles.ends_at <= $3 THEN 1 ELSE throttles.count + 1 END, \
             ends_at = CASE WHEN throttles.ends_at <= $3 THEN excluded.ends_at \
             ELSE throttles.ends_at END \
             RETURNING count, ends_at")
        .bind(stored_key(policy, key))
        .bind(at + Duration::seconds(policy.window))
        .bind(at)
        .one(conn)
        .await?;
    // Rounded up, so that a client that waits this long succeeds.
    let resets_in = ((ends_at - at).num_milliseconds() + 999) / 1000;
    let remaining = (policy.quota - count).max(0);
    let status = RateLimitStatus { policy, remaining, resets_in };
    if count > policy.quota {
        let first = count == policy.quota + 1;
        let refused = Error::TooManyRequests { retry_after: resets_in.max(1), first };
        return Ok((status, Err(refused)));
    }
    Ok((status, Ok(())))
}

/// Uncounts an attempt that succeeded.
pub async fn release<'c>(
    conn: impl Into<Conn<'c>>,
    caller: &Caller,
    policy: &'static RatePolicy,
    key: &str,
) -> Result<()> {
    sql("UPDATE throttles SET count = count - 1 WHERE key = $1 AND count > 0")
        .bind(stored_key(policy, key))
        .execute(conn)
        .await?;
    let statuses = caller.rate_limits();
    if let Some(mut status) = statuses.into_iter().find(|s| s.policy.name == policy.name) {
        status.remaining += 1;
        caller.record(status);
    }
    Ok(())
}

/// Names typed into a log-in form are sometimes passwords: only their hash is stored.
fn stored_key(policy: &RatePolicy, key: &str) -> String {
    format!("{}:{}", policy.name, random::sha256(key))
}

/// Deletes windows that have ended; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    sql("DELETE FROM throttles WHERE ends_at <= $1").bind(now()).execute(tx).await
}

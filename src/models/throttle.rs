//! Limits on how often something may be tried. They stand in the database, so that all instances
//! share them and a restart forgets nothing.

use chrono::{DateTime, Duration, Utc};

use crate::db::{Conn, Db, now, sql};
use crate::error::{Error, Result};
use crate::models::caller::Caller;
use crate::models::secret;

/// So many times in so many seconds.
#[derive(Debug)]
pub struct Policy {
    pub name: &'static str,
    pub quota: i64,
    /// Seconds.
    pub window: i64,
}

/// Failed log-ins from one address.
pub const LOGIN_ADDRESS: Policy = Policy { name: "login-address", quota: 10, window: 60 };
/// Failed log-ins to one account.
pub const LOGIN_ACCOUNT: Policy = Policy { name: "login-account", quota: 5, window: 5 * 60 };
/// Wrong passwords of somebody who is logged in already; apart from log-ins, with which strangers
/// could lock the owner out.
pub const PROOF: Policy = Policy { name: "proof", quota: 5, window: 5 * 60 };
/// Wrong codes of somebody who has shown the password.
pub const CODE: Policy = Policy { name: "code", quota: 5, window: 5 * 60 };
/// Registrations from one address.
pub const REGISTER: Policy = Policy { name: "register", quota: 20, window: 60 };
/// Asking for mails with links, and using the links, from one address.
pub const LINKS: Policy = Policy { name: "links", quota: 20, window: 60 };
/// Mails with links to one address.
pub const MAILS: Policy = Policy { name: "mails", quota: 5, window: 60 * 60 };
/// Denials that are worth an event in the audit, a person: nobody fills the disk by being refused.
pub const DENIALS: Policy = Policy { name: "denials", quota: 10, window: 60 };

/// How much of a limit is left.
#[derive(Debug, Clone)]
pub struct Standing {
    pub policy: &'static Policy,
    pub remaining: i64,
    /// Seconds until the count begins anew.
    pub resets_in: i64,
}

/// Takes one of `policy`'s tries for `key`, and notes for the answer's headers what is left.
///
/// # Errors
/// As `take_quietly`.
pub async fn take(db: &Db, caller: &Caller, policy: &'static Policy, key: &str) -> Result<()> {
    let (standing, taken) = count(db, policy, key).await?;
    caller.met(standing);
    taken
}

/// Takes a try of which the answer's headers should tell nothing.
///
/// # Errors
/// `TooMany` when none is left. The first refusal in a window is told by `first`.
pub async fn take_quietly(db: &Db, policy: &'static Policy, key: &str) -> Result<()> {
    count(db, policy, key).await?.1
}

/// Counts in one statement, so that no two callers take the same try; gives what is left, and
/// whether this one was to be had.
async fn count(db: &Db, policy: &'static Policy, key: &str) -> Result<(Standing, Result<()>)> {
    let at = now();
    let (count, ends_at): (i64, DateTime<Utc>) =
        sql("INSERT INTO throttles (key, count, ends_at) VALUES ($1, 1, $2) \
             ON CONFLICT (key) DO UPDATE SET \
             count = CASE WHEN throttles.ends_at <= $3 THEN 1 ELSE throttles.count + 1 END, \
             ends_at = CASE WHEN throttles.ends_at <= $3 THEN excluded.ends_at \
             ELSE throttles.ends_at END \
             RETURNING count, ends_at")
        .bind(kept(policy, key))
        .bind(at + Duration::seconds(policy.window))
        .bind(at)
        .one(db.writer())
        .await?;
    if count == 1 {
        sweep(db, at).await?;
    }
    // Rounded up, so that whoever waits as told is let in.
    let resets_in = ((ends_at - at).num_milliseconds() + 999) / 1000;
    let remaining = (policy.quota - count).max(0);
    let standing = Standing { policy, remaining, resets_in };
    if count > policy.quota {
        let first = count == policy.quota + 1;
        return Ok((standing, Err(Error::TooMany { retry_after: resets_in.max(1), first })));
    }
    Ok((standing, Ok(())))
}

/// Gives a try back that was no failure.
pub async fn give_back<'c>(
    conn: impl Into<Conn<'c>>,
    caller: &Caller,
    policy: &'static Policy,
    key: &str,
) -> Result<()> {
    sql("UPDATE throttles SET count = count - 1 WHERE key = $1 AND count > 0")
        .bind(kept(policy, key))
        .execute(conn)
        .await?;
    if let Some(mut standing) =
        caller.standings().into_iter().find(|s| s.policy.name == policy.name)
    {
        standing.remaining += 1;
        caller.met(standing);
    }
    Ok(())
}

/// Names typed into a log-in form are sometimes passwords: only a hash of them is kept.
fn kept(policy: &Policy, key: &str) -> String {
    format!("{}:{}", policy.name, secret::hashed(key))
}

/// Forgets windows that have ended.
async fn sweep(db: &Db, at: DateTime<Utc>) -> Result<()> {
    sql("DELETE FROM throttles WHERE ends_at <= $1").bind(at).execute(db.writer()).await?;
    Ok(())
}

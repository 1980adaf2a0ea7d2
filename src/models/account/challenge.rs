//! Between password and code: people who have shown the one in a browser, and not yet the other.

use chrono::Duration;
use sqlx::FromRow;

use super::Identity;
use crate::db::{Db, now, sql};
use crate::error::{Error, Result};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::secret;
use crate::models::token::Keys;
use crate::models::two_factor;
use crate::models::user::{Role, User};

/// Somebody whose password was right.
#[derive(Debug)]
pub enum Shown {
    /// That is enough for this account.
    Enough(Identity),
    /// A code is needed too.
    Half(Identity),
}

/// What is told when the log-in must begin anew.
const OVER: &str = "That took too long. Log in again.";

/// Finishes a log-in whose code came along with the password.
///
/// # Errors
/// `CodeNeeded` when it did not; `BadCredentials` when it is wrong; `TooMany`.
pub async fn complete(
    db: &Db,
    keys: &Keys,
    caller: &Caller,
    shown: Shown,
    code: Option<&str>,
) -> Result<Identity> {
    let who = match shown {
        Shown::Enough(who) => return Ok(who),
        Shown::Half(who) => who,
    };
    let Some(code) = code.filter(|code| !code.trim().is_empty()) else {
        return Err(Error::CodeNeeded);
    };
    prove_code(db, keys, caller, who, code).await
}

async fn prove_code(
    db: &Db,
    keys: &Keys,
    caller: &Caller,
    who: Identity,
    code: &str,
) -> Result<Identity> {
    if two_factor::check(db, keys, caller, &who.user, Some(code)).await? {
        return Ok(who);
    }
    Entry::new(Kind::LoginFailed)
        .about(who.user.id, &who.user.username)
        .detail("code")
        .note(db, caller)
        .await?;
    Err(Error::BadCredentials(two_factor::WRONG))
}

/// Keeps in mind that the password was shown; gives the secret with which the browser comes back.
pub async fn challenge(db: &Db, who: &Identity) -> Result<String> {
    let token = secret::token("")?;
    let at = now();
    let mut tx = db.begin().await?;
    sql("DELETE FROM login_challenges WHERE expires_at <= $1").bind(at).execute(&mut tx).await?;
    sql("INSERT INTO login_challenges (hash, user_id, stamp, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(secret::hashed(&token))
        .bind(who.user.id)
        .bind(secret::hashed(&who.stamp))
        .bind(at + Duration::minutes(5))
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(token)
}

#[derive(FromRow)]
struct Row {
    stamp: String,
    id: i64,
    username: String,
    #[sqlx(try_from = "String")]
    role: Role,
    password_hash: String,
}

/// Finishes a log-in with the code that belongs to an earlier `challenge`.
///
/// # Errors
/// `BadCredentials` when the challenge is over or the code is wrong; `TooMany`.
pub async fn answer(
    db: &Db,
    keys: &Keys,
    caller: &Caller,
    token: &str,
    code: Option<&str>,
) -> Result<Identity> {
    let row: Option<Row> = sql("SELECT c.stamp, u.id, u.username, u.role, u.password_hash \
             FROM login_challenges c JOIN users u ON u.id = c.user_id \
             WHERE c.hash = $1 AND c.expires_at > $2 AND u.disabled_at IS NULL")
    .bind(secret::hashed(token))
    .bind(now())
    .optional(db.writer())
    .await?;
    let row = row.filter(|row| row.stamp == secret::hashed(&row.password_hash));
    let Some(row) = row else { return Err(Error::BadCredentials(OVER)) };
    let user = User { id: row.id, username: row.username, role: row.role };
    let who = Identity { user, stamp: row.password_hash };
    let code = code.filter(|code| !code.trim().is_empty());
    let code = code.ok_or_else(|| Error::invalid("code", "Give the code."))?;
    let who = prove_code(db, keys, caller, who, code).await?;
    sql("DELETE FROM login_challenges WHERE hash = $1")
        .bind(secret::hashed(token))
        .execute(db.writer())
        .await?;
    Ok(who)
}

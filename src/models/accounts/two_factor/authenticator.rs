//! The secret of an authenticator, which is sealed, and the codes that it generates (RFC 6238).

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use totp_rs::{Builder, Totp};

use crate::db::{Db, shared_now, sql};
use crate::error::{Error, Result};
use crate::models::base::keys::Keys;
use crate::models::users::user::User;

#[derive(FromRow)]
pub struct TwoFactorRow {
    pub secret: String,
    pub confirmed_at: Option<DateTime<Utc>>,
}

/// The authenticator of a user: set up, or being set up.
pub async fn row(db: &Db, user_id: i64) -> Result<Option<TwoFactorRow>> {
    sql("SELECT secret, confirmed_at FROM two_factors WHERE user_id = $1")
        .bind(user_id)
        .optional(db)
        .await
}

pub fn generator(raw: Vec<u8>, username: &str, issuer: &str) -> Result<Totp> {
    // What all authenticators support: SHA-1, six digits, 30 seconds, one step of tolerance.
    Builder::new()
        .with_secret(raw)
        .with_account_name(username)
        .with_issuer(Some(issuer))
        .build()
        .map_err(|e| Error::Internal(format!("totp: {e}")))
}

/// The place of a sealed secret (see `Keys::seal`).
pub fn place(user_id: i64) -> String {
    format!("two-factor/{user_id}")
}

/// Uses a code from the authenticator up; returns whether it was valid.
pub async fn use_code(db: &Db, keys: &Keys, user: &User, code: &str) -> Result<bool> {
    let Some(row) = row(db, user.id).await? else { return Ok(false) };
    let Some(raw) = keys.open(&place(user.id), &row.secret) else {
        tracing::warn!(
            user = user.id,
            "an authenticator was sealed with a key that no longer exists"
        );
        return Ok(false);
    };
    // Not this instance's own clock: every instance must accept the same codes.
    let time = u64::try_from(shared_now(db).await?.timestamp()).unwrap_or_default();
    let Some(step) = generator(raw.clone(), &user.username, "")?.check(code, time) else {
        return Ok(false);
    };
    // Atomic, so that only one of two concurrent requests with the same code succeeds. The secret
    // is sealed again, with the newest key.
    let step = i64::try_from(step).map_err(|e| Error::Internal(e.to_string()))?;
    let used = sql("UPDATE two_factors SET last_step = $1, secret = $2 \
         WHERE user_id = $3 AND last_step < $1")
    .bind(step)
    .bind(keys.seal(&place(user.id), &raw)?)
    .bind(user.id)
    .execute(db.writer())
    .await?;
    Ok(used > 0)
}

//! Pending log-ins: password correct, second factor still due.

use chrono::Duration;
use sqlx::FromRow;

use crate::db::{Tx, now, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::accounts::device::Device;
use crate::models::accounts::identity::Identity;
use crate::models::accounts::login::PasswordCheck;
use crate::models::accounts::two_factor::code;
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::base::site::Site;
use crate::models::users::user::User;
use crate::validation::Rule;

/// How long a browser may take between password and code.
fn lifetime() -> Duration {
    Duration::minutes(5)
}

/// Completes a log-in whose code was sent together with the password.
///
/// # Errors
/// `SecondFactorRequired` when the code is missing; `InvalidCredentials` when it is wrong;
/// `TooManyRequests`.
pub async fn complete(
    site: &Site,
    caller: &Caller,
    check: PasswordCheck,
    code: Option<&str>,
    device_token: Option<&str>,
) -> Result<Identity> {
    let identity = match check {
        PasswordCheck::Complete(identity) => return Ok(identity),
        PasswordCheck::CodeRequired(identity) => identity,
    };
    let code = code.filter(|code| !code.trim().is_empty()).ok_or(Error::SecondFactorRequired)?;
    verify_code(site, caller, identity, code, device_token).await
}

async fn verify_code(
    site: &Site,
    caller: &Caller,
    identity: Identity,
    code: &str,
    device_token: Option<&str>,
) -> Result<Identity> {
    let device = Device::read(&site.keys, device_token);
    let device = device.id_for(identity.user.id, &identity.password_hash);
    if code::verify_login_code(site, caller, &identity.user, code, device).await? {
        return Ok(identity);
    }
    Err(Error::InvalidCredentials(Credentials::Code))
}

/// Records that the password was right; returns the secret with which the browser can continue.
pub async fn create(site: &Site, identity: &Identity) -> Result<String> {
    let token = random::token("")?;
    sql("INSERT INTO login_challenges (hash, user_id, stamp, expires_at) VALUES ($1, $2, $3, $4)")
        .bind(random::sha256(&token))
        .bind(identity.user.id)
        .bind(random::sha256(&identity.password_hash))
        .bind(now() + lifetime())
        .execute(site.db.writer())
        .await?;
    Ok(token)
}

#[derive(FromRow)]
struct ChallengeRow {
    /// SHA-256 of the hash that the password was verified against.
    stamp: String,
    #[sqlx(flatten)]
    user: User,
    password_hash: String,
}

/// Looks an earlier challenge up.
///
/// # Errors
/// `InvalidCredentials` when it is unknown or has expired.
pub async fn find(site: &Site, token: &str) -> Result<Identity> {
    let row: Option<ChallengeRow> =
        sql("SELECT c.stamp, u.id, u.username, u.role, u.password_hash \
         FROM login_challenges c JOIN users u ON u.id = c.user_id \
         WHERE c.hash = $1 AND c.expires_at > $2 AND u.disabled_at IS NULL")
        .bind(random::sha256(token))
        .bind(now())
        .optional(&site.db)
        .await?;
    // A password change in the meantime ends the challenge.
    let row = row
        .filter(|row| row.stamp == random::sha256(&row.password_hash))
        .ok_or(Error::InvalidCredentials(Credentials::LoginExpired))?;
    Ok(Identity { user: row.user, password_hash: row.password_hash })
}

/// Completes a log-in with the code for an earlier challenge.
///
/// # Errors
/// As `find`; `InvalidCredentials` when the code is wrong; `TooManyRequests`.
pub async fn answer(
    site: &Site,
    caller: &Caller,
    token: &str,
    code: Option<&str>,
    device_token: Option<&str>,
) -> Result<Identity> {
    let identity = find(site, token).await?;
    let code = code.filter(|code| !code.trim().is_empty());
    let code = code.ok_or_else(|| Error::invalid("code", Rule::Required))?;
    let identity = verify_code(site, caller, identity, code, device_token).await?;
    sql("DELETE FROM login_challenges WHERE hash = $1")
        .bind(random::sha256(token))
        .execute(site.db.writer())
        .await?;
    Ok(identity)
}

/// Deletes expired challenges; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    sql("DELETE FROM login_challenges WHERE expires_at <= $1").bind(now()).execute(tx).await
}

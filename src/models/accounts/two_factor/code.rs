//! Codes of the second factor, from the authenticator or for recovery: each works once, and wrong
//! ones are counted.

use serde::Deserialize;

use crate::db::{Conn, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::accounts::two_factor::{authenticator, recovery_codes};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::mail::outbox::{self, MailKind};
use crate::models::users::user::User;
use crate::validation::Rule;

/// After this many consecutive wrong codes at log-in, none is accepted any more (NIST SP 800-63B
/// §5.2.2).
const MAX_CODE_FAILURES: i64 = 100;

/// A code that the user enters.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct TwoFactorCode {
    /// The six-digit code from the authenticator, or a recovery code.
    #[schema(value_type = String, example = "123456", min_length = 1, max_length = 100)]
    pub code: Option<String>,
}

/// Verifies a code of a logged-in user.
///
/// # Errors
/// `Invalid` when the code is wrong; `TooManyRequests`.
pub async fn require_code(site: &Site, actor: &Actor, input: &TwoFactorCode) -> Result<()> {
    let (user, caller) = (&actor.user, &actor.caller);
    if verify_code(site, caller, user, input.code.as_deref()).await? {
        return Ok(());
    }
    let event = AuditEvent::own(EventKind::REAUTHENTICATION_FAILED, user).detail("code");
    event.record(&site.db, caller).await?;
    Err(Error::invalid("code", Rule::Wrong))
}

/// Verifies and consumes a code of a logged-in user; returns whether it was valid. Wrong ones count
/// separately from those at log-in, with which strangers could lock the owner out.
///
/// # Errors
/// `TooManyRequests`.
pub async fn verify_code(
    site: &Site,
    caller: &Caller,
    user: &User,
    code: Option<&str>,
) -> Result<bool> {
    let budget = Budget::new(site.limits.code, &user.id.to_string());
    attempt(site, caller, user, code.unwrap_or_default(), budget).await
}

/// Verifies and consumes a code after the right password; returns whether it was valid. `device` is
/// the id of a device that is known to the account. Wrong codes are audited, and the owner is told
/// by e-mail: somebody knows the password.
///
/// # Errors
/// `InvalidCredentials` after too many consecutive wrong codes; `TooManyRequests`.
pub async fn verify_login_code(
    site: &Site,
    caller: &Caller,
    user: &User,
    code: &str,
    device: Option<&str>,
) -> Result<bool> {
    let failures: Option<i64> = sql("SELECT code_failures FROM two_factors \
         WHERE user_id = $1")
    .bind(user.id)
    .optional_scalar(&site.db)
    .await?;
    let failures = failures.unwrap_or_default();
    if failures >= MAX_CODE_FAILURES {
        return Err(Error::InvalidCredentials(Credentials::CodesLocked));
    }
    let (policy, key) = (site.limits.login_code, user.id.to_string());
    let budget = match device {
        Some(device) => Budget::of_part(policy, &key, device),
        None => Budget::new(policy, &key),
    };
    let right = attempt(site, caller, user, code, budget).await?;
    if !right {
        record_code_failure(site, caller, user).await?;
    } else if failures > 0 {
        forgive_code_failures(site.db.writer(), user.id).await?;
    }
    Ok(right)
}

/// Verifies a code, and counts it for `budget` if it is wrong.
async fn attempt(
    site: &Site,
    caller: &Caller,
    user: &User,
    code: &str,
    budget: Budget,
) -> Result<bool> {
    let db = &site.db;
    let begun = site.attempts.begin(db, caller, vec![budget]).await;
    if let Err(Error::TooManyRequests { first: true, .. }) = begun {
        let event = AuditEvent::own(EventKind::LOGIN_THROTTLED, user).detail("code");
        event.record(db, caller).await?;
    }
    let attempt = begun?;
    let code = recovery_codes::normalised(code);
    let right = if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
        authenticator::use_code(db, &site.keys, user, &code).await?
    } else {
        recovery_codes::consume(db, caller, user, &code).await?
    };
    if !right {
        attempt.fail(db, caller).await?;
    }
    Ok(right)
}

/// Counts a wrong code after the right password and tells the owner: at most once a day, and when
/// no further code is accepted.
async fn record_code_failure(site: &Site, caller: &Caller, user: &User) -> Result<()> {
    let mut tx = site.db.begin().await?;
    let failures: Option<i64> =
        sql("UPDATE two_factors SET code_failures = code_failures + 1 WHERE user_id = $1 \
             RETURNING code_failures")
        .bind(user.id)
        .optional_scalar(&mut tx)
        .await?;
    let is_last = failures == Some(MAX_CODE_FAILURES);
    let warnings = Budget::new(site.limits.code_mails, &user.id.to_string());
    if is_last {
        outbox::notify(&mut tx, user.id, MailKind::CodesLocked).await?;
    } else if rate_limit::take(&mut tx, &warnings).await? {
        outbox::notify(&mut tx, user.id, MailKind::WrongCode).await?;
    }
    let event = |kind| AuditEvent::new(kind).about(user.id, &user.username).detail("code");
    event(EventKind::LOGIN_FAILED).write(&mut tx, caller).await?;
    if is_last {
        event(EventKind::CODES_LOCKED).write(&mut tx, caller).await?;
    }
    tx.commit().await
}

/// Lets a user enter codes again: after a right one, with a new password, or by the operator.
pub async fn forgive_code_failures<'c>(conn: impl Into<Conn<'c>>, user_id: i64) -> Result<()> {
    sql("UPDATE two_factors SET code_failures = 0 WHERE user_id = $1")
        .bind(user_id)
        .execute(conn)
        .await?;
    Ok(())
}

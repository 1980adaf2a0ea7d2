//! Logging in, and confirming the password again.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use sqlx::FromRow;

use crate::db::{Db, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::accounts::device::Device;
use crate::models::accounts::identity::Identity;
use crate::models::accounts::session::{self, Session};
use crate::models::accounts::two_factor::code::{self, TwoFactorCode};
use crate::models::accounts::two_factor::totp;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::hasher::Verdict;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::mail::address;
use crate::models::users::user::{self, User};
use crate::validation::{FieldError, Rule, ValidationErrors};

/// The credentials: a username or an e-mail address, in either field, and the password.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct Login {
    /// Either this or `email`.
    #[schema(example = "ann", max_length = 300)]
    pub username: Option<String>,
    /// Either this or `username`.
    #[schema(max_length = 300)]
    pub email: Option<String>,
    /// The password.
    #[schema(value_type = String, example = "violet otter paddles upstream", min_length = 1, max_length = 1000)]
    pub password: Option<String>,
    /// With two-factor log-in: the six-digit code from the authenticator, or a recovery code.
    #[schema(example = "123456", max_length = 100)]
    pub code: Option<String>,
    /// The `device_token` of an earlier log-in: failures of a known device are counted separately.
    #[schema(max_length = 4096)]
    pub device_token: Option<String>,
}

/// A log-in with the right password.
#[derive(Debug)]
pub enum PasswordCheck {
    /// No second factor is required.
    Complete(Identity),
    /// A code is also required.
    CodeRequired(Identity),
}

#[derive(FromRow)]
struct UserRow {
    #[sqlx(flatten)]
    user: User,
    password_hash: String,
    disabled_at: Option<DateTime<Utc>>,
}

const USER_ROW: &str = "SELECT id, username, role, password_hash, disabled_at FROM users";

const FAILED: Error = Error::InvalidCredentials(Credentials::Login);

/// Verifies name and password. Unknown names, wrong passwords and disabled accounts get the same
/// error, after the same work.
///
/// # Errors
/// `Invalid` when a field is empty; `InvalidCredentials`; `TooManyRequests`; `Unavailable` when too
/// many log-ins are already waiting.
pub async fn authenticate(site: &Site, caller: &Caller, input: &Login) -> Result<PasswordCheck> {
    let filled = |text: &Option<String>| text.clone().filter(|t| !t.trim().is_empty());
    let mut errors = ValidationErrors::default();
    let name = filled(&input.username).or_else(|| filled(&input.email)).unwrap_or_else(|| {
        let error = FieldError::new("username", Rule::Required);
        errors.add(error.with("context", "login".to_owned()));
        String::new()
    });
    let password = input.password.as_deref().unwrap_or_default();
    if password.is_empty() {
        errors.add(FieldError::new("password", Rule::Required));
    }
    errors.into_result()?;

    let db = &site.db;
    let name = user::canonical(&name);
    let row = find(db, &name).await?;
    let budgets = budgets(site, caller, &name, row.as_ref(), input.device_token.as_deref());
    let begun = site.attempts.begin(db, caller, budgets).await;
    if let Err(Error::TooManyRequests { first: true, .. }) = &begun {
        about(EventKind::LOGIN_THROTTLED, row.as_ref()).record(db, caller).await?;
    }
    let attempt = begun?;

    let hash = row.as_ref().map(|row| row.password_hash.as_str());
    let verdict = site.hasher.verify(password, hash).await?;
    let row = match row {
        Some(row) if verdict != Verdict::Wrong && row.disabled_at.is_none() => row,
        row => {
            attempt.fail(db, caller).await?;
            about(EventKind::LOGIN_FAILED, row.as_ref()).record(db, caller).await?;
            return Err(FAILED);
        }
    };
    drop(attempt);
    let password_hash = upgrade_hash(site, &row, password, verdict).await?;
    let identity = Identity { user: row.user, password_hash };
    // Checked only after the password, so that strangers cannot learn who uses two-factor log-in.
    Ok(match totp::is_on(db, identity.user.id).await? {
        true => PasswordCheck::CodeRequired(identity),
        false => PasswordCheck::Complete(identity),
    })
}

/// What a failure counts for: a known device has its own budget for the account; all others share
/// those of the network and of the name that was typed.
fn budgets(
    site: &Site,
    caller: &Caller,
    name: &str,
    row: Option<&UserRow>,
    device_token: Option<&str>,
) -> Vec<Budget> {
    let device = Device::read(&site.keys, device_token);
    let known = row.and_then(|row| Some((row, device.id_for(row.user.id, &row.password_hash)?)));
    let limits = &site.limits;
    match known {
        Some((row, device)) => {
            vec![Budget::of_part(limits.login_device, &row.user.id.to_string(), device)]
        }
        None => vec![
            Budget::new(limits.login_address, &caller.network()),
            Budget::new(limits.login_account, name),
        ],
    }
}

/// The user with this username or e-mail address, as returned by `user::canonical`. An older
/// account may still have a key with a domain in Unicode, and then takes precedence.
async fn find(db: &Db, canonical: &str) -> Result<Option<UserRow>> {
    sql(USER_ROW)
        .push_bind(" WHERE username_key = ", canonical)
        .push_bind(" OR email_key = ", canonical)
        .push_bind(" OR email_key = ", address::canonical(canonical))
        .push_bind(" ORDER BY CASE WHEN username_key = ", canonical)
        .push_bind(" OR email_key = ", canonical)
        .push(" THEN 0 ELSE 1 END LIMIT 1")
        .optional(db)
        .await
}

/// An event about this account, if there is one, so that its owner sees it.
fn about(kind: EventKind, row: Option<&UserRow>) -> AuditEvent {
    let event = AuditEvent::new(kind);
    match row {
        Some(row) => event.about(row.user.id, &row.user.username),
        None => event,
    }
}

/// Rehashes the password if the stored hash is weaker than the current settings; returns the stored
/// hash.
async fn upgrade_hash(
    site: &Site,
    row: &UserRow,
    password: &str,
    verdict: Verdict,
) -> Result<String> {
    if verdict != Verdict::RightButOutdated {
        return Ok(row.password_hash.clone());
    }
    let hash = site.hasher.hash(password).await?;
    // Only if it is still the same: a concurrent password change must not be overwritten.
    let upgraded = sql("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
        .bind(hash.as_str())
        .bind(row.user.id)
        .bind(row.password_hash.as_str())
        .execute(site.db.writer())
        .await?;
    if upgraded > 0 {
        return Ok(hash);
    }
    // Changed concurrently: by another log-in with the same password, or by a password change.
    let stored: UserRow =
        sql(USER_ROW).push_bind(" WHERE id = ", row.user.id).one(&site.db).await?;
    match site.hasher.verify(password, Some(&stored.password_hash)).await? {
        Verdict::Wrong => Err(FAILED),
        _ => Ok(stored.password_hash),
    }
}

/// Confirms the password of a logged-in user, and the second factor if there is one: the session may
/// then perform sensitive actions for 15 minutes.
///
/// # Errors
/// `Invalid` when the password or the code is wrong; `SecondFactorRequired` when the code is
/// missing; `TooManyRequests`; `Unavailable`.
pub async fn reauthenticate(
    site: &Site,
    actor: &Actor,
    session: &Session,
    password: Option<&str>,
    code: Option<&str>,
) -> Result<()> {
    verify_password(site, actor, "password", password).await?;
    if totp::is_on(&site.db, actor.user.id).await? {
        let code = code.filter(|code| !code.trim().is_empty());
        let code = Some(code.ok_or(Error::SecondFactorRequired)?.to_owned());
        code::require_code(site, actor, &TwoFactorCode { code }).await?;
    }
    let mut tx = site.db.begin().await?;
    session::mark_reauthenticated(&mut tx, &session.id).await?;
    let event = AuditEvent::own(EventKind::REAUTHENTICATED, &actor.user);
    event.write(&mut tx, &actor.caller).await?;
    tx.commit().await
}

/// Verifies the user's password and returns the stored hash. `field` is the field that errors
/// concern.
///
/// # Errors
/// `Invalid` when the password is wrong; `TooManyRequests`; `Unavailable`.
pub async fn verify_password(
    site: &Site,
    actor: &Actor,
    field: &'static str,
    password: Option<&str>,
) -> Result<String> {
    let (db, user, caller) = (&site.db, &actor.user, &actor.caller);
    let password = password.unwrap_or_default();
    if password.is_empty() {
        return Err(Error::invalid(field, Rule::Required));
    }
    // Right passwords are counted, too: what they confirm is audited, and some of it mailed.
    let confirmations = actor.budgets(site.limits.confirmations, site.limits.confirmations_address);
    rate_limit::check_all(db, caller, &confirmations).await?;
    let budget = Budget::new(site.limits.sudo, &user.id.to_string());
    let begun = site.attempts.begin(db, caller, vec![budget]).await;
    if let Err(Error::TooManyRequests { first: true, .. }) = begun {
        let event =
            AuditEvent::own(EventKind::LOGIN_THROTTLED, user).detail("password confirmation");
        event.record(db, caller).await?;
    }
    let attempt = begun?;
    let row: UserRow = sql(USER_ROW).push_bind(" WHERE id = ", user.id).one(db).await?;
    if site.hasher.verify(password, Some(&row.password_hash)).await? == Verdict::Wrong {
        attempt.fail(db, caller).await?;
        AuditEvent::own(EventKind::REAUTHENTICATION_FAILED, user).record(db, caller).await?;
        return Err(Error::invalid(field, Rule::Wrong));
    }
    rate_limit::acquire_all(db, caller, &confirmations).await?;
    Ok(row.password_hash)
}

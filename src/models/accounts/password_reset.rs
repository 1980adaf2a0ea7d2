//! Resetting a forgotten password by e-mail.

use serde::Deserialize;

use crate::db::{now, sql};
use crate::error::{Error, Result};
use crate::models::accounts::identity::Identity;
use crate::models::accounts::two_factor::code;
use crate::models::accounts::{email_address, password, session};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::caller::Caller;
use crate::models::base::site::Site;
use crate::models::mail::email_link::{self, Purpose};
use crate::models::mail::outbox::{self, MailKind};
use crate::models::users::user;
use crate::validation::Rule;

/// A request for a password-reset link.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct ResetRequest {
    /// The address of the account.
    #[schema(value_type = String, example = "ann@mail.example", min_length = 3, max_length = 254)]
    pub email: Option<String>,
}

/// Requests a link for setting a new password. Whether the address has an account is looked up
/// later, when the e-mail is composed, so that the response and its timing are the same for every
/// address.
///
/// # Errors
/// `Invalid` when this is not an address; `TooManyRequests`.
pub async fn request(site: &Site, caller: &Caller, input: &ResetRequest) -> Result<()> {
    let address = email_address::parse(input.email.as_deref())?
        .ok_or_else(|| Error::invalid("email", Rule::Required))?;
    email_link::limit(site, caller).await?;
    let mut tx = site.db.begin().await?;
    // The response does not reveal whether it was queued.
    outbox::enqueue_link(&mut tx, &site.limits, MailKind::Reset, &address, None).await?;
    tx.commit().await
}

/// A new password, with the secret of an e-mailed link.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct PasswordReset {
    /// The `token` of the link.
    #[schema(value_type = String, example = "prl_…", min_length = 1, max_length = 1000)]
    pub token: Option<String>,
    /// At least 10 characters, and not easy to guess.
    #[schema(value_type = String, example = "violet otter paddles upstream", min_length = 10,
        max_length = 256)]
    pub password: Option<String>,
}

/// Sets a new password with an e-mailed link. All sessions and personal tokens are revoked: whoever
/// knew the old password may have created them. The user is not logged in, but the browser that has
/// the link is known from now on (see `device`).
///
/// # Errors
/// `InvalidCredentials` when the link is invalid; `Invalid`; `TooManyRequests`; `Unavailable`.
pub async fn reset(site: &Site, caller: &Caller, input: &PasswordReset) -> Result<Identity> {
    email_link::limit(site, caller).await?;
    let token = input.token.as_deref().unwrap_or_default();
    let new = input.password.as_deref().unwrap_or_default();
    // A rejected password does not consume the link.
    let link = email_link::find(&site.db, Purpose::Reset, token).await?;
    let user = user::by_id(&site.db, link.user_id).await?;
    password::validate(site, new, &user.username, Some(&link.email)).await?;
    let hash = site.hasher.hash(new).await?;
    let mut tx = site.db.begin().await?;
    let link = email_link::consume(&mut tx, Purpose::Reset, token).await?;
    // Using the link proves that the address belongs to the user.
    sql("UPDATE users SET password_hash = $1, \
         email_verified_at = CASE WHEN email = $2 THEN coalesce(email_verified_at, $3) \
         ELSE email_verified_at END WHERE id = $4")
    .bind(hash.as_str())
    .bind(link.email)
    .bind(now())
    .bind(user.id)
    .execute(&mut tx)
    .await?;
    session::revoke_all(&mut tx, user.id).await?;
    code::forgive_code_failures(&mut tx, user.id).await?;
    outbox::notify(&mut tx, user.id, MailKind::PasswordChanged).await?;
    AuditEvent::own(EventKind::PASSWORD_RESET, &user).write(&mut tx, caller).await?;
    tx.commit().await?;
    Ok(Identity { user, password_hash: hash })
}

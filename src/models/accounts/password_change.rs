//! Changing one's own password, and setting another user's as an admin.

use serde::Deserialize;

use crate::db::sql;
use crate::error::{Error, Result};
use crate::models::accounts::session::{self, Session};
use crate::models::accounts::two_factor::{code, totp};
use crate::models::accounts::{login, password, personal_token};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::form_value;
use crate::models::base::site::Site;
use crate::models::mail::email_link::{self, Purpose};
use crate::models::mail::outbox::{self, MailKind};
use crate::models::users::user;
use crate::validation::{FieldError, Rule, ValidationErrors};

/// A change of the user's own password.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct PasswordChange {
    /// The current password.
    #[schema(value_type = String, example = "amber fox under seven bridges", min_length = 1, max_length = 1000)]
    pub current: Option<String>,
    /// At least 10 characters, and not easy to guess.
    #[schema(value_type = String, example = "violet otter paddles upstream", min_length = 10,
        max_length = 256)]
    pub password: Option<String>,
    /// Also revoke all your personal tokens; they stay valid otherwise.
    #[serde(default, deserialize_with = "form_value::boolean")]
    #[schema(default = false)]
    pub revoke_tokens: Option<bool>,
}

/// Changes the user's own password. All other sessions end, with their tokens, and on request all
/// personal tokens; the user is notified by e-mail.
///
/// # Errors
/// `Invalid`, about `current` or `password`; `TooManyRequests`; `Unavailable`.
pub async fn change(
    site: &Site,
    actor: &Actor,
    session: &Session,
    input: &PasswordChange,
) -> Result<()> {
    let me = &actor.user;
    let new = input.password.as_deref().unwrap_or_default();
    let mut errors = ValidationErrors::default();
    let email = email(site, me.id).await?;
    errors.collect(password::validate(site, new, &me.username, email.as_deref()).await)?;
    if input.current.as_deref().unwrap_or_default().is_empty() {
        errors.add(FieldError::new("current", Rule::Required));
    }
    errors.into_result()?;
    let stored = login::verify_password(site, actor, "current", input.current.as_deref()).await?;
    let hash = site.hasher.hash(new).await?;
    // The password alone does not stand for both factors.
    let has_second_factor = totp::is_on(&site.db, me.id).await?;
    let mut tx = site.db.begin().await?;
    let changed = sql("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
        .bind(hash)
        .bind(me.id)
        .bind(stored)
        .execute(&mut tx)
        .await?;
    if changed == 0 {
        return Err(Error::invalid("current", Rule::Changed));
    }
    session::delete_all(&mut tx, me.id, Some(&session.id)).await?;
    code::forgive_code_failures(&mut tx, me.id).await?;
    if !has_second_factor {
        session::mark_reauthenticated(&mut tx, &session.id).await?;
    }
    if input.revoke_tokens == Some(true) {
        personal_token::revoke_all(&mut tx, actor).await?;
    }
    email_link::invalidate(&mut tx, me.id, Purpose::Reset).await?;
    outbox::notify(&mut tx, me.id, MailKind::PasswordChanged).await?;
    AuditEvent::own(EventKind::PASSWORD_CHANGED, me).write(&mut tx, &actor.caller).await?;
    tx.commit().await
}

async fn email(site: &Site, user_id: i64) -> Result<Option<String>> {
    sql("SELECT coalesce(pending_email, email) FROM users WHERE id = $1")
        .bind(user_id)
        .scalar(&site.db)
        .await
}

/// Sets a user's password and revokes their sessions, tokens and links.
///
/// # Errors
/// `NotFound`; `Invalid`, about `password`.
pub async fn set(site: &Site, admin: &Admin, username: &str, new: &str) -> Result<()> {
    let person = user::by_username(&site.db, username).await?;
    let email = email(site, person.id).await?;
    password::validate(site, new, &person.username, email.as_deref()).await?;
    let hash = site.hasher.hash(new).await?;
    let mut tx = site.db.begin().await?;
    sql("UPDATE users SET password_hash = $1 WHERE id = $2")
        .bind(hash)
        .bind(person.id)
        .execute(&mut tx)
        .await?;
    session::revoke_all(&mut tx, person.id).await?;
    code::forgive_code_failures(&mut tx, person.id).await?;
    outbox::notify(&mut tx, person.id, MailKind::PasswordChanged).await?;
    AuditEvent::new(EventKind::PASSWORD_SET)
        .by(admin.user())
        .about(person.id, &person.username)
        .write(&mut tx, admin.caller())
        .await?;
    tx.commit().await
}

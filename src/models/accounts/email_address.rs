//! E-mail addresses: syntax, confirmation and changes.

use serde::Deserialize;
use sqlx::FromRow;

use crate::db::{Tx, now, sql};
use crate::error::{Conflict, Denial, Error, Result};
use crate::models::accounts::account_search;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::form_value;
use crate::models::base::site::Site;
use crate::models::mail::address;
use crate::models::mail::email_link::{self, Purpose};
use crate::models::mail::outbox::{self, MailKind};
use crate::models::users::user::{self, Role, User};
use crate::validation::{FieldError, Rule, ValidationErrors};

/// Parses an e-mail address; blank text is `None`. Only the syntax and the length (RFC 5321
/// §4.5.3.1) are checked; only an e-mail can show whether the address works.
///
/// # Errors
/// `Invalid`, about `email`.
pub fn parse(text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    let is_plausible = text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
        });
    if !is_plausible || text.parse::<lettre::Address>().is_err() {
        return Err(Error::invalid("email", Rule::Malformed));
    }
    Ok(Some(text.to_owned()))
}

/// A new e-mail address.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct EmailChange {
    /// Empty or null to remove the address.
    #[serde(default, deserialize_with = "form_value::text")]
    #[schema(required = true, example = "ann@mail.example", max_length = 254)]
    pub email: Option<String>,
}

#[derive(FromRow)]
struct EmailRow {
    email: Option<String>,
    pending_email: Option<String>,
}

async fn stored(tx: &mut Tx, user_id: i64) -> Result<EmailRow> {
    sql("SELECT email, pending_email FROM users WHERE id = $1").bind(user_id).one(tx).await
}

/// Changes or removes the account's address. If the site sends e-mail, the new address takes effect
/// once it is confirmed; the old one is notified immediately.
///
/// # Errors
/// `Invalid`; `Taken`, only on a site that sends no e-mail; `TooManyRequests`.
pub async fn change(site: &Site, actor: &Actor, input: &EmailChange) -> Result<()> {
    let rules = site.email_rules();
    let me = &actor.user;
    let text = input.email.as_deref().ok_or_else(|| Error::invalid("email", Rule::Required))?;
    let address = parse(Some(text))?;
    if address.is_none() && rules.required {
        return Err(Error::invalid("email", Rule::Required));
    }
    email_link::limit(site, &actor.caller).await?;
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, me.id).await?;
    let before = stored(&mut tx, me.id).await?;
    if address == before.email && before.pending_email.is_none() {
        return Ok(());
    }
    email_link::invalidate(&mut tx, me.id, Purpose::Verify).await?;
    // A link that was sent to the old address must no longer give access to the account.
    email_link::invalidate(&mut tx, me.id, Purpose::Reset).await?;
    let changed = match &address {
        Some(address) if rules.sends_mail && before.email.as_ref() != Some(address) => {
            sql("UPDATE users SET pending_email = $1, mail_failed_to = NULL, \
                 mail_failed_reason = NULL, mail_failed_at = NULL WHERE id = $2")
            .bind(address.as_str())
            .bind(me.id)
            .execute(&mut tx)
            .await
        }
        _ => {
            sql("UPDATE users SET email = $1, email_key = $2, pending_email = NULL, \
                 email_verified_at = CASE WHEN email_key = $2 THEN email_verified_at END, \
                 mail_failed_to = NULL, mail_failed_reason = NULL, mail_failed_at = NULL \
                 WHERE id = $3")
            .bind(address.clone())
            .bind(address.as_deref().map(address::canonical))
            .bind(me.id)
            .execute(&mut tx)
            .await
        }
    };
    match changed {
        Err(e) if e.is_unique_violation() => {
            let mut errors = ValidationErrors::default();
            errors.add(FieldError::new("email", Rule::Taken));
            return Err(Error::Taken(errors));
        }
        other => other?,
    };
    account_search::SEARCH.index(&mut tx, me.id).await?;
    if let Some(old) = before.email.filter(|old| address.as_ref() != Some(old)) {
        let new = address.as_deref().unwrap_or("none");
        outbox::enqueue(&mut tx, MailKind::EmailChange, &old, Some(me.id), new).await?;
    }
    if let Some(address) = &address {
        outbox::enqueue_link(&mut tx, &site.limits, MailKind::Verify, address, Some(me.id)).await?;
    }
    let event = AuditEvent::own(EventKind::EMAIL_CHANGE_REQUESTED, me);
    event.write(&mut tx, &actor.caller).await?;
    tx.commit().await
}

/// Sends the confirmation link again.
///
/// # Errors
/// `Conflict` when there is nothing to confirm; `TooManyRequests`.
pub async fn resend(site: &Site, actor: &Actor) -> Result<()> {
    email_link::limit(site, &actor.caller).await?;
    let unconfirmed: Option<String> = sql("SELECT coalesce(pending_email, email) FROM users \
         WHERE id = $1 AND (pending_email IS NOT NULL \
         OR (email IS NOT NULL AND email_verified_at IS NULL))")
    .bind(actor.user.id)
    .optional_scalar(&site.db)
    .await?;
    let address = unconfirmed.ok_or(Error::Conflict(Conflict::NothingToConfirm))?;
    let mut tx = site.db.begin().await?;
    let queued = outbox::enqueue_link(
        &mut tx,
        &site.limits,
        MailKind::Verify,
        &address,
        Some(actor.user.id),
    )
    .await?;
    tx.commit().await?;
    match queued {
        true => Ok(()),
        false => {
            let retry_after = site.limits.mails.window;
            Err(Error::TooManyRequests { retry_after, first: false })
        }
    }
}

/// Confirms an address with the secret of an e-mailed link.
///
/// # Errors
/// `InvalidCredentials` when the link is invalid; `Conflict` when another account has confirmed the
/// address first; `TooManyRequests`.
pub async fn verify(site: &Site, caller: &Caller, token: &str) -> Result<()> {
    email_link::limit(site, caller).await?;
    let mut tx = site.db.begin().await?;
    let link = email_link::consume(&mut tx, Purpose::Verify, token).await?;
    let before = stored(&mut tx, link.user_id).await?;
    let confirmed = sql("UPDATE users SET email = $1, email_key = $2, email_verified_at = $3, \
         pending_email = NULL, mail_failed_to = NULL, mail_failed_reason = NULL, \
         mail_failed_at = NULL WHERE id = $4 AND (pending_email = $1 OR email = $1)")
    .bind(link.email.as_str())
    .bind(address::canonical(&link.email))
    .bind(now())
    .bind(link.user_id)
    .execute(&mut tx)
    .await;
    match confirmed {
        Err(e) if e.is_unique_violation() => return Err(Error::Conflict(Conflict::EmailTaken)),
        Ok(0) => return Err(email_link::INVALID),
        other => other?,
    };
    account_search::SEARCH.index(&mut tx, link.user_id).await?;
    if let Some(old) = before.email.filter(|old| *old != link.email) {
        let (kind, id) = (MailKind::EmailChanged, Some(link.user_id));
        outbox::enqueue(&mut tx, kind, &old, id, &link.email).await?;
    }
    let user = user::by_id(&mut tx, link.user_id).await?;
    AuditEvent::own(EventKind::EMAIL_VERIFIED, &user).write(&mut tx, caller).await?;
    tx.commit().await
}

/// # Errors
/// `Forbidden` when the user has to confirm an address before posting.
pub async fn permit_posting(site: &Site, user: &User) -> Result<()> {
    if !site.email_rules().verified_to_post || user.role == Role::Admin {
        return Ok(());
    }
    let verified: i64 =
        sql("SELECT count(*) FROM users WHERE id = $1 AND email_verified_at IS NOT NULL")
            .bind(user.id)
            .scalar(&site.db)
            .await?;
    if verified == 0 { Err(Error::Forbidden(Denial::EmailUnverified)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_are_checked_for_their_shape() {
        for good in ["ann@mail.example", "a.b+c@d", " ann@mail.example "] {
            assert_eq!(parse(Some(good)).unwrap().as_deref(), Some(good.trim()));
        }
        for none in [None, Some(""), Some("  ")] {
            assert_eq!(parse(none).unwrap(), None);
        }
        for bad in ["ann", "@mail", "ann@", "a@b@c", "a b@c", "a@b..c", "a@b\r\nBcc: x", "<a@b>"] {
            assert!(parse(Some(bad)).is_err(), "{bad:?}");
        }
    }
}

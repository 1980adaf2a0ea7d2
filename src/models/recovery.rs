//! New passwords: changing one's own, and resetting a forgotten one by mail.

use serde::{Deserialize, Serialize};

use crate::db::{Db, Tx, now, sql};
use crate::error::{Complaints, Error, Result};
use crate::models::account::{always, confirm, revoke_all};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::email;
use crate::models::link::{self, Purpose};
use crate::models::outbox;
use crate::models::password::Hasher;
use crate::models::session::{self, Session};
use crate::models::throttle;
use crate::models::user::{self, User};

/// A change of password.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Change {
    /// The password until now.
    #[serde(skip_serializing_if = "always")]
    #[schema(required = true)]
    pub current: Option<String>,
    /// At least 10 characters, and not easy to guess.
    #[serde(skip_serializing_if = "always")]
    #[schema(example = "violet otter paddles upstream", required = true)]
    pub password: Option<String>,
}

/// Changes one's own password. Every other session ends, with its tokens; the owner is mailed.
///
/// # Errors
/// `Invalid` with complaints about `current` or `password`; `TooMany`; `Unavailable`.
pub async fn change(
    db: &Db,
    hasher: &Hasher,
    caller: &Caller,
    me: &User,
    session: &Session,
    change: &Change,
) -> Result<()> {
    let secret = change.password.as_deref().unwrap_or_default();
    let mut complaints = Complaints::default();
    complaints.take(hasher.vet(secret, &me.username, None).await)?;
    if change.current.as_deref().unwrap_or_default().is_empty() {
        complaints.add("current", "Give your current password.");
    }
    complaints.check()?;
    let kept = confirm(db, hasher, caller, me, "current", change.current.as_deref()).await?;
    let hash = hasher.hash(secret).await?;
    let mut tx = db.begin().await?;
    let changed = sql("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
        .bind(hash)
        .bind(me.id)
        .bind(kept)
        .execute(&mut tx)
        .await?;
    if changed == 0 {
        return Err(Error::invalid("current", "Your password was changed in the meantime."));
    }
    session::delete_all(&mut tx, me.id, Some(&session.id)).await?;
    session::prove(&mut tx, &session.id).await?;
    link::void(&mut tx, me.id, Purpose::Reset).await?;
    notify(&mut tx, me.id, outbox::Kind::PasswordChanged).await?;
    Entry::own(Kind::PasswordChanged, me).write(&mut tx, caller).await?;
    tx.commit().await
}

/// Mails the owner of an account, if it has an address.
pub async fn notify(tx: &mut Tx, user_id: i64, kind: outbox::Kind) -> Result<()> {
    let address: Option<(Option<String>,)> =
        sql("SELECT email FROM users WHERE id = $1").bind(user_id).optional(&mut *tx).await?;
    if let Some((Some(address),)) = address {
        outbox::put(tx, kind, &address, Some(user_id), "").await?;
    }
    Ok(())
}

/// A request for a link.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Request {
    #[schema(example = "ann@mail.example", required = true)]
    pub email: Option<String>,
}

/// Asks for a link with which to set a new password. Whether the address has an account is found out
/// later, when the mail is written: the answer and its time are the same for every address.
///
/// # Errors
/// `Invalid` when this is no address; `TooMany`.
pub async fn ask(db: &Db, caller: &Caller, request: &Request) -> Result<()> {
    let address = email::check(request.email.as_deref())?
        .ok_or_else(|| Error::invalid("email", "Give your e-mail address."))?;
    throttle::take(db, caller, &throttle::LINKS, &caller.network()).await?;
    // Whether it was put down or not, nobody learns.
    outbox::put_link(db, outbox::Kind::Reset, &address, None).await?;
    Ok(())
}

/// A new password, with the secret of a mailed link.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Reset {
    /// The `token` of the link.
    #[serde(skip_serializing_if = "always")]
    #[schema(required = true)]
    pub token: Option<String>,
    /// At least 10 characters, and not easy to guess.
    #[serde(skip_serializing_if = "always")]
    #[schema(example = "violet otter paddles upstream", required = true)]
    pub password: Option<String>,
}

/// Sets a new password with a mailed link. Every session and every personal token ends: whoever knew
/// the old password may have made them. Nobody is logged in by it.
///
/// # Errors
/// `BadCredentials` when the link does not work; `Invalid`; `TooMany`; `Unavailable`.
pub async fn reset(db: &Db, hasher: &Hasher, caller: &Caller, reset: &Reset) -> Result<()> {
    throttle::take(db, caller, &throttle::LINKS, &caller.network()).await?;
    let token = reset.token.as_deref().unwrap_or_default();
    let secret = reset.password.as_deref().unwrap_or_default();
    // A password that is refused leaves the link as it is.
    let link = link::find(db.writer(), Purpose::Reset, token).await?;
    let mut tx = db.begin().await?;
    let user = user::by_id(&mut tx, link.user_id).await?;
    drop(tx);
    hasher.vet(secret, &user.username, Some(&link.email)).await?;
    let hash = hasher.hash(secret).await?;
    let mut tx = db.begin().await?;
    let link = link::take(&mut tx, Purpose::Reset, token).await?;
    // Whoever reads the mail has the address.
    sql("UPDATE users SET password_hash = $1, \
         email_verified_at = CASE WHEN email = $2 THEN coalesce(email_verified_at, $3) \
         ELSE email_verified_at END WHERE id = $4")
    .bind(hash)
    .bind(link.email)
    .bind(now())
    .bind(user.id)
    .execute(&mut tx)
    .await?;
    revoke_all(&mut tx, user.id).await?;
    notify(&mut tx, user.id, outbox::Kind::PasswordChanged).await?;
    Entry::own(Kind::PasswordReset, &user).write(&mut tx, caller).await?;
    tx.commit().await
}

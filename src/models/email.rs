//! E-mail addresses: their shape, confirming them, changing them.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{Db, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::link::{self, Purpose};
use crate::models::outbox;
use crate::models::throttle;
use crate::models::user::{self, Role, User};

/// What the site makes of e-mail.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Rules {
    /// A mail server is configured. An address counts only once it is confirmed.
    pub sends_mail: bool,
    /// Nobody registers without an address.
    pub required: bool,
    /// Nobody posts before an address is confirmed.
    pub verified_to_post: bool,
}

/// An e-mail address as it is kept; blank is none. Only its shape is checked: whether it works,
/// a mail alone can tell (RFC 5321 §4.5.3.1 gives the length).
pub fn check(text: Option<&str>) -> Result<Option<String>> {
    let Some(text) = text.map(str::trim).filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    let plausible = text.len() <= 254
        && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>,;\"".contains(c))
        && text.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty()
                && !domain.contains('@')
                && domain.split('.').all(|label| !label.is_empty())
        });
    if !plausible || text.parse::<lettre::Address>().is_err() {
        return Err(Error::invalid("email", "This is not an e-mail address."));
    }
    Ok(Some(text.to_owned()))
}

/// A new address.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Draft {
    /// Blank for none.
    #[schema(example = "ann@mail.example", required = true)]
    pub email: Option<String>,
}

#[derive(FromRow)]
struct Kept {
    email: Option<String>,
    pending_email: Option<String>,
}

async fn kept(tx: &mut Tx, user_id: i64) -> Result<Kept> {
    sql("SELECT email, pending_email FROM users WHERE id = $1").bind(user_id).one(tx).await
}

/// What somebody is told who gives an address that another account has.
pub const TAKEN: &str = "This e-mail address already has an account.";

/// Gives the account another address, or none. Where mail is sent, the new one counts once it is
/// confirmed; the old one is told at once.
///
/// # Errors
/// `Invalid`; `Conflict` when the address is taken, which only a site without mail can tell;
/// `TooMany`.
pub async fn change(
    db: &Db,
    caller: &Caller,
    rules: &Rules,
    me: &User,
    draft: &Draft,
) -> Result<()> {
    let address = check(draft.email.as_deref())?;
    if address.is_none() && rules.required {
        return Err(Error::invalid("email", "This site needs your e-mail address."));
    }
    throttle::take(db, caller, &throttle::LINKS, &caller.network()).await?;
    let mut tx = db.begin().await?;
    let before = kept(&mut tx, me.id).await?;
    if address == before.email && before.pending_email.is_none() {
        return Ok(());
    }
    link::void(&mut tx, me.id, Purpose::Verify).await?;
    // A link to the old address must not open the account any more.
    link::void(&mut tx, me.id, Purpose::Reset).await?;
    let changed = match &address {
        Some(address) if rules.sends_mail && before.email.as_ref() != Some(address) => {
            sql("UPDATE users SET pending_email = $1 WHERE id = $2")
                .bind(address.as_str())
                .bind(me.id)
                .execute(&mut tx)
                .await
        }
        _ => {
            sql("UPDATE users SET email = $1, email_key = $2, pending_email = NULL, \
                 email_verified_at = CASE WHEN email_key = $2 THEN email_verified_at END \
                 WHERE id = $3")
            .bind(address.clone())
            .bind(address.as_deref().map(user::key))
            .bind(me.id)
            .execute(&mut tx)
            .await
        }
    };
    match changed {
        Err(e) if e.is_unique_violation() => return Err(Error::conflict("email", TAKEN)),
        other => other?,
    };
    if let Some(old) = before.email.filter(|old| address.as_ref() != Some(old)) {
        let new = address.as_deref().unwrap_or("none");
        outbox::put(&mut tx, outbox::Kind::EmailChange, &old, Some(me.id), new).await?;
    }
    Entry::own(Kind::EmailAsked, me).write(&mut tx, caller).await?;
    tx.commit().await?;
    if let Some(address) = &address {
        outbox::put_link(db, outbox::Kind::Verify, address, Some(me.id)).await?;
    }
    Ok(())
}

/// Sends the link for confirming once more.
///
/// # Errors
/// `Conflict` when nothing is to be confirmed; `TooMany`.
pub async fn resend(db: &Db, caller: &Caller, me: &User) -> Result<()> {
    throttle::take(db, caller, &throttle::LINKS, &caller.network()).await?;
    let waiting: Option<(String,)> = sql("SELECT coalesce(pending_email, email) FROM users \
         WHERE id = $1 AND (pending_email IS NOT NULL \
         OR (email IS NOT NULL AND email_verified_at IS NULL))")
    .bind(me.id)
    .optional(db)
    .await?;
    let Some((address,)) = waiting else {
        return Err(Error::conflict("", "There is no address to be confirmed."));
    };
    match outbox::put_link(db, outbox::Kind::Verify, &address, Some(me.id)).await? {
        true => Ok(()),
        false => Err(Error::TooMany { retry_after: throttle::MAILS.window, first: false }),
    }
}

/// Confirms an address with the secret of a mailed link.
///
/// # Errors
/// `BadCredentials` when the link does not work; `Conflict` when another account has confirmed the
/// address first; `TooMany`.
pub async fn verify(db: &Db, caller: &Caller, token: &str) -> Result<()> {
    throttle::take(db, caller, &throttle::LINKS, &caller.network()).await?;
    let mut tx = db.begin().await?;
    let link = link::take(&mut tx, Purpose::Verify, token).await?;
    let before = kept(&mut tx, link.user_id).await?;
    let confirmed = sql("UPDATE users SET email = $1, email_key = $2, email_verified_at = $3, \
         pending_email = NULL WHERE id = $4 AND (pending_email = $1 OR email = $1)")
    .bind(link.email.as_str())
    .bind(user::key(&link.email))
    .bind(now())
    .bind(link.user_id)
    .execute(&mut tx)
    .await;
    match confirmed {
        Err(e) if e.is_unique_violation() => return Err(Error::conflict("", TAKEN)),
        Ok(0) => return Err(link::DEAD),
        other => other?,
    };
    if let Some(old) = before.email.filter(|old| *old != link.email) {
        let (kind, id) = (outbox::Kind::EmailChanged, Some(link.user_id));
        outbox::put(&mut tx, kind, &old, id, &link.email).await?;
    }
    let user = user::by_id(&mut tx, link.user_id).await?;
    Entry::own(Kind::EmailVerified, &user).write(&mut tx, caller).await?;
    tx.commit().await
}

/// Fails for whoever must confirm an address before posting.
///
/// # Errors
/// `Unverified`.
pub async fn permit_posting(db: &Db, rules: &Rules, me: &User) -> Result<()> {
    if !rules.verified_to_post || me.role == Role::Admin {
        return Ok(());
    }
    let (verified,): (i64,) =
        sql("SELECT count(*) FROM users WHERE id = $1 AND email_verified_at IS NOT NULL")
            .bind(me.id)
            .one(db)
            .await?;
    if verified == 0 { Err(Error::Unverified) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_are_checked_for_their_shape() {
        for good in ["ann@mail.example", "a.b+c@d", " ann@mail.example "] {
            assert_eq!(check(Some(good)).unwrap().as_deref(), Some(good.trim()));
        }
        for none in [None, Some(""), Some("  ")] {
            assert_eq!(check(none).unwrap(), None);
        }
        for bad in ["ann", "@mail", "ann@", "a@b@c", "a b@c", "a@b..c", "a@b\r\nBcc: x", "<a@b>"] {
            assert!(check(Some(bad)).is_err(), "{bad:?}");
        }
    }
}

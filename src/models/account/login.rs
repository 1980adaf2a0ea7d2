//! Logging in, and giving the password again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{Identity, Shown, always};
use crate::db::{Db, sql};
use crate::error::{Complaints, Error, Result};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::password::{Hasher, Verdict};
use crate::models::session::{self, Session};
use crate::models::throttle;
use crate::models::two_factor;
use crate::models::user::{self, Role, User};

/// What a returning person gives: the username or the e-mail, in either field.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Login {
    #[schema(example = "ann", nullable)]
    pub username: Option<String>,
    #[schema(example = "ann@mail.example", nullable)]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "always")]
    #[schema(example = "violet otter paddles upstream", required = true)]
    pub password: Option<String>,
    /// With two-factor log-in: six digits of the authenticator, or a recovery code.
    #[serde(skip_serializing_if = "always")]
    #[schema(example = "123456", nullable)]
    pub code: Option<String>,
}

#[derive(FromRow)]
struct Kept {
    id: i64,
    username: String,
    #[sqlx(try_from = "String")]
    role: Role,
    password_hash: String,
    disabled_at: Option<DateTime<Utc>>,
}

impl Kept {
    fn is_disabled(&self) -> bool {
        self.disabled_at.is_some()
    }
}

const KEPT: &str = "SELECT id, username, role, password_hash, disabled_at FROM users";

/// What a failed log-in is told, whatever was wrong.
pub const WRONG: &str = "The name or the password is wrong.";

/// Who this is, as far as the password tells. Unknown names, wrong passwords and disabled accounts
/// give one answer, after the same work.
///
/// # Errors
/// `Invalid` when a field is empty; `BadCredentials`; `TooMany`; `Unavailable` when too many wait.
pub async fn authenticate(
    db: &Db,
    hasher: &Hasher,
    caller: &Caller,
    form: &Login,
) -> Result<Shown> {
    let filled = |text: &Option<String>| text.clone().filter(|t| !t.trim().is_empty());
    let mut complaints = Complaints::default();
    let name = filled(&form.username).or_else(|| filled(&form.email)).unwrap_or_else(|| {
        complaints.add("username", "Give your username or your e-mail address.");
        String::new()
    });
    let secret = form.password.as_deref().unwrap_or_default();
    if secret.is_empty() {
        complaints.add("password", "Give your password.");
    }
    complaints.check()?;

    // A try is taken before any work is done, and given back when it was no failure, so that a
    // hundred tries at once count as a hundred.
    let name = user::key(&name);
    let (address, account) = (caller.network(), name.as_str());
    let taken = match throttle::take(db, caller, &throttle::LOGIN_ADDRESS, &address).await {
        Ok(()) => throttle::take(db, caller, &throttle::LOGIN_ACCOUNT, account).await,
        refused => refused,
    };
    if let Err(Error::TooMany { first: true, .. }) = &taken {
        about(Entry::new(Kind::LoginThrottled), find(db, &name).await?.as_ref())
            .note(db, caller)
            .await?;
    }
    taken?;

    let kept = find(db, &name).await?;
    let verdict = hasher.verify(secret, kept.as_ref().map(|k| k.password_hash.as_str())).await?;
    let kept = match (kept, verdict) {
        (Some(kept), Verdict::Right | Verdict::RightButOutdated) if !kept.is_disabled() => kept,
        (kept, _) => {
            about(Entry::new(Kind::LoginFailed), kept.as_ref()).note(db, caller).await?;
            return Err(Error::BadCredentials(WRONG));
        }
    };
    throttle::give_back(db.writer(), caller, &throttle::LOGIN_ADDRESS, &address).await?;
    throttle::give_back(db.writer(), caller, &throttle::LOGIN_ACCOUNT, account).await?;
    let stamp = refresh_hash(db, hasher, &kept, secret, verdict).await?;
    let user = User { id: kept.id, username: kept.username, role: kept.role };
    let who = Identity { user, stamp };
    // Only now: who needs a code is nobody's business who does not know the password.
    Ok(if two_factor::is_on(db, who.user.id).await? {
        Shown::Half(who)
    } else {
        Shown::Enough(who)
    })
}

/// The person with this username or e-mail, in the form of `user::key`.
async fn find(db: &Db, key: &str) -> Result<Option<Kept>> {
    sql(KEPT)
        .push_bind(" WHERE username_key = ", key)
        .push_bind(" OR email_key = ", key)
        .optional(db)
        .await
}

/// Failures are shown to whom they concern.
fn about(entry: Entry, kept: Option<&Kept>) -> Entry {
    match kept {
        Some(kept) => entry.about(kept.id, &kept.username),
        None => entry,
    }
}

/// Hashes the password anew if it is kept in a weaker form than today's; gives what is kept.
async fn refresh_hash(
    db: &Db,
    hasher: &Hasher,
    kept: &Kept,
    secret: &str,
    verdict: Verdict,
) -> Result<String> {
    if verdict != Verdict::RightButOutdated {
        return Ok(kept.password_hash.clone());
    }
    let hash = hasher.hash(secret).await?;
    // Only if it is still the same: a password changed meanwhile stays changed.
    let upgraded = sql("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
        .bind(hash.as_str())
        .bind(kept.id)
        .bind(kept.password_hash.as_str())
        .execute(db.writer())
        .await?;
    if upgraded > 0 {
        return Ok(hash);
    }
    // Somebody else was faster: another log-in with the same password, or a change of it.
    let now: Kept = sql(KEPT).push_bind(" WHERE id = ", kept.id).one(db.writer()).await?;
    match hasher.verify(secret, Some(&now.password_hash)).await? {
        Verdict::Wrong => Err(Error::BadCredentials(WRONG)),
        _ => Ok(now.password_hash),
    }
}

/// Takes the password of somebody who is logged in already; delicate things are open to the
/// session for a while.
///
/// # Errors
/// `Invalid` when the password is wrong; `TooMany`; `Unavailable`.
pub async fn prove(
    db: &Db,
    hasher: &Hasher,
    caller: &Caller,
    me: &User,
    session: &Session,
    secret: Option<&str>,
) -> Result<()> {
    confirm(db, hasher, caller, me, "password", secret).await?;
    let mut tx = db.begin().await?;
    session::prove(&mut tx, &session.id).await?;
    Entry::own(Kind::Proved, me).write(&mut tx, caller).await?;
    tx.commit().await
}

/// Checks that `secret` is the person's password, within the limits of log-ins; gives the hash that
/// is kept. `field` is where a complaint belongs.
///
/// # Errors
/// `Invalid` when the password is wrong; `TooMany`; `Unavailable`.
pub async fn confirm(
    db: &Db,
    hasher: &Hasher,
    caller: &Caller,
    me: &User,
    field: &'static str,
    secret: Option<&str>,
) -> Result<String> {
    let secret = secret.unwrap_or_default();
    if secret.is_empty() {
        return Err(Error::invalid(field, "Give your password."));
    }
    let key = me.id.to_string();
    let taken = throttle::take(db, caller, &throttle::PROOF, &key).await;
    if let Err(Error::TooMany { first: true, .. }) = taken {
        Entry::own(Kind::LoginThrottled, me).detail("password again").note(db, caller).await?;
    }
    taken?;
    let kept: Kept = sql(KEPT).push_bind(" WHERE id = ", me.id).one(db).await?;
    if hasher.verify(secret, Some(&kept.password_hash)).await? == Verdict::Wrong {
        Entry::own(Kind::ProofFailed, me).note(db, caller).await?;
        return Err(Error::invalid(field, "This is not your password."));
    }
    throttle::give_back(db.writer(), caller, &throttle::PROOF, &key).await?;
    Ok(kept.password_hash)
}

//! Accounts: registering, logging in, and what the command line does to them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{Db, now, sql};
use crate::error::{Complaints, Error, Result};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::password::{self, Hasher, Verdict};
use crate::models::session::{self, Session};
use crate::models::throttle;
use crate::models::user::{self, Role, User};

/// What a newcomer gives. Anything else that is sent along is ignored.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Registration {
    /// 2 to 40 letters, digits, `_` and `-`; unique without regard to case.
    #[schema(example = "ann", required = true)]
    pub username: Option<String>,
    /// Optional; unique.
    #[schema(example = "ann@mail.example", nullable)]
    pub email: Option<String>,
    /// At least 10 characters, and not easy to guess.
    #[serde(skip_serializing_if = "always")]
    #[schema(example = "violet otter paddles upstream", required = true)]
    pub password: Option<String>,
}

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
}

/// Passwords never leave in an answer; as a condition, this keeps them in the API's description.
fn always<T>(_: &T) -> bool {
    true
}

/// Somebody who has just shown who they are.
#[derive(Debug)]
pub struct Identity {
    pub user: User,
    /// The hash of the password that was shown. A session is opened only while the account still
    /// has it.
    pub stamp: String,
}

/// Makes an account with the role `user`.
///
/// # Errors
/// `Invalid` with a complaint per field; `Conflict` when the name or the e-mail is taken;
/// `TooMany`.
pub async fn register(
    db: &Db,
    hasher: &Hasher,
    caller: &Caller,
    form: &Registration,
) -> Result<Identity> {
    throttle::take(db, caller, &throttle::REGISTER, &caller.network()).await?;
    create(db, hasher, caller, form, Role::User).await
}

/// Makes an account with any role: for the command line, where the first admin comes from.
pub async fn operator_create(
    db: &Db,
    hasher: &Hasher,
    form: &Registration,
    role: Role,
) -> Result<User> {
    Ok(create(db, hasher, &Caller::operator(), form, role).await?.user)
}

async fn create(
    db: &Db,
    hasher: &Hasher,
    caller: &Caller,
    form: &Registration,
    role: Role,
) -> Result<Identity> {
    let mut complaints = Complaints::default();
    let name = complaints.take(user::username(form.username.as_deref().unwrap_or_default()))?;
    let email = complaints.take(email(form.email.as_deref()))?.flatten();
    let secret = form.password.as_deref().unwrap_or_default();
    let known = form.username.as_deref().unwrap_or_default();
    complaints.take(password::check(secret, known.trim(), email.as_deref()))?;
    complaints.check()?;
    let name = name.unwrap_or_default();

    // Looked up before hashing, which is dear; the constraint decides in the end.
    refuse_taken(db, &name, email.as_deref()).await?;
    let hash = hasher.hash(secret).await?;
    let mut tx = db.begin().await?;
    let inserted: Result<User> = sql("INSERT INTO users \
         (username, username_key, email, email_key, password_hash, role, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id, username, role")
    .bind(name.as_str())
    .bind(user::key(&name))
    .bind(email.clone())
    .bind(email.as_deref().map(user::key))
    .bind(hash.as_str())
    .bind(role.as_str())
    .bind(now())
    .one(&mut tx)
    .await;
    let user = match inserted {
        Err(e) if e.is_unique_violation() => {
            drop(tx);
            refuse_taken(db, &name, email.as_deref()).await?;
            return Err(e);
        }
        other => other?,
    };
    Entry::own(Kind::Registered, &user).write(&mut tx, caller).await?;
    tx.commit().await?;
    Ok(Identity { user, stamp: hash })
}

async fn refuse_taken(db: &Db, name: &str, email: Option<&str>) -> Result<()> {
    let (names, emails): (i64, i64) = sql("SELECT \
         (SELECT count(*) FROM users WHERE username_key = $1), \
         (SELECT count(*) FROM users WHERE email_key = $2)")
    .bind(user::key(name))
    .bind(email.map(user::key))
    // Asked where writes go, so that a row of a moment ago is seen.
    .one(db.writer())
    .await?;
    let mut complaints = Complaints::default();
    if names > 0 {
        complaints.add("username", "This username is taken.");
    }
    if emails > 0 {
        complaints.add("email", "This e-mail address already has an account.");
    }
    match complaints.check() {
        Err(Error::Invalid(complaints)) => Err(Error::Conflict(complaints)),
        other => other,
    }
}

/// An e-mail address as it is kept; blank is none. Only its shape is checked: whether it works,
/// a mail alone can tell (RFC 5321 §4.5.3.1 gives the length).
fn email(text: Option<&str>) -> Result<Option<String>> {
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
    if !plausible {
        return Err(Error::invalid("email", "This is not an e-mail address."));
    }
    Ok(Some(text.to_owned()))
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

/// Who this is. Unknown names, wrong passwords and disabled accounts give one answer, after the
/// same work.
///
/// # Errors
/// `Invalid` when a field is empty; `BadCredentials`; `TooMany`; `Unavailable` when too many wait.
pub async fn authenticate(
    db: &Db,
    hasher: &Hasher,
    caller: &Caller,
    form: &Login,
) -> Result<Identity> {
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
    Ok(Identity { user, stamp })
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
    sql("UPDATE users SET password_hash = $1 WHERE id = $2 AND password_hash = $3")
        .bind(hash.as_str())
        .bind(kept.id)
        .bind(kept.password_hash.as_str())
        .execute(db.writer())
        .await?;
    Ok(hash)
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
    // The same count as log-ins to this account by name.
    let key = user::key(&me.username);
    throttle::take(db, caller, &throttle::LOGIN_ACCOUNT, &key).await?;
    let kept: Kept = sql(KEPT).push_bind(" WHERE id = ", me.id).one(db).await?;
    if hasher.verify(secret, Some(&kept.password_hash)).await? == Verdict::Wrong {
        Entry::own(Kind::ProofFailed, me).note(db, caller).await?;
        return Err(Error::invalid(field, "This is not your password."));
    }
    throttle::give_back(db.writer(), caller, &throttle::LOGIN_ACCOUNT, &key).await?;
    Ok(kept.password_hash)
}

/// Sets a password from the command line and ends all the person's sessions.
pub async fn operator_set_password(
    db: &Db,
    hasher: &Hasher,
    username: &str,
    secret: &str,
) -> Result<()> {
    let profile = user::profile(db, username).await?;
    password::check(secret, &profile.username, None)?;
    let hash = hasher.hash(secret).await?;
    let mut tx = db.begin().await?;
    sql("UPDATE users SET password_hash = $1 WHERE id = $2")
        .bind(hash)
        .bind(profile.id)
        .execute(&mut tx)
        .await?;
    session::delete_all(&mut tx, profile.id, None).await?;
    Entry::new(Kind::PasswordSet)
        .about(profile.id, &profile.username)
        .write(&mut tx, &Caller::operator())
        .await?;
    tx.commit().await
}

/// What the dashboard says beside the person's posts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Standing {
    #[schema(example = "Welcome ann, this is your dashboard")]
    pub message: String,
    /// How many posts the person has written.
    pub posts: i64,
    /// How many votes those posts have received.
    pub votes: i64,
}

/// The person's own numbers.
pub async fn standing(db: &Db, me: &User) -> Result<Standing> {
    let (posts, votes): (i64, i64) =
        sql("SELECT count(*), CAST(coalesce(sum(votes), 0) AS BIGINT) FROM posts \
             WHERE user_id = $1")
        .bind(me.id)
        .one(db)
        .await?;
    let message = format!("Welcome {}, this is your dashboard", me.username);
    Ok(Standing { message, posts, votes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e_mail_addresses_are_checked_for_their_shape() {
        for good in ["ann@mail.example", "a.b+c@d", " ann@mail.example "] {
            assert_eq!(email(Some(good)).unwrap().as_deref(), Some(good.trim()));
        }
        for none in [None, Some(""), Some("  ")] {
            assert_eq!(email(none).unwrap(), None);
        }
        for bad in ["ann", "@mail", "ann@", "a@b@c", "a b@c", "a@b..c", "a@b\r\nBcc: x", "<a@b>"] {
            assert!(email(Some(bad)).is_err(), "{bad:?}");
        }
    }
}

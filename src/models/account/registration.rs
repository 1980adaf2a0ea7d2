//! Registering.

use serde::{Deserialize, Serialize};

use super::{Identity, always};
use crate::db::{Db, now, sql};
use crate::error::{Complaints, Error, Result};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::email::{self, Rules};
use crate::models::outbox;
use crate::models::password::Hasher;
use crate::models::throttle;
use crate::models::user::{self, Role, User};

/// What a newcomer gives. Anything else that is sent along is ignored.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Registration {
    /// 2 to 40 letters, digits, `_` and `-`; unique without regard to case.
    #[schema(example = "ann", required = true)]
    pub username: Option<String>,
    /// Optional unless the site requires it. Where mail is sent, it counts once it is confirmed.
    #[schema(example = "ann@mail.example", nullable)]
    pub email: Option<String>,
    /// At least 10 characters, and not easy to guess.
    #[serde(skip_serializing_if = "always")]
    #[schema(example = "violet otter paddles upstream", required = true)]
    pub password: Option<String>,
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
    rules: &Rules,
    form: &Registration,
) -> Result<Identity> {
    throttle::take(db, caller, &throttle::REGISTER, &caller.network()).await?;
    create(db, hasher, caller, Some(rules), form, Role::User).await
}

/// Makes an account with any role: for the command line, where the first admin comes from. The
/// operator's word for an e-mail address is as good as a mail.
pub async fn operator_create(
    db: &Db,
    hasher: &Hasher,
    form: &Registration,
    role: Role,
) -> Result<User> {
    Ok(create(db, hasher, &Caller::operator(), None, form, role).await?.user)
}

/// Without `rules`, it is the operator who makes the account.
async fn create(
    db: &Db,
    hasher: &Hasher,
    caller: &Caller,
    rules: Option<&Rules>,
    form: &Registration,
    role: Role,
) -> Result<Identity> {
    let mut complaints = Complaints::default();
    let name = complaints.take(user::username(form.username.as_deref().unwrap_or_default()))?;
    let email = complaints.take(email::check(form.email.as_deref()))?;
    if rules.is_some_and(|rules| rules.required) && email == Some(None) {
        complaints.add("email", "This site needs your e-mail address.");
    }
    let email = email.flatten();
    let secret = form.password.as_deref().unwrap_or_default();
    let known = form.username.as_deref().unwrap_or_default();
    complaints.take(hasher.vet(secret, known.trim(), email.as_deref()).await)?;
    complaints.check()?;
    let name = name.unwrap_or_default();

    // Where mail is sent, an address counts once it is confirmed. Until then it is not compared with
    // others, so that registering tells nobody who is here: the owner of a taken one gets a mail.
    let (address, pending) = match email {
        Some(email) if rules.is_some_and(|rules| rules.sends_mail) => (None, Some(email)),
        other => (other, None),
    };
    // Looked up before hashing, which is dear; the constraint decides in the end.
    refuse_taken(db, &name, address.as_deref()).await?;
    let hash = hasher.hash(secret).await?;
    let mut tx = db.begin().await?;
    let inserted: Result<User> = sql("INSERT INTO users \
         (username, username_key, email, email_key, pending_email, email_verified_at, \
         password_hash, role, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id, username, role")
    .bind(name.as_str())
    .bind(user::key(&name))
    .bind(address.clone())
    .bind(address.as_deref().map(user::key))
    .bind(pending.clone())
    .bind((rules.is_none() && address.is_some()).then(now))
    .bind(hash.as_str())
    .bind(role.as_str())
    .bind(now())
    .one(&mut tx)
    .await;
    let user = match inserted {
        Err(e) if e.is_unique_violation() => {
            drop(tx);
            refuse_taken(db, &name, address.as_deref()).await?;
            return Err(e);
        }
        other => other?,
    };
    Entry::own(Kind::Registered, &user).write(&mut tx, caller).await?;
    tx.commit().await?;
    if let Some(address) = pending.or(address).filter(|_| rules.is_some()) {
        outbox::put_link(db, outbox::Kind::Verify, &address, Some(user.id)).await?;
    }
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
        complaints.add("email", email::TAKEN);
    }
    match complaints.check() {
        Err(Error::Invalid(complaints)) => Err(Error::Conflict(complaints)),
        other => other,
    }
}

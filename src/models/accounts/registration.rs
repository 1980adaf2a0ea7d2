//! Registration.

use serde::Deserialize;

use crate::db::{Conn, Lock, Tx, now, sql};
use crate::error::{Denial, Error, Result};
use crate::models::accounts::identity::Identity;
use crate::models::accounts::{account_search, email_address, name_search, password};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Admin;
use crate::models::base::caller::Caller;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::settings::RegistrationPolicy;
use crate::models::base::site::Site;
use crate::models::mail::address;
use crate::models::mail::outbox::{self, MailKind};
use crate::models::users::skeleton::Skeletons;
use crate::models::users::user::{self, Role, User};
use crate::validation::{FieldError, Rule, ValidationErrors};

/// The input for a new account. Other fields are ignored.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct Registration {
    /// 2 to 40 letters, digits, `_` and `-`; unique, ignoring case.
    #[schema(value_type = String, example = "ann", min_length = 2, max_length = 40)]
    pub username: Option<String>,
    /// Optional unless the site requires it. If the site sends e-mail, it takes effect once it is
    /// confirmed.
    #[schema(example = "ann@mail.example", max_length = 254)]
    pub email: Option<String>,
    /// At least 10 characters, and not easy to guess.
    #[schema(value_type = String, example = "violet otter paddles upstream", min_length = 10,
        max_length = 256)]
    pub password: Option<String>,
}

/// Creates an account with the role `user`.
///
/// # Errors
/// `Forbidden` while nobody can register; `Invalid`; `Taken` when the name, one that looks like it,
/// or the e-mail address is taken; `TooManyRequests`.
pub async fn register(site: &Site, caller: &Caller, input: &Registration) -> Result<Identity> {
    let budget = Budget::new(site.limits.register, &caller.network());
    rate_limit::acquire(&site.db, caller, &budget).await?;
    if site.settings.current().registration == RegistrationPolicy::Closed {
        return Err(Error::Forbidden(Denial::RegistrationClosed));
    }
    let valid = validate(site, input, site.email_rules().required).await?;
    if site.reserved_names.contain(&valid.username) {
        return Err(Error::invalid("username", Rule::Reserved));
    }
    register_new(site, caller, unconfirmed(site, valid), Role::User).await
}

/// A valid registration that is not stored yet, for accounts that the site itself creates.
///
/// # Errors
/// `Invalid`; `Unavailable`.
pub(in crate::models) async fn prepare(
    site: &Site,
    input: &Registration,
    needs_email: bool,
) -> Result<NewUser> {
    let valid = validate(site, input, needs_email).await?;
    let password_hash = site.hasher.hash(&valid.password).await?;
    Ok(NewUser { password_hash, ..unconfirmed(site, valid) })
}

/// If the site sends e-mail, an address takes effect once it is confirmed. Until then it is not
/// compared with others, so that registering does not reveal who has an account: the owner of a
/// taken address gets an e-mail.
fn unconfirmed(site: &Site, new: NewUser) -> NewUser {
    match new.email {
        Some(email) if site.rules.sends_mail => {
            NewUser { email: None, pending_email: Some(email), ..new }
        }
        email => NewUser { email, ..new },
    }
}

/// Creates an account with any role. An e-mail address entered by an admin counts as confirmed.
///
/// # Errors
/// `Invalid`; `Taken`.
pub async fn create(site: &Site, admin: &Admin, input: &Registration, role: Role) -> Result<User> {
    let valid = validate(site, input, false).await?;
    let row = NewUser { is_verified: valid.email.is_some(), ..valid };
    Ok(register_new(site, admin.caller(), row, role).await?.user)
}

/// A valid registration.
pub(in crate::models) struct NewUser {
    username: String,
    email: Option<String>,
    pending_email: Option<String>,
    is_verified: bool,
    password: String,
    /// Empty until it was computed.
    password_hash: String,
}

async fn validate(site: &Site, input: &Registration, needs_email: bool) -> Result<NewUser> {
    let mut errors = ValidationErrors::default();
    let typed = input.username.as_deref().unwrap_or_default();
    let username = errors.collect(user::parse_username(typed))?;
    let email = errors.collect(email_address::parse(input.email.as_deref()))?;
    if needs_email && email == Some(None) {
        errors.add(FieldError::new("email", Rule::Required));
    }
    let email = email.flatten();
    let password = input.password.as_deref().unwrap_or_default();
    let checked = password::validate(site, password, typed.trim(), email.as_deref());
    errors.collect(checked.await)?;
    errors.into_result()?;
    Ok(NewUser {
        username: username.unwrap_or_default(),
        email,
        pending_email: None,
        is_verified: false,
        password: password.to_owned(),
        password_hash: String::new(),
    })
}

async fn register_new(site: &Site, caller: &Caller, new: NewUser, role: Role) -> Result<Identity> {
    // Before the expensive hash.
    refuse_taken(&site.db, &new).await?;
    let password_hash = site.hasher.hash(&new.password).await?;
    let new = NewUser { password_hash, ..new };
    let mut tx = site.db.begin().await?;
    match insert(site, &mut tx, caller, &new, role).await {
        // Somebody has confirmed the address in the meantime.
        Err(e) if e.is_unique_violation() => {
            drop(tx);
            refuse_taken(&site.db, &new).await?;
            Err(e)
        }
        Err(e) => Err(e),
        Ok(identity) => {
            tx.commit().await?;
            Ok(identity)
        }
    }
}

/// Stores a new user.
///
/// # Errors
/// `Taken`; a unique violation when an address was confirmed in the meantime.
pub(in crate::models) async fn insert(
    site: &Site,
    tx: &mut Tx,
    caller: &Caller,
    new: &NewUser,
    role: Role,
) -> Result<Identity> {
    // One registration at a time: no constraint can keep names apart that look alike, because the
    // database may have such names already.
    tx.lock(Lock::Usernames).await?;
    refuse_taken(&mut *tx, new).await?;
    let skeletons = Skeletons::of(&new.username);
    let user: User = sql("INSERT INTO users \
         (username, username_key, username_skeleton, username_skeleton_as_written, email, \
         email_key, pending_email, email_verified_at, password_hash, role, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id, username, role")
    .bind(new.username.as_str())
    .bind(user::canonical(&new.username))
    .bind(skeletons.folded)
    .bind(skeletons.as_written)
    .bind(new.email.clone())
    .bind(new.email.as_deref().map(address::canonical))
    .bind(new.pending_email.clone())
    .bind(new.is_verified.then(now))
    .bind(new.password_hash.as_str())
    .bind(role.as_str())
    .bind(now())
    .one(&mut *tx)
    .await?;
    account_search::SEARCH.index(tx, user.id).await?;
    name_search::SEARCH.index(tx, user.id).await?;
    let address = new.pending_email.as_ref().or(new.email.as_ref());
    if let Some(address) = address.filter(|_| !new.is_verified) {
        outbox::enqueue_link(tx, &site.limits, MailKind::Verify, address, Some(user.id)).await?;
    }
    AuditEvent::own(EventKind::REGISTERED, &user).write(tx, caller).await?;
    Ok(Identity { user, password_hash: new.password_hash.clone() })
}

async fn refuse_taken<'c>(conn: impl Into<Conn<'c>>, new: &NewUser) -> Result<()> {
    let skeletons = Skeletons::of(&new.username);
    let (names, alike, emails): (i64, i64, i64) = sql("SELECT \
         (SELECT count(*) FROM users WHERE username_key = $1), \
         (SELECT count(*) FROM users WHERE username_skeleton = $2 \
             OR username_skeleton_as_written = $3), \
         (SELECT count(*) FROM users WHERE email_key = $4)")
    .bind(user::canonical(&new.username))
    .bind(skeletons.folded)
    .bind(skeletons.as_written)
    .bind(new.email.as_deref().map(address::canonical))
    .one(conn)
    .await?;
    let mut errors = ValidationErrors::default();
    if names > 0 {
        errors.add(FieldError::new("username", Rule::Taken));
    } else if alike > 0 {
        errors.add(FieldError::new("username", Rule::Confusable));
    }
    if emails > 0 {
        errors.add(FieldError::new("email", Rule::Taken));
    }
    if errors.is_empty() { Ok(()) } else { Err(Error::Taken(errors)) }
}

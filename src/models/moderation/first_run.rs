//! The first run: until there has ever been an admin, whoever has the link that the server prints
//! may create the first one and name the site.

use serde::Deserialize;

use crate::db::{Db, sql};
use crate::error::{Error, Result};
use crate::models::accounts::identity::Identity;
use crate::models::accounts::registration::{self, Registration};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::mail::email_link;
use crate::models::moderation::settings::{self, SettingsInput};
use crate::models::users::user::Role;
use crate::validation::ValidationErrors;

const SET_UP: EventKind = EventKind("set.up");

/// The secret that `Keys` derives is for this.
const PURPOSE: &str = "setup";

/// Whether the site still waits for its first admin.
pub async fn is_open(db: &Db) -> Result<bool> {
    sql("SELECT NOT completed FROM first_run").scalar(db).await
}

/// The secret of the link; `None` once there has been an admin. It is derived from the site's key and
/// a random value in the database, so that all instances print the same one, and no backup contains
/// it.
pub async fn secret(site: &Site) -> Result<Option<String>> {
    let nonce = nonce(&site.db).await?;
    Ok(nonce.map(|nonce| site.keys.derive(PURPOSE, &nonce)))
}

async fn nonce(db: &Db) -> Result<Option<String>> {
    sql("SELECT nonce FROM first_run WHERE NOT completed").optional_scalar(db).await
}

/// Checks the secret of a link.
///
/// # Errors
/// `NotFound` once the site was set up; `InvalidCredentials` when the secret is wrong;
/// `TooManyRequests`.
pub async fn check(site: &Site, caller: &Caller, token: &str) -> Result<()> {
    let nonce = nonce(&site.db).await?.ok_or(Error::NotFound)?;
    let budget = Budget::new(site.limits.links, &caller.network());
    rate_limit::check(&site.db, caller, &budget).await?;
    // Hashes are compared: how long that takes says nothing about the secret.
    let hash = random::sha256(token);
    if site.keys.derive_with_all(PURPOSE, &nonce).any(|secret| random::sha256(&secret) == hash) {
        return Ok(());
    }
    if !token.is_empty() {
        rate_limit::acquire(&site.db, caller, &budget).await?;
    }
    Err(email_link::INVALID)
}

/// The input of the first run.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct FirstRunInput {
    pub username: Option<String>,
    pub email: Option<String>,
    pub password: Option<String>,
    pub site_name: Option<String>,
    pub description: Option<String>,
    pub registration: Option<String>,
}

/// Creates the first admin and stores the first settings, in one transaction. Of two that come at
/// once, one succeeds.
///
/// # Errors
/// As of `check`; `Invalid`; `Taken`.
pub async fn complete(
    site: &Site,
    caller: &Caller,
    token: &str,
    input: &FirstRunInput,
) -> Result<Identity> {
    check(site, caller, token).await?;
    create_admin(site, caller, input).await
}

/// `complete` by the operator, who needs no link.
///
/// # Errors
/// `NotFound` once there has been an admin; `Invalid`; `Taken`.
pub async fn create_admin(site: &Site, caller: &Caller, input: &FirstRunInput) -> Result<Identity> {
    let input = input.clone();
    let registration =
        Registration { username: input.username, email: input.email, password: input.password };
    let change = SettingsInput {
        site_name: input.site_name,
        description: input.description,
        registration: input.registration,
        ..SettingsInput::default()
    };
    site.settings.refresh(&site.db).await?;
    let before = site.settings.current();
    let mut errors = ValidationErrors::default();
    let needs_email = site.email_rules().required;
    let new = errors.collect(registration::prepare(site, &registration, needs_email).await)?;
    let after = errors.collect(settings::parse(&before, &change))?.unwrap_or_default();
    errors.collect(settings::refuse_fixed(site, &before, &after))?;
    errors.into_result()?;
    let Some(new) = new else { return Err(Error::NotFound) };

    let mut tx = site.db.begin().await?;
    // Locks the row: whoever comes second finds it completed.
    let opened =
        sql("UPDATE first_run SET completed = TRUE WHERE NOT completed").execute(&mut tx).await?;
    if opened == 0 {
        return Err(Error::NotFound);
    }
    sql("UPDATE settings_version SET number = number + 1").execute(&mut tx).await?;
    settings::store(&mut tx, &settings::difference(&before, &after)).await?;
    let identity = registration::insert(site, &mut tx, caller, &new, Role::Admin).await?;
    AuditEvent::own(SET_UP, &identity.user).write(&mut tx, caller).await?;
    tx.commit().await?;
    site.settings.refresh(&site.db).await?;
    Ok(identity)
}

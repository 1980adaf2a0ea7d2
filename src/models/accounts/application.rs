//! Applications: programs of third parties that people may give access to their accounts (OAuth
//! clients), registered by whoever offers them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize};
use sqlx::FromRow;

use crate::db::{Tx, now, repeat, sql};
use crate::error::{Conflict, Error, Result};
use crate::models::accounts::redirect_uri;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::base::{form_value, random, rate_limit, visible};
use crate::models::users::user::{self, User};
use crate::validation::{FieldError, Rule, ValidationErrors};

/// Identifies the secrets of applications, also for tools that scan for leaked ones.
const SECRET_PREFIX: &str = "pcs_";

/// Maximum length of a name in characters.
const MAX_NAME_LENGTH: usize = 80;
/// Maximum number of redirect URIs of an application.
const MAX_REDIRECT_URIS: usize = 10;
/// Maximum number of applications of a user.
const MAX_APPLICATIONS: i64 = 20;

/// The input for a new application.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct ApplicationInput {
    /// What people are asked to give access to; at most 80 characters.
    #[schema(value_type = String, example = "Tide Tables", min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// Where people are sent back to, at most 10: an address with https, one with http at
    /// 127.0.0.1, [::1] or localhost (its port may differ in requests), or one with a scheme of
    /// your own that contains a dot, such as `com.example.app:/done`.
    #[serde(default, deserialize_with = "form_value::words")]
    #[schema(value_type = Vec<String>, required = true, example = json!(["https://tides.example/callback"]),
        min_items = 1, max_items = 10)]
    pub redirect_uris: Vec<String>,
    /// Whether the program can keep a secret: one that runs on a server can, one that runs in a
    /// browser or on a phone cannot. False by default.
    #[serde(default, deserialize_with = "form_value::boolean")]
    pub confidential: Option<bool>,
}

/// Changes to an application; missing fields stay as they are.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct ApplicationUpdate {
    /// At most 80 characters.
    #[schema(example = "Tide Tables", nullable = false, min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// All redirect URIs from now on.
    #[serde(default, deserialize_with = "some_words")]
    #[schema(value_type = Vec<String>, required = false,
        example = json!(["https://tides.example/callback"]), min_items = 1, max_items = 10)]
    pub redirect_uris: Option<Vec<String>>,
}

fn some_words<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    form_value::words(from).map(Some)
}

/// Redirect URIs, stored separated by spaces.
#[derive(Debug, Clone, Serialize)]
pub struct RedirectUris(Vec<String>);

impl From<String> for RedirectUris {
    fn from(stored: String) -> Self {
        RedirectUris(stored.split(' ').map(str::to_owned).collect())
    }
}

impl RedirectUris {
    fn parse(words: &[String]) -> Result<String> {
        let mut uris: Vec<&str> = Vec::new();
        for word in words {
            if !redirect_uri::is_allowed(word) {
                return Err(Error::invalid("redirect_uris", Rule::Malformed));
            }
            if !uris.contains(&word.as_str()) {
                uris.push(word);
            }
        }
        match uris.len() {
            0 => Err(Error::invalid("redirect_uris", Rule::Required)),
            1..=MAX_REDIRECT_URIS => Ok(uris.join(" ")),
            _ => {
                let error = FieldError::new("redirect_uris", Rule::OutOfRange);
                Err(error.with("min", 1i64).with("max", MAX_REDIRECT_URIS).into())
            }
        }
    }

    /// Whether a request may use this URI.
    pub fn permit(&self, uri: &str) -> bool {
        redirect_uri::is_registered(&self.0, uri)
    }
}

/// An application without its secret, as shown to its owner.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct ApplicationView {
    /// The number of the application.
    pub id: i64,
    /// Identifies the application in OAuth requests.
    #[schema(example = "0f4c1b6a2d3e4f5061728394a5b6c7d8")]
    pub client_id: String,
    /// What people see when they are asked for access.
    #[schema(example = "Tide Tables")]
    pub name: String,
    /// Whether it has a secret.
    pub confidential: bool,
    /// Where people are sent back to.
    #[sqlx(try_from = "String")]
    #[schema(value_type = Vec<String>, example = json!(["https://tides.example/callback"]))]
    pub redirect_uris: RedirectUris,
    /// When it was registered, UTC.
    pub created_at: DateTime<Utc>,
}

/// A new application with its secret, which is shown only once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NewApplication {
    /// Proves requests of a confidential application; null for a public one.
    #[schema(example = "pcs_…")]
    pub client_secret: Option<String>,
    #[serde(flatten)]
    pub view: ApplicationView,
}

/// The columns of `ApplicationView`.
macro_rules! columns {
    () => {
        "id, client_id, name, secret_hash IS NOT NULL AS confidential, redirect_uris, created_at"
    };
}

/// Registers an application.
///
/// # Errors
/// `Invalid`; `Conflict` when the user already has too many; `TooManyRequests`.
pub async fn create(
    site: &Site,
    actor: &Actor,
    input: &ApplicationInput,
) -> Result<NewApplication> {
    let me = &actor.user;
    let mut errors = ValidationErrors::default();
    let name = errors.collect(parse_name(input.name.as_deref().unwrap_or_default()))?;
    let uris = errors.collect(RedirectUris::parse(&input.redirect_uris))?;
    errors.into_result()?;
    let budgets = actor.budgets(site.limits.applications, site.limits.applications_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let client_secret = match input.confidential {
        Some(true) => Some(random::token(SECRET_PREFIX)?),
        _ => None,
    };
    let mut tx = site.db.begin().await?;
    // Of parallel requests, each waits for the one before, so that none miscounts.
    user::lock(&mut tx, me.id).await?;
    rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
    let count: i64 = sql("SELECT count(*) FROM applications WHERE user_id = $1")
        .bind(me.id)
        .scalar(&mut tx)
        .await?;
    if count >= MAX_APPLICATIONS {
        return Err(Error::Conflict(Conflict::TooManyApplications));
    }
    let view: ApplicationView = sql(concat!(
        "INSERT INTO applications \
         (user_id, client_id, secret_hash, name, redirect_uris, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6) RETURNING ",
        columns!()
    ))
    .bind(me.id)
    .bind(random::id()?)
    .bind(client_secret.as_ref().map(random::sha256))
    .bind(name)
    .bind(uris)
    .bind(now())
    .one(&mut tx)
    .await?;
    event(EventKind::APPLICATION_CREATED, me, view.id).write(&mut tx, &actor.caller).await?;
    tx.commit().await?;
    Ok(NewApplication { client_secret, view })
}

fn event(kind: EventKind, user: &User, id: i64) -> AuditEvent {
    AuditEvent::own(kind, user).detail(format!("number {id}"))
}

fn parse_name(text: &str) -> Result<String> {
    let name = visible::parse_line("name", text)?;
    match name.chars().count() {
        0 => {
            let error = FieldError::new("name", Rule::Required);
            Err(error.with("context", "application".to_owned()).into())
        }
        1..=MAX_NAME_LENGTH => Ok(name),
        _ => Err(FieldError::new("name", Rule::TooLong).with("max", MAX_NAME_LENGTH).into()),
    }
}

/// The user's own applications, newest first.
pub async fn list(site: &Site, user: &User) -> Result<Vec<ApplicationView>> {
    sql(concat!("SELECT ", columns!(), " FROM applications WHERE user_id = $1 ORDER BY id DESC"))
        .bind(user.id)
        .all(&site.db)
        .await
}

/// One of the user's own applications.
///
/// # Errors
/// `NotFound`.
pub async fn show(site: &Site, user: &User, id: i64) -> Result<ApplicationView> {
    sql(concat!("SELECT ", columns!(), " FROM applications WHERE id = $1 AND user_id = $2"))
        .bind(id)
        .bind(user.id)
        .one(&site.db)
        .await
}

/// Changes one of the user's own applications.
///
/// # Errors
/// `Invalid`; `NotFound`; `TooManyRequests`.
pub async fn update(
    site: &Site,
    actor: &Actor,
    id: i64,
    update: &ApplicationUpdate,
) -> Result<ApplicationView> {
    let mut errors = ValidationErrors::default();
    let name = errors.collect(update.name.as_deref().map(parse_name).transpose())?;
    let uris = update.redirect_uris.as_deref().map(RedirectUris::parse).transpose();
    let uris = errors.collect(uris)?;
    errors.into_result()?;
    let budgets = actor.budgets(site.limits.applications, site.limits.applications_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, actor.user.id).await?;
    rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
    let view = sql(concat!(
        "UPDATE applications SET name = coalesce($1, name), \
         redirect_uris = coalesce($2, redirect_uris) WHERE id = $3 AND user_id = $4 RETURNING ",
        columns!()
    ))
    .bind(name.flatten())
    .bind(uris.flatten())
    .bind(id)
    .bind(actor.user.id)
    .one(&mut tx)
    .await?;
    event(EventKind::APPLICATION_CHANGED, &actor.user, id).write(&mut tx, &actor.caller).await?;
    tx.commit().await?;
    Ok(view)
}

/// Deletes one of the user's own applications; everybody's access through it ends.
///
/// # Errors
/// `NotFound`.
pub async fn delete(site: &Site, actor: &Actor, id: i64) -> Result<()> {
    repeat(|| try_delete(site, actor, id)).await
}

async fn try_delete(site: &Site, actor: &Actor, id: i64) -> Result<()> {
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, actor.user.id).await?;
    let deleted = sql("DELETE FROM applications WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(actor.user.id)
        .execute(&mut tx)
        .await?;
    if deleted == 0 {
        return Err(Error::NotFound);
    }
    event(EventKind::APPLICATION_DELETED, &actor.user, id).write(&mut tx, &actor.caller).await?;
    tx.commit().await
}

/// Ends everybody's access through the applications of a user who was disabled.
pub async fn end_access(tx: &mut Tx, owner: i64) -> Result<()> {
    for statement in [
        // Changes nothing, but waits for whoever is exchanging a code, and keeps others waiting.
        "UPDATE applications SET name = name WHERE user_id = $1",
        "DELETE FROM sessions WHERE application_id IN \
         (SELECT id FROM applications WHERE user_id = $1)",
        "DELETE FROM authorization_codes WHERE application_id IN \
         (SELECT id FROM applications WHERE user_id = $1)",
    ] {
        sql(statement).bind(owner).execute(&mut *tx).await?;
    }
    Ok(())
}

/// An application that sends a request.
#[derive(FromRow)]
pub struct OAuthClient {
    pub id: i64,
    pub name: String,
    /// The username of its owner.
    pub owner: String,
    #[sqlx(try_from = "String")]
    pub redirect_uris: RedirectUris,
    secret_hash: Option<String>,
}

impl OAuthClient {
    /// Whether the secret is the application's, and missing where it has none.
    pub fn proves(&self, secret: Option<&str>) -> bool {
        match (&self.secret_hash, secret.filter(|secret| !secret.is_empty())) {
            (None, None) => true,
            (Some(hash), Some(secret)) => *hash == random::sha256(secret),
            _ => false,
        }
    }
}

/// The application with this client id, unless its owner is disabled.
pub async fn find(site: &Site, client_id: &str) -> Result<Option<OAuthClient>> {
    sql("SELECT a.id, a.name, a.redirect_uris, a.secret_hash, u.username AS owner \
         FROM applications a JOIN users u ON u.id = a.user_id \
         WHERE a.client_id = $1 AND u.disabled_at IS NULL")
    .bind(client_id)
    .optional(&site.db)
    .await
}

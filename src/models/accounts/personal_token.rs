//! Personal API tokens: named, scoped, expiring, for a user's own programs. Shown once; stored as
//! SHA-256.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{CONTENT_VERSION, Conn, Db, Tx, now, sql};
use crate::error::{Conflict, Credentials, Error, Result};
use crate::models::accounts::scope::{Scope, Scopes};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::base::{form_value, random, visible};
use crate::models::users::user::{self, User};
use crate::validation::{FieldError, Rule, ValidationErrors};

/// Identifies personal tokens, also for tools that scan for leaked secrets.
pub const PREFIX: &str = "pst_";

/// The input for a new token.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct PersonalTokenInput {
    /// What it is for; at most 80 characters.
    #[schema(value_type = String, example = "backup script", min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// What it may do; `admin` for admins only.
    #[serde(default, deserialize_with = "form_value::words")]
    #[schema(value_type = Vec<Scope>, required = true,
        example = json!(["posts:read", "posts:write"]), min_items = 1,
        max_items = 4)]
    pub scopes: Vec<String>,
    /// Days until it expires, 1 to 365; 90 by default.
    #[serde(default, deserialize_with = "form_value::number")]
    #[schema(example = 90, minimum = 1, maximum = 365, default = 90)]
    pub days: Option<i64>,
}

/// A token without its secret, as shown to its owner.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct PersonalTokenView {
    /// For `DELETE /me/tokens/{id}`.
    pub id: i64,
    /// What it is for.
    #[schema(example = "backup script")]
    pub name: String,
    /// What it may do.
    #[sqlx(try_from = "String")]
    #[schema(value_type = Vec<Scope>)]
    pub scopes: Scopes,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it stops working.
    pub expires_at: DateTime<Utc>,
    /// Accurate to 15 minutes; null if it was never used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Where it was last used from; null if it was never used.
    #[schema(example = "192.0.2.7")]
    pub last_address: Option<String>,
}

/// A new token with its secret, which is shown only once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NewPersonalToken {
    /// The secret, for `Authorization: Bearer`.
    #[schema(example = "pst_…")]
    pub token: String,
    #[serde(flatten)]
    pub view: PersonalTokenView,
}

/// Maximum length of a name in characters.
const MAX_NAME_LENGTH: usize = 80;
/// Maximum number of tokens per user.
const MAX_TOKENS: i64 = 50;
/// Days until a token expires: the default, and the maximum.
const DEFAULT_DAYS: i64 = 90;
const MAX_DAYS: i64 = 365;

/// Creates a token.
///
/// # Errors
/// `Invalid`; `Conflict` when the user already has too many; `TooManyRequests`.
pub async fn create(
    site: &Site,
    actor: &Actor,
    input: &PersonalTokenInput,
) -> Result<NewPersonalToken> {
    let me = &actor.user;
    let mut errors = ValidationErrors::default();
    let name = errors.collect(parse_name(input.name.as_deref()))?.unwrap_or_default();
    let scopes = errors.collect(parse_scopes(me, &input.scopes))?.unwrap_or_default();
    let days = errors.collect(parse_days(input.days))?.unwrap_or_default();
    errors.into_result()?;
    let budgets = actor.budgets(site.limits.tokens, site.limits.tokens_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let token = random::token(PREFIX)?;
    let at = now();
    let mut tx = site.db.begin().await?;
    // Of parallel requests, each waits for the one before, so that none miscounts.
    user::lock(&mut tx, me.id).await?;
    rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
    if count(&mut tx, me).await? >= MAX_TOKENS {
        return Err(Error::Conflict(Conflict::TooManyTokens));
    }
    let view: PersonalTokenView = sql("INSERT INTO api_tokens \
         (user_id, name, hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
         RETURNING id, name, scopes, created_at, expires_at, last_used_at, last_address")
    .bind(me.id)
    .bind(name)
    .bind(random::sha256(&token))
    .bind(scopes.to_string())
    .bind(at)
    .bind(at + Duration::days(days))
    .one(&mut tx)
    .await?;
    AuditEvent::own(EventKind::TOKEN_CREATED, me)
        .detail(format!("number {}: {}", view.id, scopes))
        .write(&mut tx, &actor.caller)
        .await?;
    tx.commit().await?;
    Ok(NewPersonalToken { token, view })
}

fn parse_name(text: Option<&str>) -> Result<String> {
    let name = visible::parse_line("name", text.unwrap_or_default())?;
    match name.chars().count() {
        0 => {
            let error = FieldError::new("name", Rule::Required);
            Err(error.with("context", "token".to_owned()).into())
        }
        1..=MAX_NAME_LENGTH => Ok(name),
        _ => Err(FieldError::new("name", Rule::TooLong).with("max", MAX_NAME_LENGTH).into()),
    }
}

fn parse_scopes(me: &User, words: &[String]) -> Result<Scopes> {
    let scopes = Scopes::parse(words.iter().map(String::as_str));
    let scopes = scopes.ok_or_else(|| Error::invalid("scopes", Rule::Unknown))?;
    if scopes.is_empty() {
        return Err(Error::invalid("scopes", Rule::Required));
    }
    if !Scopes::all_of(me).include(&scopes) {
        return Err(Error::invalid("scopes", Rule::AdminOnly));
    }
    Ok(scopes)
}

fn parse_days(days: Option<i64>) -> Result<i64> {
    match days {
        None => Ok(DEFAULT_DAYS),
        Some(days @ 1..=MAX_DAYS) => Ok(days),
        Some(_) => {
            let error = FieldError::new("days", Rule::OutOfRange);
            Err(error.with("min", 1i64).with("max", MAX_DAYS).into())
        }
    }
}

/// The user's own tokens, newest first; also expired ones, so that users see why a program stopped
/// working.
pub async fn list(site: &Site, user: &User) -> Result<Vec<PersonalTokenView>> {
    sql("SELECT id, name, scopes, created_at, expires_at, last_used_at, last_address \
         FROM api_tokens WHERE user_id = $1 ORDER BY id DESC")
    .bind(user.id)
    .all(&site.db)
    .await
}

/// Revokes one of the user's own tokens.
///
/// # Errors
/// `NotFound`.
pub async fn delete(site: &Site, actor: &Actor, id: i64) -> Result<()> {
    revoke_by_id(&site.db, &actor.caller, &actor.user, id).await
}

/// How many tokens the user has.
pub async fn count<'c>(conn: impl Into<Conn<'c>>, user: &User) -> Result<i64> {
    sql("SELECT count(*) FROM api_tokens WHERE user_id = $1").bind(user.id).scalar(conn).await
}

/// Revokes all of the user's own tokens.
pub async fn revoke_all(tx: &mut Tx, actor: &Actor) -> Result<()> {
    let revoked = sql("DELETE FROM api_tokens WHERE user_id = $1")
        .bind(actor.user.id)
        .execute(&mut *tx)
        .await?;
    if revoked == 0 {
        return Ok(());
    }
    AuditEvent::own(EventKind::TOKEN_REVOKED, &actor.user)
        .detail(format!("all: {revoked}"))
        .write(tx, &actor.caller)
        .await
}

/// Revokes the given token (RFC 7009): whoever has it may revoke it.
pub async fn revoke(site: &Site, caller: &Caller, token: &str) -> Result<()> {
    match find(&site.db, caller, token).await {
        Ok(found) => match revoke_by_id(&site.db, caller, &found.user, found.id).await {
            // Somebody else has just done it.
            Err(Error::NotFound) => Ok(()),
            other => other,
        },
        Err(Error::InvalidCredentials(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

async fn revoke_by_id(db: &Db, caller: &Caller, user: &User, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    let deleted = sql("DELETE FROM api_tokens WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(user.id)
        .execute(&mut tx)
        .await?;
    if deleted == 0 {
        return Err(Error::NotFound);
    }
    AuditEvent::own(EventKind::TOKEN_REVOKED, user)
        .detail(format!("number {id}"))
        .write(&mut tx, caller)
        .await?;
    tx.commit().await
}

#[derive(FromRow)]
struct TokenRow {
    token_id: i64,
    #[sqlx(try_from = "String")]
    scopes: Scopes,
    last_used_at: Option<DateTime<Utc>>,
    content_version: i64,
    #[sqlx(flatten)]
    user: User,
}

/// A valid token.
pub struct FoundToken {
    pub id: i64,
    /// Its owner.
    pub user: User,
    pub scopes: Scopes,
    /// The version of what anybody may read (`Db::content_version`), as the token was looked up.
    pub content_version: i64,
}

/// Looks a token up.
///
/// # Errors
/// `InvalidCredentials` when it is unknown, has expired, or its owner is disabled.
pub async fn find(db: &Db, caller: &Caller, token: &str) -> Result<FoundToken> {
    let at = now();
    let row: Option<TokenRow> =
        sql("SELECT t.id AS token_id, t.scopes, t.last_used_at, u.id, u.username, u.role, ")
            .push(CONTENT_VERSION)
            .push(
                " AS content_version FROM api_tokens t JOIN users u ON u.id = t.user_id \
             WHERE t.hash = $1 AND t.expires_at > $2 AND u.disabled_at IS NULL",
            )
            .bind(random::sha256(token))
            .bind(at)
            .optional(db)
            .await?;
    let row = row.ok_or(Error::InvalidCredentials(Credentials::PersonalToken))?;
    // Not on every request: reads should not write.
    if row.last_used_at.is_none_or(|last| last < at - Duration::minutes(15)) {
        let touch = sql("UPDATE api_tokens SET last_used_at = $1, last_address = $2 WHERE id = $3")
            .bind(at)
            .bind(caller.address())
            .bind(row.token_id);
        let request_id = caller.request_id.clone();
        // Nobody waits for it: reading must not depend on a full disk or a busy writer.
        touch.execute_later(db, format!("token {}", row.token_id), move |error| {
            tracing::warn!(request_id, %error, "the last use of a token cannot be recorded");
        });
    }
    let TokenRow { token_id: id, user, scopes, content_version, .. } = row;
    Ok(FoundToken { id, user, scopes, content_version })
}

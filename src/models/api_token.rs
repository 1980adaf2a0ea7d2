//! Personal API tokens: named, scoped, expiring, for a person's own programs. Shown once; kept as
//! SHA-256.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{Db, now, sql};
use crate::error::{Complaints, Error, Result};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::secret;
use crate::models::user::{Role, User};
use crate::models::written;

/// Marks a personal token, for people and for programs that look for leaked secrets.
pub const PREFIX: &str = "pst_";

/// What a token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub enum Scope {
    #[serde(rename = "posts:read")]
    PostsRead,
    #[serde(rename = "posts:write")]
    PostsWrite,
    #[serde(rename = "account")]
    Account,
    #[serde(rename = "admin")]
    Admin,
}

impl Scope {
    pub const ALL: [Scope; 4] = [Scope::PostsRead, Scope::PostsWrite, Scope::Account, Scope::Admin];

    pub fn as_str(self) -> &'static str {
        match self {
            Scope::PostsRead => "posts:read",
            Scope::PostsWrite => "posts:write",
            Scope::Account => "account",
            Scope::Admin => "admin",
        }
    }

    fn parse(text: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|scope| scope.as_str() == text)
    }
}

/// What a request with a personal token may do.
#[derive(Debug, Clone)]
pub struct Granted {
    scopes: Vec<Scope>,
}

impl Granted {
    pub fn allows(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }
}

/// What a person gives for a new token.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Draft {
    /// What it is for; at most 80 characters.
    #[schema(example = "backup script", required = true)]
    pub name: Option<String>,
    /// Some of `posts:read`, `posts:write`, `account`, `admin`.
    #[serde(default, deserialize_with = "written::words")]
    #[schema(example = json!(["posts:read", "posts:write"]), required = true)]
    pub scopes: Vec<String>,
    /// Days until it expires, 1 to 365; 90 when missing.
    #[serde(default, deserialize_with = "written::number")]
    #[schema(example = 90)]
    pub days: Option<i64>,
}

/// A token as its owner sees it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Seen {
    pub id: i64,
    #[schema(example = "backup script")]
    pub name: String,
    pub scopes: Vec<String>,
    pub created_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// To within 15 minutes; null when it was never used.
    pub last_used_at: Option<DateTime<Utc>>,
    pub last_address: Option<String>,
}

/// A new token: the only time that the token itself is to be seen.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Created {
    #[schema(example = "pst_…")]
    pub token: String,
    #[serde(flatten)]
    pub seen: Seen,
}

#[derive(FromRow)]
struct Row {
    id: i64,
    name: String,
    scopes: String,
    created_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    last_used_at: Option<DateTime<Utc>>,
    last_address: Option<String>,
}

impl From<Row> for Seen {
    fn from(row: Row) -> Seen {
        Seen {
            id: row.id,
            name: row.name,
            scopes: row.scopes.split(' ').map(str::to_owned).collect(),
            created_at: row.created_at,
            expires_at: row.expires_at,
            last_used_at: row.last_used_at,
            last_address: row.last_address,
        }
    }
}

const ROW: &str =
    "SELECT id, name, scopes, created_at, expires_at, last_used_at, last_address FROM api_tokens";

/// Most characters of a name.
const NAME: usize = 80;
/// Most tokens a person.
const MOST: i64 = 50;

/// Makes a token.
///
/// # Errors
/// `Invalid` with a complaint per field; `Conflict` when the person has too many already.
pub async fn create(db: &Db, caller: &Caller, me: &User, draft: &Draft) -> Result<Created> {
    let mut complaints = Complaints::default();
    let name = complaints.take(name(draft.name.as_deref()))?.unwrap_or_default();
    let scopes = complaints.take(scopes(me, &draft.scopes))?.unwrap_or_default();
    let days = complaints.take(days(draft.days))?.unwrap_or_default();
    complaints.check()?;
    let token = secret::token(PREFIX)?;
    let at = now();
    let mut tx = db.begin().await?;
    let (kept,): (i64,) =
        sql("SELECT count(*) FROM api_tokens WHERE user_id = $1").bind(me.id).one(&mut tx).await?;
    if kept >= MOST {
        return Err(Error::conflict("", format!("{MOST} tokens are the most. Revoke one first.")));
    }
    let row: Row = sql("INSERT INTO api_tokens \
         (user_id, name, hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) \
         RETURNING id, name, scopes, created_at, expires_at, last_used_at, last_address")
    .bind(me.id)
    .bind(name.as_str())
    .bind(secret::hashed(&token))
    .bind(scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "))
    .bind(at)
    .bind(at + Duration::days(days))
    .one(&mut tx)
    .await?;
    let detail = format!("number {}: {}", row.id, row.scopes);
    Entry::own(Kind::TokenCreated, me).detail(detail).write(&mut tx, caller).await?;
    tx.commit().await?;
    Ok(Created { token, seen: row.into() })
}

fn name(text: Option<&str>) -> Result<String> {
    let name = text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Err(Error::invalid("name", "Say what the token is for.")),
        1..=NAME => Ok(name),
        _ => Err(Error::invalid("name", format!("Use at most {NAME} characters."))),
    }
}

fn scopes(me: &User, words: &[String]) -> Result<Vec<Scope>> {
    let complain = |message: &str| Err(Error::invalid("scopes", message));
    let mut wanted = Vec::new();
    for word in words {
        match Scope::parse(word) {
            Some(scope) if wanted.contains(&scope) => {}
            Some(scope) => wanted.push(scope),
            None => return complain("Use posts:read, posts:write, account and admin."),
        }
    }
    if wanted.is_empty() {
        return complain("Choose what the token may be used for.");
    }
    if wanted.contains(&Scope::Admin) && me.role != Role::Admin {
        return complain("Only an admin can give the scope admin.");
    }
    Ok(wanted)
}

fn days(days: Option<i64>) -> Result<i64> {
    match days {
        None => Ok(90),
        Some(days @ 1..=365) => Ok(days),
        Some(_) => Err(Error::invalid("days", "Use 1 to 365 days.")),
    }
}

/// One's own tokens, the newest first; expired ones too, so that people see why a program stopped.
pub async fn list(db: &Db, me: &User) -> Result<Vec<Seen>> {
    let rows: Vec<Row> =
        sql(ROW).push_bind(" WHERE user_id = ", me.id).push(" ORDER BY id DESC").all(db).await?;
    Ok(rows.into_iter().map(Seen::from).collect())
}

/// Revokes one of one's own tokens, at once.
///
/// # Errors
/// `NotFound`.
pub async fn delete(db: &Db, caller: &Caller, me: &User, id: i64) -> Result<()> {
    let mut tx = db.begin().await?;
    let gone = sql("DELETE FROM api_tokens WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(me.id)
        .execute(&mut tx)
        .await?;
    if gone == 0 {
        return Err(Error::NotFound);
    }
    let detail = format!("number {id}");
    Entry::own(Kind::TokenRevoked, me).detail(detail).write(&mut tx, caller).await?;
    tx.commit().await
}

/// Revokes a token by itself (RFC 7009): whoever has it may end it.
pub async fn revoke(db: &Db, caller: &Caller, token: &str) -> Result<()> {
    match find(db, caller, token).await {
        Ok((user, id, _)) => delete(db, caller, &user, id).await,
        Err(Error::BadCredentials(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

#[derive(FromRow)]
struct Live {
    token_id: i64,
    scopes: String,
    last_used_at: Option<DateTime<Utc>>,
    id: i64,
    username: String,
    #[sqlx(try_from = "String")]
    role: Role,
}

/// The person behind a token, its number, and what it allows.
///
/// # Errors
/// `BadCredentials` when it is unknown, has expired, or its owner is disabled.
pub async fn find(db: &Db, caller: &Caller, token: &str) -> Result<(User, i64, Granted)> {
    let at = now();
    let live: Option<Live> =
        sql("SELECT t.id AS token_id, t.scopes, t.last_used_at, u.id, u.username, u.role \
             FROM api_tokens t JOIN users u ON u.id = t.user_id \
             WHERE t.hash = $1 AND t.expires_at > $2 AND u.disabled_at IS NULL")
        .bind(secret::hashed(token))
        .bind(at)
        .optional(db)
        .await?;
    let live = live.ok_or(Error::BadCredentials("The token is unknown, revoked or expired."))?;
    // Not at every request: reading should not write.
    if live.last_used_at.is_none_or(|last| last < at - Duration::minutes(15)) {
        sql("UPDATE api_tokens SET last_used_at = $1, last_address = $2 WHERE id = $3")
            .bind(at)
            .bind(caller.address())
            .bind(live.token_id)
            .execute(db.writer())
            .await?;
    }
    let scopes = live.scopes.split(' ').filter_map(Scope::parse).collect();
    let user = User { id: live.id, username: live.username, role: live.role };
    Ok((user, live.token_id, Granted { scopes }))
}

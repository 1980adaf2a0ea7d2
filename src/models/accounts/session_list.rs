//! Sessions as their owners and admins see and end them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Db, now, repeat, sql};
use crate::error::{Error, Result};
use crate::models::accounts::scope::{Scope, Scopes};
use crate::models::accounts::session;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::base::user_agent;
use crate::models::users::user::{self, User};

/// An active session, as shown to its owner and to admins.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct SessionView {
    /// For `DELETE /me/sessions/{sid}`.
    #[schema(example = "4f1f6c1c6a3f4d0e9a52c7d7b7f0e3aa")]
    pub id: String,
    /// Counts the log-ins of the user.
    #[serde(skip)]
    number: i64,
    /// `browser`, or `api` for a program.
    #[schema(example = "browser")]
    pub client: String,
    /// The browser and its system, or the program, as it names itself.
    #[sqlx(skip)]
    #[schema(example = "Firefox on Linux")]
    pub device: String,
    /// The whole `User-Agent`.
    #[schema(example = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0")]
    pub user_agent: String,
    /// Where it was last used from, accurate to 15 minutes.
    #[schema(example = "192.0.2.7")]
    pub address: String,
    /// When the user logged in.
    pub created_at: DateTime<Utc>,
    /// Accurate to 15 minutes.
    pub last_used_at: DateTime<Utc>,
    /// When it ends, unless it is used before.
    pub expires_at: DateTime<Utc>,
    /// What the program may do with it; null for everything.
    #[sqlx(skip)]
    #[schema(value_type = Option<Vec<Scope>>)]
    pub scopes: Option<Scopes>,
    #[serde(skip)]
    #[sqlx(rename = "scopes")]
    stored_scopes: Option<String>,
    /// The name of the application that has the session; null for your own.
    #[schema(example = "Tide Tables")]
    pub application: Option<String>,
    /// Whether it is the session of this request.
    #[sqlx(skip)]
    pub current: bool,
}

/// The user's own active sessions, the latest log-in first.
pub async fn list(
    site: &Site,
    user: &User,
    current: Option<&str>,
    params: &PageParams,
) -> Result<Page<SessionView>> {
    live(&site.db, user.id, current, params).await
}

/// Another user's active sessions.
///
/// # Errors
/// `NotFound`.
pub async fn list_of(
    site: &Site,
    _: &Admin,
    username: &str,
    current: Option<&str>,
    params: &PageParams,
) -> Result<Page<SessionView>> {
    let person = user::by_username(&site.db, username).await?;
    live(&site.db, person.id, current, params).await
}

async fn live(
    db: &Db,
    user_id: i64,
    current: Option<&str>,
    params: &PageParams,
) -> Result<Page<SessionView>> {
    let keyset = Keyset::<1>::new(params)?;
    let at = now();
    let query = sql("SELECT s.id, s.number, s.client, s.user_agent, s.address, s.created_at, \
         s.last_used_at, s.expires_at, s.scopes, a.name AS application \
         FROM sessions s LEFT JOIN applications a ON a.id = s.application_id")
    .push_bind(" WHERE s.user_id = ", user_id)
    .push_bind(" AND s.expires_at > ", at)
    .push_bind(" AND s.last_used_at > ", at - session::idle_limit());
    let mut sessions: Vec<SessionView> =
        keyset.apply(query, [Column::Int("s.number")]).all(db).await?;
    for view in &mut sessions {
        view.scopes = view.stored_scopes.take().map(Scopes::from);
        view.device = user_agent::name(&view.user_agent);
        view.current = current == Some(view.id.as_str());
    }
    Ok(keyset.page(sessions, |view| [view.number]))
}

/// Ends one of the user's own sessions.
///
/// # Errors
/// `NotFound` when it does not exist, or is somebody else's.
pub async fn end(site: &Site, actor: &Actor, sid: &str) -> Result<()> {
    repeat(|| try_end(site, actor, sid)).await
}

async fn try_end(site: &Site, actor: &Actor, sid: &str) -> Result<()> {
    let mut tx = site.db.begin().await?;
    if session::delete(&mut tx, actor.user.id, sid).await? == 0 {
        return Err(Error::NotFound);
    }
    AuditEvent::own(EventKind::SESSION_ENDED, &actor.user).write(&mut tx, &actor.caller).await?;
    tx.commit().await
}

/// Ends all of the user's own sessions except the current one; returns how many.
pub async fn end_others(site: &Site, actor: &Actor, current: Option<&str>) -> Result<u64> {
    repeat(|| try_end_others(site, actor, current)).await
}

async fn try_end_others(site: &Site, actor: &Actor, current: Option<&str>) -> Result<u64> {
    let mut tx = site.db.begin().await?;
    let ended = session::delete_all(&mut tx, actor.user.id, current).await?;
    AuditEvent::own(EventKind::SESSION_ENDED, &actor.user)
        .detail(format!("all others: {ended}"))
        .write(&mut tx, &actor.caller)
        .await?;
    tx.commit().await?;
    Ok(ended)
}

/// Ends one or all of another user's sessions, effective with the next request.
///
/// # Errors
/// `NotFound`.
pub async fn end_of(site: &Site, admin: &Admin, username: &str, sid: Option<&str>) -> Result<()> {
    repeat(|| try_end_of(site, admin, username, sid)).await
}

async fn try_end_of(site: &Site, admin: &Admin, username: &str, sid: Option<&str>) -> Result<()> {
    let person = user::by_username(&site.db, username).await?;
    let mut tx = site.db.begin().await?;
    let ended = match sid {
        Some(sid) => session::delete(&mut tx, person.id, sid).await?,
        None => session::delete_all(&mut tx, person.id, None).await?,
    };
    if sid.is_some() && ended == 0 {
        return Err(Error::NotFound);
    }
    AuditEvent::new(EventKind::SESSION_ENDED)
        .by(admin.user())
        .about(person.id, &person.username)
        .detail(format!("by an admin: {ended}"))
        .write(&mut tx, admin.caller())
        .await?;
    tx.commit().await
}

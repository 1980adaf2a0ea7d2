//! Applications that have access to an account, as its owner sees and revokes them.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{now, repeat, sql};
use crate::error::{Error, Result};
use crate::models::accounts::scope::{Scope, Scopes};
use crate::models::accounts::session;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::users::user::{self, User};

/// An application that has access to the account.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct AuthorizedApplication {
    /// The number of the application.
    pub id: i64,
    /// The name that its owner gave it.
    #[schema(example = "Tide Tables")]
    pub name: String,
    /// The username of whoever registered it.
    #[schema(example = "bob")]
    pub owner: String,
    /// What it may do.
    #[sqlx(try_from = "String")]
    #[schema(value_type = Vec<Scope>)]
    pub scopes: Scopes,
    /// Since when it has access, UTC.
    pub created_at: DateTime<Utc>,
    /// When it last used its access, UTC; accurate to 15 minutes.
    pub last_used_at: DateTime<Utc>,
}

/// The applications that have access to the user's account, those registered last first.
pub async fn list(site: &Site, user: &User) -> Result<Vec<AuthorizedApplication>> {
    let at = now();
    let sessions: Vec<AuthorizedApplication> =
        sql("SELECT a.id, a.name, o.username AS owner, s.scopes, s.created_at, s.last_used_at \
             FROM sessions s JOIN applications a ON a.id = s.application_id \
             JOIN users o ON o.id = a.user_id \
             WHERE s.user_id = $1 AND s.expires_at > $2 AND s.last_used_at > $3 \
             ORDER BY a.id DESC, s.number")
        .bind(user.id)
        .bind(at)
        .bind(at - session::idle_limit())
        .all(&site.db)
        .await?;
    // An application has a session for each time it was given access.
    let mut list: Vec<AuthorizedApplication> = Vec::new();
    for next in sessions {
        match list.last_mut().filter(|last| last.id == next.id) {
            Some(last) => {
                last.scopes.extend(&next.scopes);
                last.created_at = last.created_at.min(next.created_at);
                last.last_used_at = last.last_used_at.max(next.last_used_at);
            }
            None => list.push(next),
        }
    }
    Ok(list)
}

/// Ends an application's access to the user's account.
///
/// # Errors
/// `NotFound` when it has none.
pub async fn revoke(site: &Site, actor: &Actor, id: i64) -> Result<()> {
    repeat(|| try_revoke(site, actor, id)).await
}

async fn try_revoke(site: &Site, actor: &Actor, id: i64) -> Result<()> {
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, actor.user.id).await?;
    let mut ended = 0;
    for statement in [
        "DELETE FROM sessions WHERE application_id = $1 AND user_id = $2",
        "DELETE FROM authorization_codes WHERE application_id = $1 AND user_id = $2",
    ] {
        ended += sql(statement).bind(id).bind(actor.user.id).execute(&mut tx).await?;
    }
    if ended == 0 {
        return Err(Error::NotFound);
    }
    AuditEvent::own(EventKind::APPLICATION_REVOKED, &actor.user)
        .detail(format!("number {id}"))
        .write(&mut tx, &actor.caller)
        .await?;
    tx.commit().await
}

//! Closing the comments on a post: nobody can add another.

use crate::db::{now, repeat, sql};
use crate::error::Result;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::posts::post::{self, Post};
use crate::models::posts::rendering;

const CLOSED: EventKind = EventKind("comments.closed");
const OPENED: EventKind = EventKind("comments.opened");

/// Closes the comments on a post; repeating it changes nothing.
///
/// # Errors
/// `NotFound`; `Forbidden`; `TooManyRequests`.
pub async fn close(site: &Site, actor: &Actor, post_id: i64) -> Result<Post> {
    set(site, actor, post_id, CLOSED).await
}

/// Opens them again; repeating it changes nothing.
///
/// # Errors
/// `NotFound`; `Forbidden`; `TooManyRequests`.
pub async fn open(site: &Site, actor: &Actor, post_id: i64) -> Result<Post> {
    set(site, actor, post_id, OPENED).await
}

async fn set(site: &Site, actor: &Actor, post_id: i64, kind: EventKind) -> Result<Post> {
    let budgets = actor.budgets(site.limits.edits, site.limits.edits_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let post = repeat(async || {
        let mut tx = site.db.begin().await?;
        let post = post::show(&mut tx, Some(&actor.user), post_id).await?;
        let owner = post.summary.user_id;
        actor.permit(owner)?;
        let changed = sql("UPDATE posts SET comments_closed_at = $1 \
             WHERE id = $2 AND (comments_closed_at IS NULL) = $3")
        .bind((kind == CLOSED).then(now))
        .bind(post_id)
        .bind(kind == CLOSED)
        .execute(&mut tx)
        .await?;
        if changed > 0 {
            rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
            if owner != actor.user.id {
                AuditEvent::new(kind)
                    .by(Some(&actor.user))
                    .about(owner, &post.summary.author.username)
                    .detail(format!("post {post_id}"))
                    .write(&mut tx, &actor.caller)
                    .await?;
            }
        }
        let post = post::show(&mut tx, Some(&actor.user), post_id).await?;
        tx.commit().await?;
        Ok(post)
    })
    .await?;
    rendering::refresh(site, post).await
}

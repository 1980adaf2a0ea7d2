//! Removing many posts at once, for admins.

use std::fmt::Write;

use crate::db::{Tx, repeat, sql};
use crate::error::{Error, Result};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::selection;
use crate::models::base::site::Site;
use crate::models::posts::edit;
use crate::models::posts::post::{self, PostSummary};

/// What became of the selected posts.
#[derive(Debug, Default)]
pub struct Removal {
    pub deleted: usize,
    /// Somebody else had deleted them before.
    pub gone: usize,
}

/// Those of the selected posts that exist and that admins may read, newest first.
pub async fn preview(site: &Site, admin: &Admin, ids: &[i64]) -> Result<Vec<PostSummary>> {
    let query = post::select_readable(admin.user(), ids.iter().copied());
    let mut posts = post::summaries(&site.db, query).await?;
    posts.sort_by_key(|post| std::cmp::Reverse(post.published_key()));
    Ok(posts)
}

/// Deletes the selected posts, each in a transaction of its own: locks are short, and each is audited
/// like a single one. If one fails, those before it are gone, and the others are left.
///
/// # Errors
/// `TooManyRequests`.
pub async fn delete_selected(
    site: &Site,
    admin: &Admin,
    actor: &Actor,
    ids: &[i64],
) -> Result<Removal> {
    selection::acquire(site, admin).await?;
    let mut removal = Removal::default();
    for id in ids {
        match edit::delete(site, actor, *id, None).await {
            Ok(()) => removal.deleted += 1,
            Err(Error::NotFound) => removal.gone += 1,
            Err(error) => return Err(error),
        }
    }
    Ok(removal)
}

/// Posts that one transaction deletes, and one event names.
const BATCH: usize = 100;

/// Deletes all posts of a user, and returns how many.
pub async fn delete_all_of(
    site: &Site,
    admin: &Admin,
    user_id: i64,
    username: &str,
) -> Result<usize> {
    let mut deleted = 0;
    loop {
        let count = repeat(async || {
            let mut tx = site.db.begin().await?;
            let ids = delete_batch(&mut tx, user_id).await?;
            if !ids.is_empty() {
                AuditEvent::new(EventKind::POST_DELETED)
                    .by(admin.user())
                    .about(user_id, username)
                    .detail(named(&ids))
                    .write(&mut tx, admin.caller())
                    .await?;
            }
            tx.commit().await?;
            Ok(ids.len())
        })
        .await?;
        deleted += count;
        if count < BATCH {
            return Ok(deleted);
        }
    }
}

async fn delete_batch(tx: &mut Tx, user_id: i64) -> Result<Vec<i64>> {
    let limit = i64::try_from(BATCH).unwrap_or_default();
    let ids: Vec<(i64,)> = sql("DELETE FROM posts WHERE id IN (SELECT id FROM posts")
        .push_bind(" WHERE user_id = ", user_id)
        .push_bind(" ORDER BY id LIMIT ", limit)
        .push(") RETURNING id")
        .all(tx)
        .await?;
    let mut ids: Vec<i64> = ids.into_iter().map(|(id,)| id).collect();
    ids.sort_unstable();
    Ok(ids)
}

/// `post 5`, as for a single one, or `posts 5, 6, 9`.
fn named(ids: &[i64]) -> String {
    let mut text = if ids.len() == 1 { "post" } else { "posts" }.to_owned();
    for (i, id) in ids.iter().enumerate() {
        let _ = write!(text, "{} {id}", if i == 0 { "" } else { "," });
    }
    text
}

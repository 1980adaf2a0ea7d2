//! Deleting comments.

use crate::db::{Tx, now, repeat, sql};
use crate::error::{Error, Result};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::site::Site;
use crate::models::posts::comment::{Comment, MAX_DEPTH, join, read, select};
use crate::models::posts::comment_edit::{editable, record_moderation};

const DELETED: EventKind = EventKind("comment.deleted");

/// Deletes a comment. While there are replies to it, it stays without its text and its author.
///
/// # Errors
/// `NotFound`; `Forbidden`; `VersionConflict` when `seen` is another version.
pub async fn delete(site: &Site, actor: &Actor, id: i64, seen: Option<i64>) -> Result<Comment> {
    repeat(async || {
        let mut tx = site.db.begin().await?;
        let comment = editable(&mut tx, actor, id).await?;
        if seen.is_some_and(|seen| seen != comment.version) {
            return Err(Error::VersionConflict);
        }
        erase(&mut tx, &comment, seen).await?;
        record_moderation(&mut tx, actor, DELETED, &comment).await?;
        tx.commit().await?;
        Ok(comment)
    })
    .await
}

async fn erase(tx: &mut Tx, comment: &Comment, seen: Option<i64>) -> Result<()> {
    // The condition holds at the moment of deleting: a reply may arrive meanwhile.
    let removed = sql("DELETE FROM comments WHERE id = $1 AND replies = 0 \
         AND version = coalesce($2, version)")
    .bind(comment.id)
    .bind(seen)
    .execute(&mut *tx)
    .await?;
    if removed > 0 {
        return prune(tx, comment.parent_id).await;
    }
    let emptied = sql("UPDATE comments SET content = '', content_html = '', deleted_at = $1, \
         version = version + 1 WHERE id = $2 AND deleted_at IS NULL \
         AND version = coalesce($3, version)")
    .bind(now())
    .bind(comment.id)
    .bind(seen)
    .execute(&mut *tx)
    .await?;
    if emptied == 0 {
        return Err(Error::VersionConflict);
    }
    for statement in [
        "DELETE FROM comment_revisions WHERE comment_id = $1",
        "DELETE FROM comment_votes WHERE comment_id = $1",
    ] {
        sql(statement).bind(comment.id).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Removes what stood only because of a reply that is gone, from this comment up.
async fn prune(tx: &mut Tx, mut above: Option<i64>) -> Result<()> {
    for _ in 0..=MAX_DEPTH {
        let Some(id) = above else { break };
        let parent: Option<Option<i64>> = sql("DELETE FROM comments \
             WHERE id = $1 AND replies = 0 AND deleted_at IS NOT NULL RETURNING parent_id")
        .bind(id)
        .optional_scalar(&mut *tx)
        .await?;
        above = parent.flatten();
    }
    Ok(())
}

/// Comments that one transaction deletes, and one event names.
const BATCH: i64 = 100;

/// Deletes all comments of a user, as `delete` does, for an admin.
pub async fn delete_all_of(site: &Site, admin: &Admin, user_id: i64, username: &str) -> Result<()> {
    while delete_batch_of(site, admin, user_id, username).await? {}
    Ok(())
}

/// Returns whether there was one.
async fn delete_batch_of(site: &Site, admin: &Admin, user_id: i64, username: &str) -> Result<bool> {
    repeat(async || {
        let mut tx = site.db.begin().await?;
        let query = select(None)
            .push_bind("(SELECT id FROM comments WHERE user_id = ", user_id)
            .push_bind(" AND deleted_at IS NULL ORDER BY id LIMIT ", BATCH)
            .push(") AS batch JOIN comments c ON c.id = batch.id");
        let comments = read(&mut tx, join(query, "TRUE").push(" ORDER BY c.id")).await?;
        if comments.is_empty() {
            return Ok(false);
        }
        for comment in &comments {
            erase(&mut tx, comment, None).await?;
        }
        let ids: Vec<String> = comments.iter().map(|comment| comment.id.to_string()).collect();
        AuditEvent::new(DELETED)
            .by(admin.user())
            .about(user_id, username)
            .detail(format!("comments {}", ids.join(", ")))
            .write(&mut tx, admin.caller())
            .await?;
        tx.commit().await?;
        Ok(true)
    })
    .await
}

/// Deletes what accounts have left behind that have just been deleted in this transaction, with what it
/// said before. Before that, a comment could still arrive on PostgreSQL; now the foreign key refuses it.
pub async fn delete_orphans(tx: &mut Tx) -> Result<()> {
    sql("DELETE FROM comments WHERE user_id IS NULL AND deleted_at IS NULL AND replies = 0")
        .execute(&mut *tx)
        .await?;
    sql("DELETE FROM comment_revisions WHERE comment_id IN \
         (SELECT id FROM comments WHERE user_id IS NULL AND deleted_at IS NULL)")
    .execute(&mut *tx)
    .await?;
    sql("UPDATE comments SET content = '', content_html = '', deleted_at = $1 \
         WHERE user_id IS NULL AND deleted_at IS NULL")
    .bind(now())
    .execute(tx)
    .await?;
    Ok(())
}

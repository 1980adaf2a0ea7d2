//! Votes: one a person and post, never for one's own. The database keeps the count.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Db, now, sql};
use crate::error::{Error, Result};
use crate::models::page::{Asked, Page, Part};
use crate::models::post::{self, Author, Post};
use crate::models::user::User;

/// Somebody's vote.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Vote {
    #[serde(skip)]
    id: i64,
    #[sqlx(flatten)]
    pub user: Author,
    pub created_at: DateTime<Utc>,
}

/// Votes for a post; once more changes nothing.
///
/// # Errors
/// `NotFound`; `Forbidden` for one's own post.
pub async fn cast(db: &Db, me: &User, post_id: i64) -> Result<Post> {
    let mut tx = db.begin().await?;
    let post = post::show(&mut tx, Some(me), post_id).await?;
    if post.user_id == me.id {
        return Err(Error::Forbidden("Nobody votes for their own post."));
    }
    let cast = sql("INSERT INTO votes (post_id, user_id, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (post_id, user_id) DO NOTHING")
    .bind(post_id)
    .bind(me.id)
    .bind(now())
    .execute(&mut tx)
    .await;
    match cast {
        // The post was deleted meanwhile.
        Err(e) if e.is_foreign_key_violation() => return Err(Error::NotFound),
        other => other?,
    };
    let post = post::show(&mut tx, Some(me), post_id).await?;
    tx.commit().await?;
    Ok(post)
}

/// Takes a vote back; once more changes nothing.
///
/// # Errors
/// `NotFound`.
pub async fn withdraw(db: &Db, me: &User, post_id: i64) -> Result<Post> {
    let mut tx = db.begin().await?;
    sql("DELETE FROM votes WHERE post_id = $1 AND user_id = $2")
        .bind(post_id)
        .bind(me.id)
        .execute(&mut tx)
        .await?;
    let post = post::show(&mut tx, Some(me), post_id).await?;
    tx.commit().await?;
    Ok(post)
}

/// Who voted for a post, latest first.
pub async fn list(db: &Db, post: &Post, asked: &Asked) -> Result<Page<Vote>> {
    let part = Part::<1>::of(asked)?;
    let query = sql("SELECT v.id, v.created_at, u.id AS author_id, u.username AS author_username \
         FROM votes v JOIN users u ON u.id = v.user_id")
    .push_bind(" WHERE v.post_id = ", post.id);
    let found = part.narrow(query, ["v.id"]).all(db).await?;
    Ok(part.page(found, |vote: &Vote| [vote.id]))
}

/// Casts many votes in one transaction: for the demonstration. Each is a post's and a user's id.
pub async fn operator_cast(db: &Db, votes: Vec<(i64, i64)>) -> Result<()> {
    let mut tx = db.begin().await?;
    for (post_id, user_id) in votes {
        sql("INSERT INTO votes (post_id, user_id, created_at) VALUES ($1, $2, $3)")
            .bind(post_id)
            .bind(user_id)
            .bind(now())
            .execute(&mut tx)
            .await?;
    }
    tx.commit().await
}

//! Which posts are in a series: an author names it, and it is made if there is none. Series that have no post
//! any more are deleted after a while.

use chrono::{DateTime, Duration, Utc};

use crate::db::{Db, Tx, now, repeat, sql};
use crate::error::{Error, Result};
use crate::models::posts::series::MAX_SERIES;
use crate::models::posts::series_title;
use crate::models::users::user;
use crate::validation::{FieldError, Rule};

/// Most posts of one series, drafts among them.
const MAX_POSTS: i64 = 500;

/// The id of an author's series with this title; `None` if the title is empty. It is made if there is none. The
/// row of the account stays locked until the transaction ends: nobody else adds a post to the series, renames
/// it, or deletes it. It is called first: rows are locked from the person down.
///
/// # Errors
/// `Invalid`, about `series`, when there is no room for another series, or for another post in it;
/// `Unauthenticated` when the account was deleted meanwhile.
pub(super) async fn resolve(tx: &mut Tx, author_id: i64, title: &str) -> Result<Option<i64>> {
    if title.is_empty() {
        return Ok(None);
    }
    user::lock(tx, author_id).await.map_err(|error| match error {
        Error::NotFound => Error::Unauthenticated,
        other => other,
    })?;
    let key = series_title::key(title);
    let known: Option<i64> = sql("SELECT id FROM series WHERE user_id = $1 AND title_key = $2")
        .bind(author_id)
        .bind(key.as_str())
        .optional_scalar(&mut *tx)
        .await?;
    if let Some(id) = known {
        let posts: i64 = sql("SELECT count(*) FROM posts WHERE series_id = $1")
            .bind(id)
            .scalar(&mut *tx)
            .await?;
        return if posts < MAX_POSTS { Ok(Some(id)) } else { Err(full("posts", MAX_POSTS)) };
    }
    let series: i64 = sql("SELECT count(*) FROM series WHERE user_id = $1")
        .bind(author_id)
        .scalar(&mut *tx)
        .await?;
    if series >= MAX_SERIES {
        return Err(full("series", MAX_SERIES));
    }
    let id: i64 = sql("INSERT INTO series (user_id, title, title_key, created_at) \
         VALUES ($1, $2, $3, $4) RETURNING id")
    .bind(author_id)
    .bind(title)
    .bind(key)
    .bind(now())
    .scalar(tx)
    .await?;
    Ok(Some(id))
}

fn full(of: &str, max: i64) -> Error {
    FieldError::new("series", Rule::TooMany).with("of", of.to_owned()).with("max", max).into()
}

/// How long a series is kept that has no post.
const KEPT: Duration = Duration::days(1);

/// Series that one sweep looks at, at most.
const SWEPT: i64 = 500;

/// Deletes series that have had no post for a day. What somebody does in between is only noticed when a sweep
/// comes by, so that writing pays nothing for it.
pub async fn sweep(db: &Db) -> Result<()> {
    let used: Vec<(i64,)> = sql("SELECT s.id FROM series s WHERE s.unused_since IS NOT NULL \
         AND EXISTS (SELECT 1 FROM posts p WHERE p.series_id = s.id)")
    .push_bind(" LIMIT ", SWEPT)
    .all(db)
    .await?;
    mark(db, used, None).await?;
    let unused: Vec<(i64,)> = sql("SELECT s.id FROM series s WHERE s.unused_since IS NULL \
         AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.series_id = s.id)")
    .push_bind(" LIMIT ", SWEPT)
    .all(db)
    .await?;
    mark(db, unused, Some(now())).await?;
    let until = now() - KEPT;
    let expired: Vec<(i64, i64)> = sql("SELECT s.id, s.user_id FROM series s")
        .push_bind(" WHERE s.unused_since <= ", until)
        .push_bind(" ORDER BY s.unused_since LIMIT ", SWEPT)
        .all(db)
        .await?;
    for (id, author_id) in expired {
        repeat(|| delete_unused(db, id, author_id, until)).await?;
    }
    Ok(())
}

async fn mark(db: &Db, ids: Vec<(i64,)>, since: Option<DateTime<Utc>>) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    sql("UPDATE series SET unused_since = $1 WHERE")
        .bind(since)
        .push_list(" id IN ", ids.into_iter().map(|(id,)| id))
        .execute(db.writer())
        .await?;
    Ok(())
}

/// In a transaction of its own, which locks the account as those do that add a post.
async fn delete_unused(db: &Db, id: i64, author_id: i64, until: DateTime<Utc>) -> Result<()> {
    let mut tx = db.begin().await?;
    match user::lock(&mut tx, author_id).await {
        // It went with its author.
        Err(Error::NotFound) => return Ok(()),
        other => other?,
    }
    sql("DELETE FROM series WHERE id = $1 AND unused_since <= $2 \
         AND NOT EXISTS (SELECT 1 FROM posts p WHERE p.series_id = series.id)")
    .bind(id)
    .bind(until)
    .execute(&mut tx)
    .await?;
    tx.commit().await
}

//! What is searched of posts: their titles and authors.

use crate::db::{Backfill, SearchTable, Step, Tx, sql};
use crate::error::Result;
use crate::models::base::search;

pub const TABLE: SearchTable = SearchTable { table: "post_search", index: "post_search_index" };

/// Indexes the posts that were there before migration 8.
pub const BACKFILL: Backfill =
    Backfill { name: "post-search", after: 8, run: |tx| Box::pin(index_missing(tx)) };

/// Posts per transaction.
const BATCH: i64 = 5_000;

/// Indexes a post that was written.
pub async fn index(tx: &mut Tx, id: i64) -> Result<()> {
    let post = sql(SOURCE).push_bind(" WHERE p.id = ", id).one(&mut *tx).await?;
    search::store(tx, &TABLE, &[text(post)]).await
}

/// Id, title and author; ends before WHERE.
const SOURCE: &str =
    "SELECT p.id, p.title, u.username FROM posts p JOIN users u ON u.id = p.user_id";

fn text((id, title, author): (i64, String, String)) -> (i64, String) {
    (id, search::join(&[&title, &author]))
}

async fn index_missing(tx: &mut Tx) -> Result<Step> {
    let missing: Vec<_> = sql(SOURCE)
        .push(" WHERE NOT EXISTS (SELECT 1 FROM post_search s WHERE s.id = p.id)")
        .push_bind(" ORDER BY p.id LIMIT ", BATCH)
        .all(&mut *tx)
        .await?;
    let texts: Vec<_> = missing.into_iter().map(text).collect();
    search::store(tx, &TABLE, &texts).await?;
    let is_last = i64::try_from(texts.len()).is_ok_and(|count| count < BATCH);
    Ok(if is_last { Step::Finished } else { Step::Continue })
}

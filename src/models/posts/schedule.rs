//! Publishing what was planned for later.

use futures_util::stream::{self, TryStreamExt};
use serde::{Deserialize, Serialize};

use crate::db::{Tx, now, repeat, sql};
use crate::error::Result;
use crate::models::base::job;
use crate::models::base::site::Site;
use crate::models::posts::publication_state::{PostState, Publication};
use crate::models::posts::{post_draft, revision, word_index};

/// The job that publishes what is due.
#[derive(Debug, Serialize, Deserialize)]
pub struct ScheduledPosts;

/// The name of the job.
pub const JOB: &str = "scheduled-posts";

/// Lets the job run when the post becomes due, if it is planned for later. It also runs every ten minutes: a clock may have been set back
/// since.
pub(super) async fn plan(tx: &mut Tx, publication: &Publication) -> Result<()> {
    match publication.at {
        Some(at) if publication.state == PostState::Scheduled => {
            job::enqueue_at(tx, JOB, at, &ScheduledPosts).await
        }
        _ => Ok(()),
    }
}

/// Posts that are looked up at a time.
const BATCH: i64 = 100;

/// The next posts that are due, by their ids.
pub async fn due(site: &Site) -> Result<Vec<i64>> {
    let due: Vec<(i64,)> = sql("SELECT id FROM posts WHERE state = 'scheduled'")
        .push_bind(" AND publish_at <= ", now())
        .push_bind(" ORDER BY publish_at, id LIMIT ", BATCH)
        .all(&site.db)
        .await?;
    Ok(due.into_iter().map(|(id,)| id).collect())
}

/// How many are published at the same time. SQLite commits them together.
const AT_ONCE: usize = 4;

/// Publishes what is due, each post in a transaction of its own.
pub async fn publish_due(site: &Site) -> Result<()> {
    loop {
        let due = due(site).await?;
        if due.is_empty() {
            return Ok(());
        }
        let posts = stream::iter(due.into_iter().map(Ok));
        let publish = async |id| repeat(|| publish(site, id)).await;
        posts.try_for_each_concurrent(AT_ONCE, publish).await?;
    }
}

/// Of several workers, one publishes it.
async fn publish(site: &Site, id: i64) -> Result<()> {
    let mut tx = site.db.begin().await?;
    let author: Option<i64> = sql("UPDATE posts SET state = 'published', version = version + 1, \
         updated_at = NULL, published_at = CASE WHEN visibility = 'public' THEN publish_at END \
         WHERE id = $1 AND state = 'scheduled' AND publish_at <= $2 RETURNING user_id")
    .bind(id)
    .bind(now())
    .optional_scalar(&mut tx)
    .await?;
    if author.is_none() {
        return Ok(());
    }
    revision::keep(&mut tx, id, author).await?;
    post_draft::follow(&mut tx, id).await?;
    // Unless it is public, this finds nothing to index.
    word_index::POSTS.index(&mut tx, &site.settings.current(), id).await?;
    tx.commit().await
}

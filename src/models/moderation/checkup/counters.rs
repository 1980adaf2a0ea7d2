//! Numbers that are kept beside what they count, and texts kept for the search: whether they are
//! true, and how they become true again.

use crate::db::{Db, Step, sql};
use crate::error::Result;
use crate::models::accounts::{account_search, name_search};
use crate::models::base::site::Site;
use crate::models::posts::{post_search, word_index};

/// How many wrong rows are looked for at a time.
const BATCH: i64 = 1_000;

/// Posts behind this id whose numbers of votes and comments are wrong, in the order of their ids. Reads all posts,
/// votes and comments.
pub async fn wrong_posts(db: &Db, after: i64) -> Result<Vec<i64>> {
    sql("SELECT p.id FROM posts p LEFT JOIN \
         (SELECT post_id, count(*) AS number FROM votes GROUP BY post_id) v ON v.post_id = p.id \
         LEFT JOIN (SELECT post_id, count(*) AS number FROM comments WHERE deleted_at IS NULL \
         GROUP BY post_id) c ON c.post_id = p.id \
         WHERE p.id > $1 AND (p.votes <> coalesce(v.number, 0) \
         OR p.comments <> coalesce(c.number, 0)) ORDER BY p.id LIMIT $2")
    .bind(after)
    .bind(BATCH)
    .all(db)
    .await
    .map(ids)
}

/// Accounts behind this id whose numbers of posts and votes are wrong or missing, in the order of their
/// ids. Reads all accounts and posts.
pub async fn wrong_users(db: &Db, after: i64) -> Result<Vec<i64>> {
    sql("SELECT u.id FROM users u LEFT JOIN user_counts c ON c.user_id = u.id LEFT JOIN \
         (SELECT user_id, count(*) AS posts, sum(votes) AS votes FROM posts \
         WHERE published_at IS NOT NULL GROUP BY user_id) p ON p.user_id = u.id \
         WHERE u.id > $1 AND (c.posts IS NULL OR c.posts <> coalesce(p.posts, 0) \
         OR c.votes <> coalesce(p.votes, 0)) ORDER BY u.id LIMIT $2")
    .bind(after)
    .bind(BATCH)
    .all(db)
    .await
    .map(ids)
}

/// Tags behind this id whose numbers of posts are wrong, in the order of their ids. Reads all tags, and
/// which posts have them.
pub async fn wrong_tags(db: &Db, after: i64) -> Result<Vec<i64>> {
    sql("SELECT t.id FROM tags t LEFT JOIN (SELECT tag_id, count(*) AS number FROM post_tags \
         WHERE published_at IS NOT NULL GROUP BY tag_id) x ON x.tag_id = t.id \
         WHERE t.id > $1 AND t.posts <> coalesce(x.number, 0) ORDER BY t.id LIMIT $2")
    .bind(after)
    .bind(BATCH)
    .all(db)
    .await
    .map(ids)
}

fn ids(rows: Vec<(i64,)>) -> Vec<i64> {
    rows.into_iter().map(|(id,)| id).collect()
}

/// Counts again what is wrong; returns how many posts, accounts and tags were.
pub async fn mend(db: &Db) -> Result<u64> {
    let mut mended = 0;
    // The numbers of accounts are sums of those of posts, which triggers keep.
    let mut last = 0;
    loop {
        let posts = wrong_posts(db, last).await?;
        let Some(end) = posts.last() else { break };
        last = *end;
        for id in posts {
            mended += mend_post(db, id).await?;
        }
    }
    last = 0;
    loop {
        let users = wrong_users(db, last).await?;
        let Some(end) = users.last() else { break };
        last = *end;
        for id in users {
            mended += mend_user(db, id).await?;
        }
    }
    last = 0;
    loop {
        let tags = wrong_tags(db, last).await?;
        let Some(end) = tags.last() else { return Ok(mended) };
        last = *end;
        for id in tags {
            mended += mend_tag(db, id).await?;
        }
    }
}

async fn mend_post(db: &Db, id: i64) -> Result<u64> {
    let mut tx = db.begin().await?;
    // Locks the row: a vote that is being cast waits, and then counts itself.
    sql("UPDATE posts SET votes = votes WHERE id = $1").bind(id).execute(&mut tx).await?;
    let changed = sql("UPDATE posts SET votes = \
         (SELECT count(*) FROM votes v WHERE v.post_id = posts.id), comments = \
         (SELECT count(*) FROM comments c WHERE c.post_id = posts.id AND c.deleted_at IS NULL) \
         WHERE id = $1")
    .bind(id)
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(changed)
}

async fn mend_user(db: &Db, id: i64) -> Result<u64> {
    let mut tx = db.begin().await?;
    // Locks the row: a post that is being written waits, and then counts itself.
    sql("INSERT INTO user_counts (user_id) SELECT id FROM users WHERE id = $1 \
         ON CONFLICT (user_id) DO UPDATE SET posts = user_counts.posts")
    .bind(id)
    .execute(&mut tx)
    .await?;
    let changed = sql("UPDATE user_counts SET \
         posts = (SELECT count(*) FROM posts p \
             WHERE p.user_id = user_counts.user_id AND p.published_at IS NOT NULL), \
         votes = (SELECT coalesce(sum(p.votes), 0) FROM posts p \
             WHERE p.user_id = user_counts.user_id AND p.published_at IS NOT NULL) \
         WHERE user_id = $1")
    .bind(id)
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(changed)
}

async fn mend_tag(db: &Db, id: i64) -> Result<u64> {
    let mut tx = db.begin().await?;
    // Locks the row: a post that is being tagged waits, and then counts itself.
    sql("UPDATE tags SET posts = posts WHERE id = $1").bind(id).execute(&mut tx).await?;
    let changed = sql("UPDATE tags SET posts = (SELECT count(*) FROM post_tags x \
         WHERE x.tag_id = tags.id AND x.published_at IS NOT NULL) WHERE id = $1")
    .bind(id)
    .execute(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(changed)
}

/// How many posts, comments and accounts a search does not find as they are, counted up to a bound.
pub async fn unsearchable(site: &Site) -> Result<i64> {
    // The language says which words there should be.
    site.settings.refresh(&site.db).await?;
    let missing: i64 = sql("SELECT (SELECT count(*) FROM (SELECT 1 FROM posts n WHERE NOT EXISTS \
         (SELECT 1 FROM post_search s WHERE s.id = n.id) LIMIT $1) AS posts) \
         + (SELECT count(*) FROM (SELECT 1 FROM users n WHERE NOT EXISTS \
         (SELECT 1 FROM user_search s WHERE s.id = n.id) LIMIT $1) AS accounts) \
         + (SELECT count(*) FROM (SELECT 1 FROM users n WHERE NOT EXISTS \
         (SELECT 1 FROM name_search s WHERE s.id = n.id) LIMIT $1) AS names)")
    .bind(BATCH)
    .scalar(&site.db)
    .await?;
    Ok(missing + word_index::outdated(site, BATCH).await?)
}

/// Makes every post, comment and account searchable.
pub async fn index_missing(site: &Site) -> Result<()> {
    let db = &site.db;
    word_index::mend(site).await?;
    for source in [&post_search::SEARCH, &account_search::SEARCH, &name_search::SEARCH] {
        loop {
            let mut tx = db.begin().await?;
            let step = source.index_missing(&mut tx).await?;
            tx.commit().await?;
            if step == Step::Finished {
                break;
            }
        }
    }
    Ok(())
}

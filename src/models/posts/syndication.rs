//! What feeds say: the latest posts with their texts, and the latest comments on a post. It is what
//! anybody may read, whoever asks.

use std::collections::HashMap;

use crate::db::{Statement, sql};
use crate::error::Result;
use crate::models::base::page::Keyset;
use crate::models::base::site::Site;
use crate::models::posts::comment::{self, Comment};
use crate::models::posts::markdown;
use crate::models::posts::post::{self, PostSummary};

/// Posts or comments of a feed at most.
const LATEST: i64 = 20;

/// The longest text that a feed has in full, in bytes of HTML.
pub const MAX_HTML: usize = 20 * 1024;

/// A post as a feed has it.
pub struct SyndicatedPost {
    pub summary: PostSummary,
    /// The content as safe HTML; `None` if it is too long, or was made by an older version of the
    /// renderer.
    pub content_html: Option<String>,
}

/// The latest posts, or those of one author (by id) alone.
pub async fn latest(site: &Site, author: Option<i64>) -> Result<Vec<PostSummary>> {
    let keyset = Keyset::first(LATEST);
    let query = post::select_page(None, author, &keyset, post::PUBLISHED);
    let posts = post::summaries(&site.db, query).await?;
    Ok(keyset.page(posts, PostSummary::published_key).items)
}

/// The posts with those of their texts that a feed has in full; others are not even read.
pub async fn with_contents(site: &Site, posts: Vec<PostSummary>) -> Result<Vec<SyndicatedPost>> {
    let longest = i64::try_from(MAX_HTML).unwrap_or_default();
    let query = post::push_source(sql(""), "SELECT p.id, p.content_html", None)
        .push_bind(" AND p.rendering = ", markdown::RENDERING)
        .push_bind(" AND octet_length(p.content_html) <= ", longest)
        .push_list(" AND p.id IN ", posts.iter().map(|post| post.id));
    let contents: Vec<(i64, String)> = query.all(&site.db).await?;
    let mut contents: HashMap<i64, String> = contents.into_iter().collect();
    let with_content = |summary: PostSummary| SyndicatedPost {
        content_html: contents.remove(&summary.id),
        summary,
    };
    Ok(posts.into_iter().map(with_content).collect())
}

/// The latest comments on a post, replies among them.
pub async fn comments(site: &Site, post_id: i64) -> Result<Vec<Comment>> {
    let mut comments = Vec::new();
    for comment in comment::read(&site.db, comments_query(post_id)).await? {
        comments.push(comment::refresh(site, comment).await?);
    }
    Ok(comments)
}

/// A range of one number, ordered by both columns of the index: for an equation, PostgreSQL may go
/// through the comments on all posts, in the order of the primary key.
fn comments_query(post_id: i64) -> Statement {
    let query = comment::select(None)
        .push("(SELECT c.id FROM comments c WHERE c.deleted_at IS NULL")
        .push_bind(" AND c.post_id >= ", post_id)
        .push_bind(" AND c.post_id <= ", post_id)
        .push_bind(" ORDER BY c.post_id DESC, c.id DESC LIMIT ", LATEST)
        .push(") AS latest JOIN comments c ON c.id = latest.id");
    comment::join(query, post::READABLE).push(" ORDER BY c.id DESC")
}

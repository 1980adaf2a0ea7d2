//! What feeds say: the latest posts with their texts. It is what anybody may read, whoever asks.

use std::collections::HashMap;

use crate::db::sql;
use crate::error::Result;
use crate::models::base::page::Keyset;
use crate::models::base::site::Site;
use crate::models::posts::markdown;
use crate::models::posts::post::{self, PostSummary};

/// Posts of a feed at most.
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

//! The addresses of all posts, for search engines. Each file has those of a range of ids: it is read by
//! the primary key, and stays the same when posts are added.

use chrono::{DateTime, Utc};

use crate::db::sql;
use crate::error::{Error, Result};
use crate::models::base::site::Site;
use crate::models::posts::post;

/// The ids of one file. With as many posts, a file has less than 512 KiB, the size up to which an answer is
/// kept.
pub const IDS_PER_FILE: i64 = 2_000;

/// The files that are listed; the index of more would not be kept.
const MAX_FILES: i64 = 5_000;

/// A post of the sitemap.
pub struct SitemapPost {
    pub path: String,
    /// The last edit, or else the publication.
    pub changed_at: DateTime<Utc>,
}

/// The numbers of the files: one at least. Beyond the first five thousand, the oldest posts are in none.
pub async fn files(site: &Site) -> Result<std::ops::RangeInclusive<i64>> {
    // Of all posts: before the last of those in lists there may be any number of drafts.
    let latest: Option<i64> = sql("SELECT max(id) FROM posts").scalar(&site.db).await?;
    let last = latest.map_or(1, |id| (id - 1) / IDS_PER_FILE + 1);
    Ok((last - MAX_FILES + 1).max(1)..=last)
}

/// The posts of a file, the oldest first.
///
/// # Errors
/// `NotFound` if there is no such file.
pub async fn file(site: &Site, number: i64) -> Result<Vec<SitemapPost>> {
    if !files(site).await?.contains(&number) {
        return Err(Error::NotFound);
    }
    let last = number * IDS_PER_FILE;
    let query = post::push_source(
        sql(""),
        "SELECT p.id, p.slug, p.title, coalesce(p.updated_at, p.published_at)",
        None,
    )
    .push_bind(" AND p.id > ", last - IDS_PER_FILE)
    .push_bind(" AND p.id <= ", last)
    .push(" ORDER BY p.id");
    let rows: Vec<(i64, String, String, DateTime<Utc>)> = query.all(&site.db).await?;
    let entry = |(id, slug, title, changed_at): (i64, String, String, _)| SitemapPost {
        path: post::path(id, &slug, &title),
        changed_at,
    };
    Ok(rows.into_iter().map(entry).collect())
}

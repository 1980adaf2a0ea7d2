//! What stands at the end of a post: the posts before and after it, and more by its author.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::db::{Db, sql};
use crate::error::Result;
use crate::models::base::page::Keyset;
use crate::models::posts::post::{self, PostSummary};

/// A link to a post.
#[derive(Debug, Serialize)]
pub struct PostLink {
    pub title: String,
    pub path: String,
    pub published_at: DateTime<Utc>,
}

/// Where to go on from a post.
#[derive(Debug, Default, Serialize)]
pub struct Neighbours {
    /// The one that was published before it.
    pub older: Option<PostLink>,
    /// The one that was published after it.
    pub newer: Option<PostLink>,
    /// The latest others by the same author.
    pub more: Vec<PostLink>,
}

/// How many others by the same author are shown.
const MORE: usize = 5;

/// Why a row was found.
const OLDER: i64 = 0;
const NEWER: i64 = 1;
const BY_AUTHOR: i64 = 2;

type Row = (i64, i64, String, String, DateTime<Utc>);

/// The neighbours of a post, by one statement; each part reads its index in the order of the list.
pub async fn around(db: &Db, post: &PostSummary) -> Result<Neighbours> {
    if !post.is_listed() {
        return Ok(Neighbours::default());
    }
    let keys = post.published_key();
    // `Keyset` reads one row more than its limit.
    let more = i64::try_from(MORE).unwrap_or_default();
    let parts = [
        (OLDER, Keyset::beyond(keys, 0), None),
        (NEWER, Keyset::ahead_of(keys, 0), None),
        (BY_AUTHOR, Keyset::first(more), Some(post.user_id)),
    ];
    let mut query = sql("SELECT near.part, p.id, p.title, p.slug, p.published_at FROM (");
    for (part, keyset, author) in parts {
        query = query.push(if part == OLDER { "" } else { " UNION ALL " });
        query = query.push_bind("SELECT CAST(", part).push(" AS BIGINT) AS part, found.id FROM ");
        let source = |query| post::push_source(query, "SELECT p.id, p.published_at", author);
        query = keyset.ids(query, post::PUBLISHED, source).push(" AS found");
    }
    let query = query
        .push(") AS near JOIN posts p ON p.id = near.id WHERE ")
        .push(post::LISTED)
        .push(" ORDER BY p.published_at DESC, p.id DESC");
    let rows: Vec<Row> = query.all(db).await?;
    let mut neighbours = Neighbours::default();
    for (part, id, title, slug, published_at) in rows {
        let path = post::path(id, &slug, &title);
        let link = PostLink { title, path, published_at };
        match part {
            // The first of the older ones, and the last of the newer ones, are next to the post.
            OLDER => drop(neighbours.older.get_or_insert(link)),
            NEWER => neighbours.newer = Some(link),
            _ if id != post.id && neighbours.more.len() < MORE => neighbours.more.push(link),
            _ => {}
        }
    }
    Ok(neighbours)
}

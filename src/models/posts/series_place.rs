//! Where a post stands in its series: its number, and the parts before and after it.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::db::{Db, Statement, sql};
use crate::error::Result;
use crate::models::base::page::Keyset;
use crate::models::posts::neighbours::PostLink;
use crate::models::posts::post::{self, PostSummary};
use crate::models::posts::series;

/// The place of a post among the parts of its series that everybody finds.
#[derive(Debug, Serialize)]
pub struct SeriesPlace {
    /// From 1.
    pub number: i64,
    pub parts: i64,
    pub previous: Option<PostLink>,
    pub next: Option<PostLink>,
}

/// Why a row was found.
const PREVIOUS: i64 = 0;
const NEXT: i64 = 1;

type Row = (i64, i64, String, String, DateTime<Utc>);

/// `None` if the post is in no series, or is no part of it yet: what is not in lists is not counted.
pub async fn of(db: &Db, post: &PostSummary) -> Result<Option<SeriesPlace>> {
    let Some(series) = post.series.as_ref().filter(|_| post.is_listed()) else { return Ok(None) };
    let (number, parts) = series::count(db, series.id, Some(post)).await?;
    let keys = post.published_key();
    let mut query = sql("SELECT near.side, p.id, p.title, p.slug, p.published_at FROM (");
    // `Keyset` reads one row more than its limit.
    for (side, keyset) in [(PREVIOUS, Keyset::beyond(keys, 0)), (NEXT, Keyset::ahead_of(keys, 0))] {
        query = query.push(if side == PREVIOUS { "" } else { " UNION ALL " });
        query = query.push_bind("SELECT CAST(", side).push(" AS BIGINT) AS side, found.id FROM ");
        let source = |query: Statement| {
            let query = post::push_source(query, "SELECT p.id, p.published_at", None);
            query.push_bind(" AND p.series_id = ", series.id)
        };
        query = keyset.ids(query, post::PUBLISHED, source).push(" AS found");
    }
    // A bound of two columns is two queries, each of which finds one: the nearest of them is meant.
    let query = query
        .push(") AS near JOIN posts p ON p.id = near.id WHERE ")
        .push(post::LISTED)
        .push(" ORDER BY p.published_at DESC, p.id DESC");
    let rows: Vec<Row> = query.all(db).await?;
    let (mut previous, mut next) = (None, None);
    for (side, id, title, slug, published_at) in rows {
        let path = post::path(id, &slug, &title);
        let link = PostLink { title, path, published_at };
        match side {
            PREVIOUS => drop(previous.get_or_insert(link)),
            _ => next = Some(link),
        }
    }
    Ok(Some(SeriesPlace { number, parts, previous, next }))
}

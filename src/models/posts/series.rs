//! Series: posts of one author that belong together, in the order in which they were published.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{Db, Statement, sql};
use crate::error::Result;
use crate::models::base::form_value;
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::{self, Author, PostSummary};
use crate::models::posts::series_title;
use crate::models::users::user::User;

/// Most series of one author.
pub(super) const MAX_SERIES: i64 = 200;

/// A series.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Series {
    /// The number of the series.
    pub id: i64,
    /// Who writes it.
    #[sqlx(flatten)]
    pub author: Author,
    /// One line.
    #[schema(example = "Forty mornings at the harbour")]
    pub title: String,
    /// The path of its page, the same at both doors.
    #[sqlx(skip)]
    #[schema(example = "/series/1")]
    pub path: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When the latest of its public posts was published; null if it has none, and then its author alone
    /// finds it.
    pub latest_at: Option<DateTime<Utc>>,
}

/// A series, and how many parts it has.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CountedSeries {
    #[serde(flatten)]
    pub series: Series,
    /// How many public posts it has, at most 500.
    #[schema(minimum = 0)]
    pub parts: i64,
}

/// Changes to a series; missing fields stay unchanged, empty ones are errors.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct SeriesUpdate {
    /// 1 to 100 characters; of the series of one author, no two have the same.
    #[serde(default, deserialize_with = "form_value::text")]
    #[schema(
        nullable = false,
        min_length = 1,
        max_length = 100,
        example = "Forty mornings at the harbour"
    )]
    pub title: Option<String>,
}

/// Which series somebody may see: those with a public post, and their own. The parameter $1 is the id of a user,
/// or 0 for whoever is not logged in; `post::LISTED` and `))` follow.
const VISIBLE: &str =
    "(s.user_id = $1 OR EXISTS (SELECT 1 FROM posts p WHERE p.series_id = s.id AND ";

/// The series that somebody may see. Ends inside WHERE.
fn select(viewer: Option<&User>) -> Statement {
    sql("SELECT s.id, u.id AS author_id, u.username AS author_username, s.title, s.created_at, \
         (SELECT max(p.published_at) FROM posts p WHERE p.series_id = s.id AND ")
    .bind(viewer.map_or(0, |user| user.id))
    .push(post::LISTED)
    .push(") AS latest_at FROM series s JOIN users u ON u.id = s.user_id WHERE ")
    .push(VISIBLE)
    .push(post::LISTED)
    .push("))")
}

fn complete(mut series: Series) -> Series {
    series.path = series_title::path(series.id);
    series
}

/// A series that this user may see.
///
/// # Errors
/// `NotFound`.
pub async fn find(db: &Db, viewer: Option<&User>, id: i64) -> Result<Series> {
    Ok(complete(select(viewer).push_bind(" AND s.id = ", id).one(db).await?))
}

/// The same, with the number of its parts.
///
/// # Errors
/// `NotFound`.
pub async fn show(db: &Db, viewer: Option<&User>, id: i64) -> Result<CountedSeries> {
    let series = find(db, viewer, id).await?;
    let (_, parts) = count(db, id, None).await?;
    Ok(CountedSeries { series, parts })
}

/// How many of its parts come up to this post, itself among them, and how many there are. One range of the
/// index, of 500 posts at most.
pub async fn count(db: &Db, id: i64, through: Option<&PostSummary>) -> Result<(i64, i64)> {
    sql("SELECT CAST(coalesce(sum(CASE WHEN p.published_at < $1 \
         OR p.published_at = $1 AND p.id <= $2 THEN 1 ELSE 0 END), 0) AS BIGINT), count(*) \
         FROM posts p WHERE p.series_id = $3 AND ")
    .bind(through.and_then(|post| post.published_at))
    .bind(through.map_or(0, |post| post.id))
    .bind(id)
    .push(post::LISTED)
    .one(db)
    .await
}

/// The parts of a series, the first one first.
///
/// # Errors
/// `Invalid`, about `before`, `after` and `limit`.
pub async fn parts(
    site: &Site,
    viewer: Option<&User>,
    id: i64,
    params: &PageParams,
) -> Result<Page<PostSummary>> {
    let keyset = Keyset::<2>::new(params)?.ascending();
    let source = |query: Statement| {
        post::push_source(query, "SELECT p.id", None).push_bind(" AND p.series_id = ", id)
    };
    let query = keyset.ids(post::select_from("", viewer), post::PUBLISHED, source);
    let query = query.push(" AS page JOIN posts p ON p.id = page.id").push(post::AUTHOR);
    let query = keyset.order(query.push(post::LISTED), post::PUBLISHED);
    let posts = post::summaries(&site.db, query).await?;
    Ok(keyset.page(posts, PostSummary::published_key))
}

/// One author's series that this user may see, the one that was made last first.
///
/// # Errors
/// `Invalid`, about `before`, `after` and `limit`.
pub async fn by_author(
    site: &Site,
    viewer: Option<&User>,
    author_id: i64,
    params: &PageParams,
) -> Result<Page<Series>> {
    // As in the index: it is never read by the primary key.
    const ORDER: [Column; 1] = [Column::Int("s.id + 0")];
    let keyset = Keyset::<1>::new(params)?;
    let query = select(viewer).push_bind(" AND s.user_id = ", author_id);
    let found: Vec<Series> = keyset.apply(query, ORDER).all(&site.db).await?;
    let found = found.into_iter().map(complete).collect();
    Ok(keyset.page(found, |series: &Series| [series.id]))
}

/// Whether an author has a series that this user may see.
pub async fn has_any(db: &Db, viewer: Option<&User>, author_id: i64) -> Result<bool> {
    let query = sql("SELECT EXISTS (SELECT 1 FROM series s WHERE ")
        .bind(viewer.map_or(0, |user| user.id))
        .push(VISIBLE)
        .push(post::LISTED)
        .push("))");
    query.push_bind(" AND s.user_id = ", author_id).push(")").scalar(db).await
}

/// The titles of all of an author's series, the one that was made last first, for those who write.
pub async fn titles(db: &Db, author_id: i64) -> Result<Vec<String>> {
    let titles: Vec<(String,)> = sql("SELECT title FROM series WHERE user_id = $1")
        .bind(author_id)
        .push_bind(" ORDER BY id + 0 DESC LIMIT ", MAX_SERIES)
        .all(db)
        .await?;
    Ok(titles.into_iter().map(|(title,)| title).collect())
}

//! Posts, and how they are read.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Conn, Db, Statement, sql};
use crate::error::Result;
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::posts::markdown;
use crate::models::posts::publication_state::{PostState, Publication, Visibility};
use crate::models::posts::series_title::PostSeries;
use crate::models::posts::slug;
use crate::models::posts::tag_name::TagNames;
use crate::models::users::user::User;

/// A post without its full text, as shown in lists.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct PostSummary {
    /// The number of the post.
    pub id: i64,
    /// The number of its author.
    pub user_id: i64,
    /// Its author.
    #[sqlx(flatten)]
    pub author: Author,
    /// One line.
    #[schema(example = "On tides")]
    pub title: String,
    /// The readable part of its address: as its author chose it, or made from the title.
    #[schema(example = "on-tides")]
    pub slug: String,
    /// The path of its page.
    #[sqlx(skip)]
    #[schema(example = "/posts/1/on-tides")]
    pub path: String,
    /// What its author wrote for lists, in one line; may be empty.
    #[schema(example = "Why the sea rises and falls.")]
    pub summary: String,
    /// The beginning of the text, without markup.
    #[schema(example = "The sea comes twice a day.")]
    pub excerpt: String,
    /// Whether it is published.
    #[sqlx(try_from = "String")]
    pub state: PostState,
    /// Who may read it, once it is published.
    #[sqlx(try_from = "String")]
    pub visibility: Visibility,
    /// In the order of the author.
    #[sqlx(try_from = "String")]
    #[schema(value_type = Vec<String>, example = json!(["sea", "physics"]))]
    pub tags: TagNames,
    /// The series of which it is a part; null if it is in none. Of a post that is in no list, its author alone is
    /// told.
    #[sqlx(skip)]
    pub series: Option<PostSeries>,
    /// How long it takes to read, at 220 words (of Chinese and Japanese, 500 characters) a minute.
    #[schema(minimum = 1)]
    pub reading_minutes: i64,
    /// The full text in Markdown; in lists only with `include=content`.
    #[sqlx(skip)]
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "The sea comes *twice* a day.")]
    pub content: Option<String>,
    /// How many people voted for it.
    pub votes: i64,
    /// Whether the current user voted for it.
    pub voted: bool,
    /// How many comments it has.
    pub comments: i64,
    /// Whether nobody can add another comment.
    pub comments_closed: bool,
    /// Increases by one with each edit; used by `If-Match` and the edit form.
    pub version: i64,
    /// When it was first saved.
    pub created_at: DateTime<Utc>,
    /// When it was published, or will be: the time by which lists are ordered. Null for a draft that has
    /// neither.
    pub published_at: Option<DateTime<Utc>>,
    /// Null until the first edit.
    pub updated_at: Option<DateTime<Utc>>,
    /// By which the list "hot" is ordered (migration 24).
    #[serde(skip)]
    pub hot: i64,
    #[serde(skip)]
    series_id: Option<i64>,
    #[serde(skip)]
    series_title: Option<String>,
}

/// A post with its full text.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Post {
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub summary: PostSummary,
    /// Markdown.
    #[schema(example = "The sea comes *twice* a day.")]
    pub content: String,
    /// The content as safe HTML.
    #[schema(example = "<p>The sea comes <em>twice</em> a day.</p>")]
    pub content_html: String,
    #[serde(skip)]
    rendering: i64,
}

/// Who wrote a post.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Author {
    /// The number of the account.
    #[sqlx(rename = "author_id")]
    pub id: i64,
    /// The username.
    #[sqlx(rename = "author_username")]
    #[schema(example = "ann")]
    pub username: String,
}

impl Post {
    /// Whether an older version of the renderer made the HTML, the excerpt and the reading time.
    pub(super) fn is_outdated(&self) -> bool {
        self.rendering != markdown::RENDERING
    }
}

impl PostSummary {
    /// Whether everybody may read it and it is in lists.
    pub fn is_listed(&self) -> bool {
        self.publication().listed_at().is_some()
    }

    pub fn publication(&self) -> Publication {
        let (state, visibility, at) = (self.state, self.visibility, self.published_at);
        Publication { state, visibility, at }
    }

    /// Completes the address and the series, as they come from the table.
    pub(super) fn complete(&mut self) {
        self.slug = slug::of(&self.slug, &self.title);
        self.path = format!("{}/{}", resource(self.id), self.slug);
        let series = self.series_id.zip(self.series_title.take());
        self.series = series.map(|(id, title)| PostSeries::new(id, title));
    }

    /// What describes it in one line: the words of its author, or else the beginning of the text.
    pub fn description(&self) -> &str {
        if self.summary.is_empty() { &self.excerpt } else { &self.summary }
    }

    /// The ordering key: the time of publication in microseconds since 1970, and the id.
    pub fn published_key(&self) -> [i64; 2] {
        [self.published_at.map_or(0, |at| at.timestamp_micros()), self.id]
    }
}

/// Below which everything about the post with this id stands, at both doors. The page door leads from it
/// to the post's page.
pub fn resource(id: i64) -> String {
    format!("/posts/{id}")
}

/// The path of the page of a post, from the columns `slug` and `title`.
pub fn path(id: i64, chosen: &str, title: &str) -> String {
    format!("{}/{}", resource(id), slug::of(chosen, title))
}

const SUMMARY: &str = "SELECT p.id, p.user_id, u.id AS author_id, u.username AS author_username, \
    p.title, p.slug, p.summary, p.excerpt, p.state, p.visibility, p.reading_minutes, p.votes, p.comments, p.comments_closed_at IS NOT NULL AS comments_closed, \
    p.version, p.created_at, coalesce(p.published_at, p.publish_at) AS published_at, p.updated_at, p.hot, \
    coalesce((SELECT string_agg(t.name, ' ' ORDER BY pt.position) FROM post_tags pt \
        JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id = p.id), '') AS tags, \
    CASE WHEN p.published_at IS NOT NULL OR p.user_id = $1 THEN p.series_id END AS series_id, \
    CASE WHEN p.series_id IS NOT NULL THEN (SELECT s.title FROM series s WHERE s.id = p.series_id) END AS series_title, \
    EXISTS (SELECT 1 FROM votes v WHERE v.post_id = p.id AND v.user_id = $1) AS voted";

/// What a `Post` has besides a `PostSummary`.
pub(super) const CONTENT: &str = ", p.content, p.content_html, p.rendering";

/// Which posts are in lists. Triggers and partial indexes repeat it in the migrations.
pub(super) const LISTED: &str = "p.published_at IS NOT NULL";

/// Which posts somebody may read who knows the address: the parameter $1 is the id of a user, or 0 for
/// whoever is not logged in.
pub(super) const READABLE: &str = "(p.published_at IS NOT NULL OR p.user_id = $1 \
    OR p.state = 'published' AND (p.visibility = 'unlisted' OR p.visibility = 'members' AND $1 > 0))";

/// Ends inside FROM.
pub(super) fn select_from(columns: &'static str, viewer: Option<&User>) -> Statement {
    // Ids begin at 1, so nobody has voted as 0.
    sql(SUMMARY).bind(viewer.map_or(0, |user| user.id)).push(columns).push(" FROM ")
}

/// Ends inside WHERE.
pub(super) const AUTHOR: &str = " JOIN users u ON u.id = p.user_id WHERE ";

/// The orders of lists.
pub(super) const PUBLISHED: [Column; 2] = [Column::Time("p.published_at"), Column::Int("p.id")];
pub(super) const VOTES: [Column; 2] = [Column::Int("p.votes"), Column::Int("p.id")];

/// A page of the posts in lists, perhaps of one author (by id) alone.
pub(super) fn select_page(
    viewer: Option<&User>,
    author: Option<i64>,
    keyset: &Keyset<2>,
    order: [Column; 2],
) -> Statement {
    let source = |query| push_source(query, "SELECT p.id", author);
    let query = keyset.ids(select_from("", viewer), order, source);
    let query = query.push(" AS page JOIN posts p ON p.id = page.id").push(AUTHOR).push(LISTED);
    keyset.order(query, order)
}

/// Adds a query for columns of the posts in lists, perhaps of one author (by id) alone; ends
/// inside WHERE.
pub(super) fn push_source(
    query: Statement,
    columns: &'static str,
    author: Option<i64>,
) -> Statement {
    let query = query.push(columns).push(" FROM posts p WHERE ").push(LISTED);
    author.into_iter().fold(query, |query, id| query.push_bind(" AND p.user_id = ", id))
}

/// A page of the posts in no list that this user may read and that a partial index has, the latest written
/// first; `condition` ends a query for them inside WHERE.
///
/// # Errors
/// `Invalid`, about `before`, `after` and `limit`.
pub(super) async fn not_listed(
    db: &Db,
    viewer: Option<&User>,
    params: &PageParams,
    condition: impl Fn(Statement) -> Statement,
) -> Result<Page<PostSummary>> {
    // As in the indexes: it is never read by the primary key.
    const ORDER: [Column; 1] = [Column::Int("p.id + 0")];
    let keyset = Keyset::<1>::new(params)?;
    let source = |query: Statement| {
        condition(query.push("SELECT p.id FROM posts p WHERE p.published_at IS NULL AND "))
    };
    let query = keyset.ids(select_from("", viewer), ORDER, source);
    let query = query.push(" AS page JOIN posts p ON p.id = page.id").push(AUTHOR);
    let query = keyset.order(query.push(READABLE), [Column::Int("p.id")]);
    Ok(keyset.page(summaries(db, query).await?, |post| [post.id]))
}

/// Those of these posts that are in lists.
pub(super) fn select_by_id(viewer: Option<&User>, ids: impl Iterator<Item = i64>) -> Statement {
    let query = select_from("", viewer).push("posts p").push(AUTHOR).push(LISTED);
    query.push_list(" AND p.id IN ", ids)
}

/// Those of these posts that this user may read.
pub(super) fn select_readable(viewer: Option<&User>, ids: impl Iterator<Item = i64>) -> Statement {
    let query = select_from("", viewer).push("posts p").push(AUTHOR).push(READABLE);
    query.push_list(" AND p.id IN ", ids)
}

/// Runs a query of summaries.
pub(super) async fn summaries<'c>(
    conn: impl Into<Conn<'c>>,
    query: Statement,
) -> Result<Vec<PostSummary>> {
    let mut posts: Vec<PostSummary> = query.all(conn).await?;
    for post in &mut posts {
        post.complete();
    }
    Ok(posts)
}

/// The path of the page of a post that this user may read.
///
/// # Errors
/// `NotFound`.
pub async fn address<'c>(
    conn: impl Into<Conn<'c>>,
    viewer: Option<&User>,
    id: i64,
) -> Result<String> {
    let query = sql("SELECT p.slug, p.title FROM posts p WHERE ")
        .bind(viewer.map_or(0, |user| user.id))
        .push(READABLE);
    let (slug, title): (String, String) = query.push_bind(" AND p.id = ", id).one(conn).await?;
    Ok(path(id, &slug, &title))
}

/// One post that this user may read, as it is stored: `rendering::refresh` it before it is shown.
///
/// # Errors
/// `NotFound`.
pub async fn show<'c>(conn: impl Into<Conn<'c>>, viewer: Option<&User>, id: i64) -> Result<Post> {
    let query = select_from(CONTENT, viewer).push("posts p").push(AUTHOR).push(READABLE);
    let mut post: Post = query.push_bind(" AND p.id = ", id).one(conn).await?;
    post.summary.complete();
    Ok(post)
}

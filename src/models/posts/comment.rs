//! Comments on posts, and replies to them: how they are read.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Conn, Statement, sql};
use crate::error::{Error, Result};
use crate::models::base::site::Site;
use crate::models::posts::markdown;
use crate::models::posts::post::{self, Author};
use crate::models::posts::rendering;
use crate::models::users::user::User;

/// Replies are nested no deeper.
pub const MAX_DEPTH: i64 = 100;

/// A comment, or a reply to one.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Comment {
    /// The number of the comment.
    pub id: i64,
    /// The number of the post.
    pub post_id: i64,
    /// The comment that it replies to; null when it is about the post itself.
    pub parent_id: Option<i64>,
    /// How many comments stand above it, up to the post.
    #[schema(minimum = 0, maximum = 100)]
    pub depth: i64,
    /// Who wrote it; null when it was deleted.
    #[sqlx(skip)]
    pub author: Option<Author>,
    /// The path of the comment, the same at both doors.
    #[sqlx(skip)]
    #[schema(example = "/comments/1")]
    pub path: String,
    /// Markdown; empty when it was deleted.
    #[schema(example = "The moon has a *part* in it.")]
    pub content: String,
    /// The content as safe HTML.
    #[schema(example = "<p>The moon has a <em>part</em> in it.</p>")]
    pub content_html: String,
    /// How many people voted for it.
    pub votes: i64,
    /// Whether the current user voted for it.
    pub voted: bool,
    /// How many direct replies it has, deleted ones among them.
    pub replies: i64,
    /// Increases by one with each edit; used by `If-Match` and the edit form.
    pub version: i64,
    /// Whether it was deleted: it stays, without its text, as long as there are replies to it.
    pub deleted: bool,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Null until the first edit.
    pub updated_at: Option<DateTime<Utc>>,
    #[serde(skip)]
    rendering: i64,
    #[serde(skip)]
    author_id: Option<i64>,
    #[serde(skip)]
    author_username: Option<String>,
}

/// The path of the comment with this id, the same at both doors.
pub fn path(id: i64) -> String {
    format!("/comments/{id}")
}

/// What is read of a comment. Nobody learns who wrote a deleted one.
const COLUMNS: &str = "SELECT c.id, c.post_id, c.parent_id, c.depth, c.content, c.content_html, \
    c.rendering, c.votes, c.replies, c.version, c.deleted_at IS NOT NULL AS deleted, c.created_at, c.updated_at, \
    u.id AS author_id, u.username AS author_username, \
    EXISTS (SELECT 1 FROM comment_votes v WHERE v.comment_id = c.id AND v.user_id = $1) AS voted \
    FROM ";

/// Begins a query for comments, whose parameter $1 is the viewer, as in `post::READABLE`; ends inside
/// FROM.
pub(super) fn select(viewer: Option<&User>) -> Statement {
    sql(COLUMNS).bind(viewer.map_or(0, |user| user.id))
}

/// Joins what belongs to a comment `c`, if its post meets a rule, one of those in `post`; ends inside
/// WHERE.
pub(super) fn join(query: Statement, rule: &'static str) -> Statement {
    query
        .push(
            " JOIN posts p ON p.id = c.post_id \
             LEFT JOIN users u ON u.id = c.user_id AND c.deleted_at IS NULL WHERE ",
        )
        .push(rule)
}

/// Runs a query of `select`.
pub(super) async fn read<'c>(conn: impl Into<Conn<'c>>, query: Statement) -> Result<Vec<Comment>> {
    let mut comments: Vec<Comment> = query.all(conn).await?;
    for comment in &mut comments {
        comment.path = path(comment.id);
        let author = comment.author_id.zip(comment.author_username.take());
        comment.author = author.map(|(id, username)| Author { id, username });
    }
    Ok(comments)
}

/// One comment, as it is stored: `refresh` it before it is shown.
///
/// # Errors
/// `NotFound`.
pub async fn show<'c>(
    conn: impl Into<Conn<'c>>,
    viewer: Option<&User>,
    id: i64,
) -> Result<Comment> {
    let query = join(select(viewer).push("comments c"), post::READABLE);
    let query = query.push_bind(" AND c.id = ", id);
    read(conn, query).await?.into_iter().next().ok_or(Error::NotFound)
}

/// The comment as this version renders it.
///
/// # Errors
/// `Unavailable` when too many others are waiting.
pub async fn refresh(site: &Site, mut comment: Comment) -> Result<Comment> {
    if comment.rendering != markdown::RENDERING && !comment.deleted {
        comment.content_html = rendering::render_comment_again(site, &comment.content).await?;
    }
    Ok(comment)
}

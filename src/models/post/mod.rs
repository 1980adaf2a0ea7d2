//! Posts: what one is and who may change it.

mod edit;
mod feed;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Conn, Query, sql};
use crate::error::{Error, Result};
use crate::models::markdown;
use crate::models::user::User;

pub use edit::{Draft, create, delete, editable, operator_create, preview, update};
pub use feed::{Asked, by_author, feed, search};

/// A post as everybody sees it.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Post {
    pub id: i64,
    pub user_id: i64,
    #[sqlx(flatten)]
    pub author: Author,
    #[schema(example = "On tides")]
    pub title: String,
    /// Markdown.
    #[schema(example = "The sea comes *twice* a day.")]
    pub content: String,
    /// The content as safe HTML.
    #[schema(example = "<p>The sea comes <em>twice</em> a day.</p>")]
    pub content_html: String,
    /// The beginning of the content, without markup.
    pub excerpt: String,
    #[serde(skip)]
    rendering: i64,
    /// How many people voted for it.
    pub votes: i64,
    /// Whether the person who asks is one of them.
    pub voted: bool,
    /// Rises by one at each edit; `If-Match` and the edit form name it.
    pub version: i64,
    pub created_at: DateTime<Utc>,
    /// Null until the first edit.
    pub updated_at: Option<DateTime<Utc>>,
}

/// Who wrote a post.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Author {
    #[sqlx(rename = "author_id")]
    pub id: i64,
    #[sqlx(rename = "author_username")]
    #[schema(example = "ann")]
    pub username: String,
}

/// Everything of a post, for the person who looks at it; ends before WHERE.
fn select(viewer: Option<&User>) -> Query {
    // Ids begin at 1, so nobody has voted as 0.
    sql("SELECT p.id, p.user_id, u.id AS author_id, u.username AS author_username, p.title, \
         p.content, p.content_html, p.excerpt, p.rendering, p.votes, p.version, p.created_at, \
         p.updated_at, EXISTS (SELECT 1 FROM votes v WHERE v.post_id = p.id AND v.user_id = $1) \
         AS voted FROM posts p JOIN users u ON u.id = p.user_id")
    .bind(viewer.map_or(0, |user| user.id))
}

/// One post.
///
/// # Errors
/// `NotFound`.
pub async fn show(conn: impl Into<Conn<'_>>, viewer: Option<&User>, id: i64) -> Result<Post> {
    let post = select(viewer).push_bind(" WHERE p.id = ", id).one(conn).await?;
    Ok(current(post))
}

/// Renders anew what an older version of the renderer had rendered.
fn current(mut post: Post) -> Post {
    if post.rendering != markdown::RENDERING {
        post.content_html = markdown::render(&post.content);
        post.excerpt = markdown::excerpt(&post.content);
    }
    post
}

/// Fails unless `me` may change what `owner` wrote.
fn permit(me: &User, owner: i64) -> Result<()> {
    if me.may_change(owner) {
        Ok(())
    } else {
        Err(Error::Forbidden("Only its author may change this post."))
    }
}

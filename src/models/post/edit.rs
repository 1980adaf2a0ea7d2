//! Writing, editing and deleting posts.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{Post, permit, show};
use crate::db::{Conn, Db, Tx, now, sql};
use crate::error::{Complaints, Error, Result};
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::email::{self, Rules};
use crate::models::markdown;
use crate::models::user::User;
use crate::models::written;

/// Longest title, in characters.
const TITLE: usize = 255;
/// Longest content, in characters.
const CONTENT: usize = 100_000;

/// What a writer gives. In an edit a missing field stays as it is; an empty one is a complaint.
#[derive(Debug, Default, Clone, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Draft {
    /// 1 to 255 characters.
    #[schema(example = "On tides")]
    pub title: Option<String>,
    /// Markdown, 1 to 100,000 characters.
    #[schema(example = "The sea comes *twice* a day.")]
    pub content: Option<String>,
    /// Of an edit: the version that the writer saw. Another one means that somebody was faster.
    #[serde(default, deserialize_with = "written::number")]
    #[schema(example = 1)]
    pub version: Option<i64>,
}

/// Publishes a post.
///
/// # Errors
/// `Invalid`, with complaints about `title` and `content`; `Unverified`.
pub async fn create(db: &Db, rules: &Rules, me: &User, draft: &Draft) -> Result<Post> {
    email::permit_posting(db, rules, me).await?;
    let mut complaints = Complaints::default();
    let title = complaints.take(title(draft.title.as_deref().unwrap_or_default()))?;
    let content = complaints.take(content(draft.content.as_deref().unwrap_or_default()))?;
    complaints.check()?;
    let id =
        insert(db.writer(), me.id, &title.unwrap_or_default(), &content.unwrap_or_default(), now())
            .await?;
    show(db.writer(), Some(me), id).await
}

/// Publishes many posts in one transaction: for the demonstration. Each is the author's id, title,
/// content and time.
pub async fn operator_create(
    db: &Db,
    posts: Vec<(i64, String, String, DateTime<Utc>)>,
) -> Result<Vec<i64>> {
    let mut tx = db.begin().await?;
    let mut ids = Vec::new();
    for (author, title, content, at) in posts {
        ids.push(insert(&mut tx, author, &title, &content, at).await?);
    }
    tx.commit().await?;
    Ok(ids)
}

async fn insert(
    conn: impl Into<Conn<'_>>,
    author: i64,
    title: &str,
    content: &str,
    at: DateTime<Utc>,
) -> Result<i64> {
    let inserted = sql("INSERT INTO posts \
         (user_id, title, content, content_html, excerpt, rendering, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id")
    .bind(author)
    .bind(title)
    .bind(content)
    .bind(markdown::render(content))
    .bind(markdown::excerpt(content))
    .bind(markdown::RENDERING)
    .bind(at)
    .one(conn)
    .await;
    match inserted {
        // The account was deleted between the guard and the row.
        Err(e) if e.is_foreign_key_violation() => Err(Error::LoggedOut),
        other => other.map(|(id,)| id),
    }
}

/// What the draft's content will look like, as safe HTML; a draft may still be empty.
///
/// # Errors
/// `Invalid` when the content is too long.
pub fn preview(draft: &Draft) -> Result<String> {
    match draft.content.as_deref() {
        Some(text) if !text.trim().is_empty() => Ok(markdown::render(&content(text)?)),
        _ => Ok(String::new()),
    }
}

/// The post, if `me` may edit it.
///
/// # Errors
/// `NotFound`; `Forbidden`.
pub async fn editable(db: &Db, me: &User, id: i64) -> Result<Post> {
    let post = show(db, Some(me), id).await?;
    permit(me, post.user_id)?;
    Ok(post)
}

/// Changes what the draft names and leaves the rest.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Invalid`; `Stale` when the draft names another version.
pub async fn update(db: &Db, caller: &Caller, me: &User, id: i64, draft: &Draft) -> Result<Post> {
    let mut tx = db.begin().await?;
    let mut post = show(&mut tx, Some(me), id).await?;
    permit(me, post.user_id)?;
    let mut complaints = Complaints::default();
    let title = complaints.take(draft.title.as_deref().map(title).transpose())?.flatten();
    let content = complaints.take(draft.content.as_deref().map(content).transpose())?.flatten();
    complaints.check()?;
    if draft.version.is_some_and(|seen| seen != post.version) {
        return Err(Error::Stale);
    }
    let changed = title.as_ref().is_some_and(|t| *t != post.title)
        || content.as_ref().is_some_and(|c| *c != post.content);
    if !changed {
        return Ok(post);
    }
    post.title = title.unwrap_or(post.title);
    post.content = content.unwrap_or(post.content);
    // PostgreSQL lets two transactions read the same version; the condition lets one write it.
    let written = sql("UPDATE posts SET title = $1, content = $2, content_html = $3, \
         excerpt = $4, rendering = $5, updated_at = $6, version = version + 1 \
         WHERE id = $7 AND version = $8")
    .bind(post.title)
    .bind(post.content.as_str())
    .bind(markdown::render(&post.content))
    .bind(markdown::excerpt(&post.content))
    .bind(markdown::RENDERING)
    .bind(now())
    .bind(id)
    .bind(post.version)
    .execute(&mut tx)
    .await?;
    if written == 0 {
        return Err(Error::Stale);
    }
    let post = show(&mut tx, Some(me), id).await?;
    moderated(&mut tx, caller, Kind::PostEdited, me, &post).await?;
    tx.commit().await?;
    Ok(post)
}

/// Notes what an admin does to somebody else's post.
async fn moderated(tx: &mut Tx, caller: &Caller, kind: Kind, me: &User, post: &Post) -> Result<()> {
    if post.user_id == me.id {
        return Ok(());
    }
    Entry::new(kind)
        .by(me)
        .about(post.user_id, &post.author.username)
        .detail(format!("post {}", post.id))
        .write(tx, caller)
        .await
}

/// Deletes a post with its votes.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Stale` when `seen` names another version.
pub async fn delete(db: &Db, caller: &Caller, me: &User, id: i64, seen: Option<i64>) -> Result<()> {
    let mut tx = db.begin().await?;
    let post = show(&mut tx, None, id).await?;
    permit(me, post.user_id)?;
    if seen.is_some_and(|seen| seen != post.version) {
        return Err(Error::Stale);
    }
    sql("DELETE FROM posts WHERE id = $1").bind(id).execute(&mut tx).await?;
    moderated(&mut tx, caller, Kind::PostDeleted, me, &post).await?;
    tx.commit().await
}

fn title(text: &str) -> Result<String> {
    let title = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match title.chars().count() {
        0 => Err(Error::invalid("title", "Give the post a title.")),
        1..=TITLE => Ok(title),
        n => {
            Err(Error::invalid("title", format!("Use at most {TITLE} characters; these are {n}.")))
        }
    }
}

fn content(text: &str) -> Result<String> {
    // Browsers send line ends as CR LF; Markdown and programs expect LF.
    let content = text.replace("\r\n", "\n").replace('\r', "\n");
    match content.chars().count() {
        _ if content.trim().is_empty() => Err(Error::invalid("content", "Write something.")),
        n if n > CONTENT => Err(Error::invalid(
            "content",
            format!("Use at most 100,000 characters; these are {n}."),
        )),
        _ => Ok(content),
    }
}

//! Comments on posts, and replies to them: how they are read, written, edited and deleted.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{Conn, Statement, Tx, now, repeat, sql};
use crate::error::{Conflict, Error, Result};
use crate::models::accounts::{email_address, new_account};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::form_value;
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::posts::edit::parse_content;
use crate::models::posts::markdown::{self, Rendered};
use crate::models::posts::post::{self, Author};
use crate::models::posts::{rendering, word_index};
use crate::models::users::user::User;
use crate::validation::{FieldError, Rule};

/// Longest comment, in characters.
const MAX_LENGTH: usize = 10_000;
/// Replies are nested no deeper.
pub const MAX_DEPTH: i64 = 100;

const EDITED: EventKind = EventKind("comment.edited");
const DELETED: EventKind = EventKind("comment.deleted");

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

/// The input for a comment.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct CommentInput {
    /// Markdown, 1 to 10,000 characters.
    #[schema(value_type = String, example = "The moon has a *part* in it.", min_length = 1,
        max_length = 10_000)]
    pub content: Option<String>,
    /// The comment that it replies to; without one, it is about the post itself.
    #[serde(default, deserialize_with = "form_value::number")]
    #[schema(minimum = 1)]
    pub parent_id: Option<i64>,
}

/// Changes to a comment.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct CommentUpdate {
    /// Markdown, 1 to 10,000 characters.
    #[schema(
        example = "The moon has a *part* in it.",
        nullable = false,
        min_length = 1,
        max_length = 10_000
    )]
    #[serde(default, deserialize_with = "form_value::text")]
    pub content: Option<String>,
    /// The version that was edited; the edit is refused if there is a newer one.
    #[serde(default, deserialize_with = "form_value::number_not_null")]
    #[schema(example = 1, nullable = false, minimum = 1)]
    pub version: Option<i64>,
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

/// Begins a query for comments; ends inside FROM.
pub(super) fn select(viewer: Option<&User>) -> Statement {
    sql(COLUMNS).bind(viewer.map_or(0, |user| user.id))
}

/// Joins what belongs to a comment `c`, with the rule for who may see it; ends inside WHERE.
pub(super) fn join(query: Statement) -> Statement {
    query
        .push(
            " JOIN posts p ON p.id = c.post_id \
             LEFT JOIN users u ON u.id = c.user_id AND c.deleted_at IS NULL WHERE ",
        )
        .push(post::VISIBLE)
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
    let query = join(select(viewer).push("comments c")).push_bind(" AND c.id = ", id);
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

/// Comments on a post, or replies to a comment.
///
/// # Errors
/// `Invalid`, about `content` and `parent_id`; `NotFound` if there is no such post; `Conflict` when
/// there is no such comment to reply to (any more), and when the comments are closed; `Forbidden` until a
/// required e-mail address is confirmed; `TooManyRequests`.
pub async fn create(
    site: &Site,
    actor: &Actor,
    post_id: i64,
    input: &CommentInput,
) -> Result<Comment> {
    email_address::permit_posting(site, &actor.user).await?;
    let mut budgets = actor.budgets(site.limits.comments, site.limits.comments_address).to_vec();
    budgets.extend(new_account::posts(site, actor).await?);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let content = parse_content(input.content.as_deref().unwrap_or_default(), MAX_LENGTH)?;
    let rendered = rendering::render_comment(site, &content).await?;
    let new = NewComment { post_id, parent_id: input.parent_id, content, rendered };
    let id = repeat(async || {
        let mut tx = site.db.begin().await?;
        let post = post::show(&mut tx, Some(&actor.user), post_id).await?;
        if post.summary.comments_closed {
            return Err(Error::Conflict(Conflict::CommentsClosed));
        }
        let id = insert(&mut tx, actor.user.id, now(), &new).await?;
        word_index::COMMENTS.index(&mut tx, &site.settings.current(), id).await?;
        rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        tx.commit().await?;
        Ok(id)
    })
    .await?;
    show(&site.db, Some(&actor.user), id).await
}

/// A comment in a user's name.
pub struct AssignedComment {
    pub post_id: i64,
    pub user_id: i64,
    /// Its place in the same list, if it is a reply.
    pub reply_to: Option<usize>,
    pub content: String,
    pub created_at: DateTime<Utc>,
}

/// Comments in other users' names, in one transaction: for the demo.
pub async fn create_assigned(site: &Site, _: &Admin, comments: Vec<AssignedComment>) -> Result<()> {
    let mut tx = site.db.begin().await?;
    let mut ids: Vec<i64> = Vec::new();
    for comment in comments {
        let parent_id = comment.reply_to.and_then(|place| ids.get(place).copied());
        let rendered = rendering::render_comment(site, &comment.content).await?;
        let (post_id, content) = (comment.post_id, comment.content);
        let new = NewComment { post_id, parent_id, content, rendered };
        let id = insert(&mut tx, comment.user_id, comment.created_at, &new).await?;
        word_index::COMMENTS.index(&mut tx, &site.settings.current(), id).await?;
        ids.push(id);
    }
    tx.commit().await
}

struct NewComment {
    post_id: i64,
    parent_id: Option<i64>,
    content: String,
    rendered: Rendered,
}

async fn insert(tx: &mut Tx, user_id: i64, at: DateTime<Utc>, new: &NewComment) -> Result<i64> {
    let place = match new.parent_id {
        Some(parent) => below(tx, new.post_id, parent).await?,
        None => Place { depth: 0, root_id: None, position: 0 },
    };
    let inserted = sql("INSERT INTO comments (post_id, parent_id, depth, root_id, position, \
         user_id, content, content_html, rendering, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING id")
    .bind(new.post_id)
    .bind(new.parent_id)
    .bind(place.depth)
    .bind(place.root_id)
    .bind(place.position)
    .bind(user_id)
    .bind(new.content.as_str())
    .bind(new.rendered.html.as_str())
    .bind(markdown::RENDERING)
    .bind(at)
    .scalar(&mut *tx)
    .await;
    let id: i64 = match inserted {
        // The post, the comment above or the account was deleted meanwhile.
        Err(e) if e.is_foreign_key_violation() => {
            return Err(Error::Conflict(Conflict::ParentDeleted));
        }
        other => other?,
    };
    if place.root_id.is_none() {
        sql("UPDATE comments SET root_id = id WHERE id = $1").bind(id).execute(tx).await?;
    }
    Ok(id)
}

/// Where a comment stands.
struct Place {
    depth: i64,
    root_id: Option<i64>,
    position: i64,
}

/// The post, the depth, the first comment above and whether it was deleted.
type Parent = (i64, i64, Option<i64>, bool);

/// The place of the next reply to a comment.
async fn below(tx: &mut Tx, post_id: i64, parent: i64) -> Result<Place> {
    let parent: Option<Parent> =
        sql("SELECT post_id, depth, root_id, deleted_at IS NOT NULL FROM comments WHERE id = $1")
            .bind(parent)
            .optional(&mut *tx)
            .await?;
    let (depth, root_id) = match parent {
        Some((post, depth, root_id, false)) if post == post_id => (depth, root_id),
        // On this post there is none that can be replied to.
        _ => return Err(Error::Conflict(Conflict::ParentDeleted)),
    };
    if depth >= MAX_DEPTH {
        return Err(FieldError::new("parent_id", Rule::TooComplex).into());
    }
    // The row of the first comment is locked: each reply gets another number.
    let position: Option<i64> = sql("UPDATE comments SET thread_size = thread_size + 1 \
         WHERE id = $1 RETURNING thread_size - 1")
    .bind(root_id.unwrap_or_default())
    .optional_scalar(tx)
    .await?;
    let position = position.ok_or(Error::Conflict(Conflict::ParentDeleted))?;
    Ok(Place { depth: depth + 1, root_id, position })
}

/// The comment, if this user may edit it.
///
/// # Errors
/// `NotFound`; `Forbidden`.
pub async fn editable<'c>(conn: impl Into<Conn<'c>>, actor: &Actor, id: i64) -> Result<Comment> {
    let comment = show(conn, Some(&actor.user), id).await?;
    // Nobody can change what was deleted.
    let author = comment.author.as_ref().ok_or(Error::NotFound)?;
    actor.permit(author.id)?;
    Ok(comment)
}

/// Changes the text of a comment; what it said before is kept.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Invalid`; `VersionConflict` when the input has another version;
/// `TooManyRequests`.
pub async fn update(site: &Site, actor: &Actor, id: i64, input: &CommentUpdate) -> Result<Comment> {
    let budgets = actor.budgets(site.limits.edits, site.limits.edits_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let current = editable(&site.db, actor, id).await?;
    let content =
        input.content.as_deref().map(|text| parse_content(text, MAX_LENGTH)).transpose()?;
    if input.version.is_some_and(|seen| seen != current.version) {
        return Err(Error::VersionConflict);
    }
    let Some(content) = content.filter(|content| *content != current.content) else {
        return refresh(site, current).await;
    };
    let rendered = rendering::render_comment(site, &content).await?;
    repeat(async || {
        let mut tx = site.db.begin().await?;
        save(&mut tx, id, input.version, &content, &rendered).await?;
        word_index::COMMENTS.index(&mut tx, &site.settings.current(), id).await?;
        let comment = editable(&mut tx, actor, id).await?;
        rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        record_moderation(&mut tx, actor, EDITED, &comment).await?;
        tx.commit().await?;
        Ok(comment)
    })
    .await
}

async fn save(
    tx: &mut Tx,
    id: i64,
    seen: Option<i64>,
    content: &str,
    rendered: &Rendered,
) -> Result<()> {
    // Locks the row: what is kept is what is replaced.
    let found = sql("UPDATE comments SET version = version + 1 \
         WHERE id = $1 AND deleted_at IS NULL AND version = coalesce($2, version)")
    .bind(id)
    .bind(seen)
    .execute(&mut *tx)
    .await?;
    if found == 0 {
        return Err(Error::VersionConflict);
    }
    sql("INSERT INTO comment_revisions (comment_id, version, content, written_at) \
         SELECT id, version - 1, content, coalesce(updated_at, created_at) FROM comments WHERE id = $1")
    .bind(id)
    .execute(&mut *tx)
    .await?;
    sql("UPDATE comments SET content = $1, content_html = $2, rendering = $3, updated_at = $4 \
         WHERE id = $5")
    .bind(content)
    .bind(rendered.html.as_str())
    .bind(markdown::RENDERING)
    .bind(now())
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Deletes a comment. While there are replies to it, it stays without its text and its author.
///
/// # Errors
/// `NotFound`; `Forbidden`; `VersionConflict` when `seen` is another version.
pub async fn delete(site: &Site, actor: &Actor, id: i64, seen: Option<i64>) -> Result<Comment> {
    repeat(async || {
        let mut tx = site.db.begin().await?;
        let comment = editable(&mut tx, actor, id).await?;
        if seen.is_some_and(|seen| seen != comment.version) {
            return Err(Error::VersionConflict);
        }
        erase(&mut tx, &comment, seen).await?;
        record_moderation(&mut tx, actor, DELETED, &comment).await?;
        tx.commit().await?;
        Ok(comment)
    })
    .await
}

async fn erase(tx: &mut Tx, comment: &Comment, seen: Option<i64>) -> Result<()> {
    // The condition holds at the moment of deleting: a reply may arrive meanwhile.
    let removed = sql("DELETE FROM comments WHERE id = $1 AND replies = 0 \
         AND version = coalesce($2, version)")
    .bind(comment.id)
    .bind(seen)
    .execute(&mut *tx)
    .await?;
    if removed > 0 {
        return prune(tx, comment.parent_id).await;
    }
    let emptied = sql("UPDATE comments SET content = '', content_html = '', deleted_at = $1, \
         version = version + 1 WHERE id = $2 AND deleted_at IS NULL \
         AND version = coalesce($3, version)")
    .bind(now())
    .bind(comment.id)
    .bind(seen)
    .execute(&mut *tx)
    .await?;
    if emptied == 0 {
        return Err(Error::VersionConflict);
    }
    for statement in [
        "DELETE FROM comment_revisions WHERE comment_id = $1",
        "DELETE FROM comment_votes WHERE comment_id = $1",
    ] {
        sql(statement).bind(comment.id).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Removes what stood only because of a reply that is gone, from this comment up.
async fn prune(tx: &mut Tx, mut above: Option<i64>) -> Result<()> {
    for _ in 0..=MAX_DEPTH {
        let Some(id) = above else { break };
        let parent: Option<Option<i64>> = sql("DELETE FROM comments \
             WHERE id = $1 AND replies = 0 AND deleted_at IS NOT NULL RETURNING parent_id")
        .bind(id)
        .optional_scalar(&mut *tx)
        .await?;
        above = parent.flatten();
    }
    Ok(())
}

/// Comments that one transaction deletes, and one event names.
const BATCH: i64 = 100;

/// Deletes all comments of a user, as `delete` does, for an admin.
pub async fn delete_all_of(site: &Site, admin: &Admin, user_id: i64, username: &str) -> Result<()> {
    while delete_batch_of(site, admin, user_id, username).await? {}
    Ok(())
}

/// Returns whether there was one.
async fn delete_batch_of(site: &Site, admin: &Admin, user_id: i64, username: &str) -> Result<bool> {
    repeat(async || {
        let mut tx = site.db.begin().await?;
        let query = select(None)
            .push_bind("(SELECT id FROM comments WHERE user_id = ", user_id)
            .push_bind(" AND deleted_at IS NULL ORDER BY id LIMIT ", BATCH)
            .push(") AS batch JOIN comments c ON c.id = batch.id");
        let comments = read(&mut tx, join(query).push(" ORDER BY c.id")).await?;
        if comments.is_empty() {
            return Ok(false);
        }
        for comment in &comments {
            erase(&mut tx, comment, None).await?;
        }
        let ids: Vec<String> = comments.iter().map(|comment| comment.id.to_string()).collect();
        AuditEvent::new(DELETED)
            .by(admin.user())
            .about(user_id, username)
            .detail(format!("comments {}", ids.join(", ")))
            .write(&mut tx, admin.caller())
            .await?;
        tx.commit().await?;
        Ok(true)
    })
    .await
}

/// Deletes what accounts have left behind that have just been deleted in this transaction, with what it
/// said before. Before that, a comment could still arrive on PostgreSQL; now the foreign key refuses it.
pub async fn delete_orphans(tx: &mut Tx) -> Result<()> {
    sql("DELETE FROM comments WHERE user_id IS NULL AND deleted_at IS NULL AND replies = 0")
        .execute(&mut *tx)
        .await?;
    sql("DELETE FROM comment_revisions WHERE comment_id IN \
         (SELECT id FROM comments WHERE user_id IS NULL AND deleted_at IS NULL)")
    .execute(&mut *tx)
    .await?;
    sql("UPDATE comments SET content = '', content_html = '', deleted_at = $1 \
         WHERE user_id IS NULL AND deleted_at IS NULL")
    .bind(now())
    .execute(tx)
    .await?;
    Ok(())
}

/// Audits what an admin does to another user's comment.
async fn record_moderation(
    tx: &mut Tx,
    actor: &Actor,
    kind: EventKind,
    comment: &Comment,
) -> Result<()> {
    let Some(author) = comment.author.as_ref().filter(|author| author.id != actor.user.id) else {
        return Ok(());
    };
    AuditEvent::new(kind)
        .by(Some(&actor.user))
        .about(author.id, &author.username)
        .detail(format!("comment {}", comment.id))
        .write(tx, &actor.caller)
        .await
}

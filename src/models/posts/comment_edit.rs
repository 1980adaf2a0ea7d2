//! Writing and editing comments.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::db::{Conn, Tx, now, repeat, sql};
use crate::error::{Conflict, Error, Result};
use crate::models::accounts::{email_address, new_account};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::form_value;
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::posts::comment::{Comment, MAX_DEPTH, refresh, show};
use crate::models::posts::markdown::{self, Rendered};
use crate::models::posts::post;
use crate::models::posts::post_input::parse_content;
use crate::models::posts::publication_state::PostState;
use crate::models::posts::{rendering, word_index};
use crate::validation::{FieldError, Rule};

/// Longest comment, in characters.
pub(super) const MAX_LENGTH: usize = 10_000;

const EDITED: EventKind = EventKind("comment.edited");

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
        if post.summary.comments_closed || post.summary.state != PostState::Published {
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

/// Audits what an admin does to another user's comment.
pub(super) async fn record_moderation(
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

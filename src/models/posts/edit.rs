//! Writing, editing and deleting posts.

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::db::{Tx, now, repeat, sql};
use crate::error::{Error, Result};
use crate::models::accounts::{email_address, new_account};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::form_value;
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::base::visible;
use crate::models::posts::markdown::{self, Rendered};
use crate::models::posts::post::{self, Post};
use crate::models::posts::post_search;
use crate::models::posts::{rendering, revision, tag, tag_name, word_index};
use crate::validation::{FieldError, Rule, ValidationErrors};

/// Longest title, in characters.
const MAX_TITLE_LENGTH: usize = 255;
/// Longest content, in characters.
pub(super) const MAX_CONTENT_LENGTH: usize = 100_000;

/// The input for a new post.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct PostInput {
    /// 1 to 255 characters.
    #[schema(value_type = String, example = "On tides", min_length = 1, max_length = 255)]
    pub title: Option<String>,
    /// Markdown, 1 to 100,000 characters.
    #[schema(value_type = String, example = "The sea comes *twice* a day.", min_length = 1,
        max_length = 100_000)]
    pub content: Option<String>,
    /// At most five names, of letters, digits, `-`, `+`, `.` and `#`; a text with commas is a list, too.
    #[serde(default, deserialize_with = "form_value::texts")]
    #[schema(value_type = Vec<String>, required = false, nullable = false, max_items = 5,
        example = json!(["sea", "physics"]))]
    pub tags: Option<Vec<String>>,
}

/// Changes to a post; missing fields stay unchanged, empty ones are errors.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct PostUpdate {
    /// 1 to 255 characters.
    #[schema(example = "On tides", nullable = false, min_length = 1, max_length = 255)]
    #[serde(default, deserialize_with = "form_value::text")]
    pub title: Option<String>,
    /// Markdown, 1 to 100,000 characters.
    #[schema(
        example = "The sea comes *twice* a day.",
        nullable = false,
        min_length = 1,
        max_length = 100_000
    )]
    #[serde(default, deserialize_with = "form_value::text")]
    pub content: Option<String>,
    /// At most five names, in place of those that the post has; an empty list removes them.
    #[serde(default, deserialize_with = "form_value::texts")]
    #[schema(value_type = Vec<String>, required = false, nullable = false, max_items = 5,
        example = json!(["sea", "physics"]))]
    pub tags: Option<Vec<String>>,
    /// The version that was edited; the edit is refused if there is a newer one.
    #[serde(default, deserialize_with = "form_value::number_not_null")]
    #[schema(example = 1, nullable = false, minimum = 1)]
    pub version: Option<i64>,
}

/// A text to be shown as it would be published.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct PreviewInput {
    /// Markdown, at most 100,000 characters.
    #[schema(example = "The sea comes *twice* a day.", max_length = 100_000)]
    pub content: Option<String>,
}

/// Publishes a post.
///
/// # Errors
/// `Invalid`, about `title`, `content` and `tags`; `Forbidden` until a required e-mail address is
/// confirmed; `TooManyRequests`.
pub async fn create(site: &Site, actor: &Actor, input: &PostInput) -> Result<Post> {
    email_address::permit_posting(site, &actor.user).await?;
    let mut budgets = actor.budgets(site.limits.posts, site.limits.posts_address).to_vec();
    budgets.extend(new_account::posts(site, actor).await?);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let mut errors = ValidationErrors::default();
    let title = errors.collect(parse_title(input.title.as_deref().unwrap_or_default()))?;
    let content = errors
        .collect(parse_content(input.content.as_deref().unwrap_or_default(), MAX_CONTENT_LENGTH))?;
    let tags =
        errors.collect(tag_name::parse("tags", input.tags.as_deref().unwrap_or_default()))?;
    errors.into_result()?;
    let (title, content) = (title.unwrap_or_default(), content.unwrap_or_default());
    let tags = tags.unwrap_or_default();
    let rendered = rendering::render(site, &content).await?;
    let new =
        NewPost { user_id: actor.user.id, title, content, rendered, tags, published_at: now() };
    let id = repeat(async || {
        let mut tx = site.db.begin().await?;
        let id = insert(&mut tx, &new).await?;
        let (title, author) = (&new.title, &actor.user.username);
        post_search::SEARCH.index_as(&mut tx, id, title, author).await?;
        word_index::POSTS.index(&mut tx, &site.settings.current(), id).await?;
        rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        tx.commit().await?;
        Ok(id)
    })
    .await?;
    post::show(&site.db, Some(&actor.user), id).await
}

/// A post that is published in a user's name.
pub struct AssignedPost {
    /// The author's id.
    pub user_id: i64,
    pub title: String,
    pub content: String,
    /// Normalised.
    pub tags: Vec<String>,
    pub published_at: DateTime<Utc>,
}

/// Publishes posts in other users' names, in one transaction: for the demo. Returns their ids.
pub async fn create_assigned(site: &Site, _: &Admin, posts: Vec<AssignedPost>) -> Result<Vec<i64>> {
    let mut rows = Vec::new();
    for AssignedPost { user_id, title, content, tags, published_at } in posts {
        let rendered = rendering::render(site, &content).await?;
        rows.push(NewPost { user_id, title, content, rendered, tags, published_at });
    }
    let mut tx = site.db.begin().await?;
    let mut ids = Vec::new();
    for row in rows {
        let id = insert(&mut tx, &row).await?;
        post_search::SEARCH.index(&mut tx, id).await?;
        word_index::POSTS.index(&mut tx, &site.settings.current(), id).await?;
        ids.push(id);
    }
    tx.commit().await?;
    Ok(ids)
}

struct NewPost {
    user_id: i64,
    title: String,
    content: String,
    rendered: Rendered,
    tags: Vec<String>,
    published_at: DateTime<Utc>,
}

async fn insert(tx: &mut Tx, new: &NewPost) -> Result<i64> {
    let inserted = sql("INSERT INTO posts (user_id, title, content, content_html, excerpt, \
         reading_minutes, rendering, created_at, published_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8) \
         RETURNING id")
    .bind(new.user_id)
    .bind(new.title.as_str())
    .bind(new.content.as_str())
    .bind(new.rendered.html.as_str())
    .bind(new.rendered.excerpt.as_str())
    .bind(new.rendered.reading_minutes)
    .bind(markdown::RENDERING)
    .bind(new.published_at)
    .scalar(&mut *tx)
    .await;
    let id = match inserted {
        // The account was deleted after its owner was authenticated.
        Err(e) if e.is_foreign_key_violation() => return Err(Error::Unauthenticated),
        other => other?,
    };
    if !new.tags.is_empty() {
        tag::assign(tx, id, &new.tags).await?;
    }
    Ok(id)
}

/// Renders the content as safe HTML; it may still be empty.
///
/// # Errors
/// `Invalid`, about `content`, when it is too long or too complex; `TooManyRequests`; `Unavailable`
/// when too many others are waiting.
pub async fn preview(site: &Site, actor: &Actor, input: &PreviewInput) -> Result<String> {
    let budgets = actor.budgets(site.limits.previews, site.limits.previews_address);
    rate_limit::acquire_all(&site.db, &actor.caller, &budgets).await?;
    match input.content.as_deref() {
        Some(text) if !text.trim().is_empty() => {
            Ok(rendering::render(site, &parse_content(text, MAX_CONTENT_LENGTH)?).await?.html)
        }
        _ => Ok(String::new()),
    }
}

/// The post, if this user may edit it.
///
/// # Errors
/// `NotFound`; `Forbidden`.
pub async fn editable(site: &Site, actor: &Actor, id: i64) -> Result<Post> {
    let post = post::show(&site.db, Some(&actor.user), id).await?;
    actor.permit(post.summary.user_id)?;
    Ok(post)
}

/// Changes the fields that the input contains, and leaves the others unchanged.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Invalid`; `VersionConflict` when the input has another version;
/// `TooManyRequests`.
pub async fn update(site: &Site, actor: &Actor, id: i64, input: &PostUpdate) -> Result<Post> {
    let me = &actor.user;
    let budgets = actor.budgets(site.limits.edits, site.limits.edits_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let current = post::show(&site.db, Some(me), id).await?;
    actor.permit(current.summary.user_id)?;
    let mut errors = ValidationErrors::default();
    let title = errors.collect(input.title.as_deref().map(parse_title).transpose())?.flatten();
    let content = errors
        .collect(
            input
                .content
                .as_deref()
                .map(|text| parse_content(text, MAX_CONTENT_LENGTH))
                .transpose(),
        )?
        .flatten();
    let tags = input.tags.as_deref().map(|texts| tag_name::parse("tags", texts));
    let tags = errors.collect(tags.transpose())?.flatten();
    errors.into_result()?;
    if input.version.is_some_and(|seen| seen != current.summary.version) {
        return Err(Error::VersionConflict);
    }
    let changed = title.as_ref().is_some_and(|t| *t != current.summary.title)
        || content.as_ref().is_some_and(|c| *c != current.content)
        || tags.as_ref().is_some_and(|t| *t != current.summary.tags.0);
    if !changed {
        return rendering::refresh(site, current).await;
    }
    let rendered = match &content {
        Some(content) => Some(rendering::render(site, content).await?),
        None => None,
    };
    let change = Change { title, content, rendered, tags, seen: input.version };
    let post = repeat(|| save(site, actor, id, &change)).await?;
    rendering::refresh(site, post).await
}

/// What an edit changes.
struct Change {
    title: Option<String>,
    content: Option<String>,
    rendered: Option<Rendered>,
    tags: Option<Vec<String>>,
    /// The version that was edited.
    seen: Option<i64>,
}

async fn save(site: &Site, actor: &Actor, id: i64, change: &Change) -> Result<Post> {
    let budgets = actor.budgets(site.limits.edits, site.limits.edits_address);
    let rendered = change.rendered.as_ref();
    let (html, excerpt) = rendered.map(|r| (r.html.clone(), r.excerpt.clone())).unzip();
    let mut tx = site.db.begin().await?;
    revision::keep(&mut tx, id, None).await?;
    // One statement, so that an edit that names no version is saved whatever others save meanwhile.
    let updated = sql("UPDATE posts SET title = coalesce($1, title), \
         content = coalesce($2, content), content_html = coalesce($3, content_html), \
         excerpt = coalesce($4, excerpt), reading_minutes = coalesce($5, reading_minutes), \
         rendering = coalesce($6, rendering), updated_at = $7, version = version + 1 \
         WHERE id = $8 AND version = coalesce($9, version)")
    .bind(change.title.clone())
    .bind(change.content.clone())
    .bind(html)
    .bind(excerpt)
    .bind(rendered.map(|r| r.reading_minutes))
    .bind(rendered.map(|_| markdown::RENDERING))
    .bind(now())
    .bind(id)
    .bind(change.seen)
    .execute(&mut tx)
    .await?;
    if updated == 0 {
        post::show(&mut tx, Some(&actor.user), id).await?;
        return Err(Error::VersionConflict);
    }
    if let Some(tags) = &change.tags {
        tag::assign(&mut tx, id, tags).await?;
    }
    revision::keep(&mut tx, id, Some(actor.user.id)).await?;
    let post = post::show(&mut tx, Some(&actor.user), id).await?;
    let (title, author) = (&post.summary.title, &post.summary.author.username);
    post_search::SEARCH.index_as(&mut tx, id, title, author).await?;
    word_index::POSTS.index(&mut tx, &site.settings.current(), id).await?;
    rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
    record_moderation(&mut tx, actor, EventKind::POST_EDITED, &post).await?;
    tx.commit().await?;
    Ok(post)
}

/// Audits what an admin does to another user's post.
async fn record_moderation(tx: &mut Tx, actor: &Actor, kind: EventKind, post: &Post) -> Result<()> {
    let post = &post.summary;
    if post.user_id == actor.user.id {
        return Ok(());
    }
    AuditEvent::new(kind)
        .by(Some(&actor.user))
        .about(post.user_id, &post.author.username)
        .detail(format!("post {}", post.id))
        .write(tx, &actor.caller)
        .await
}

/// Deletes a post with its votes.
///
/// # Errors
/// `NotFound`; `Forbidden`; `VersionConflict` when `seen` is another version.
pub async fn delete(site: &Site, actor: &Actor, id: i64, seen: Option<i64>) -> Result<()> {
    repeat(|| try_delete(site, actor, id, seen)).await
}

async fn try_delete(site: &Site, actor: &Actor, id: i64, seen: Option<i64>) -> Result<()> {
    let mut tx = site.db.begin().await?;
    let post = post::show(&mut tx, None, id).await?;
    actor.permit(post.summary.user_id)?;
    // The conditions hold at the moment of deleting; of parallel deletions, one deletes a row.
    let deleted = sql("DELETE FROM posts WHERE id = $1 AND version = coalesce($2, version)")
        .bind(id)
        .bind(seen)
        .execute(&mut tx)
        .await?;
    if deleted == 0 {
        post::show(&mut tx, None, id).await?;
        return Err(Error::VersionConflict);
    }
    record_moderation(&mut tx, actor, EventKind::POST_DELETED, &post).await?;
    tx.commit().await
}

fn parse_title(text: &str) -> Result<String> {
    let title = visible::parse_line("title", text)?;
    match title.chars().count() {
        0 => Err(Error::invalid("title", Rule::Required)),
        1..=MAX_TITLE_LENGTH => Ok(title),
        n => Err(too_long("title", MAX_TITLE_LENGTH, n)),
    }
}

/// A text in Markdown, of a post or a comment, of at most `max` characters.
pub(super) fn parse_content(text: &str, max: usize) -> Result<String> {
    // Browsers send line breaks as CR LF; Markdown and programs expect LF.
    let content = text.replace("\r\n", "\n").replace('\r', "\n");
    match content.chars().count() {
        _ if content.trim().is_empty() => Err(Error::invalid("content", Rule::Required)),
        n if n > max => Err(too_long("content", max, n)),
        _ => Ok(content),
    }
}

fn too_long(field: &'static str, max: usize, actual: usize) -> Error {
    FieldError::new(field, Rule::TooLong).with("max", max).with("actual", actual).into()
}

//! What the author of a post is writing for its next version. It is kept as it was typed, whether or not it
//! could be published, and shown to nobody else.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{Conn, Tx, now, repeat, sql};
use crate::error::{Denial, Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::form_value;
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::base::visible;
use crate::models::posts::post::{self, Post, PostSummary};
use crate::models::posts::post_input::{
    MAX_CONTENT_LENGTH, MAX_SUMMARY_LENGTH, MAX_TITLE_LENGTH, parse_text,
};
use crate::models::posts::{series_title, tag_name};
use crate::validation::{FieldError, Rule, ValidationErrors};

/// Longest text with tags, in characters.
const MAX_TAGS_LENGTH: usize = 1_000;

/// The next version of a post, as far as it is written.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct PostDraft {
    /// The number of the post.
    pub post_id: i64,
    /// The version of the post from which it was written.
    #[schema(minimum = 1)]
    pub version: i64,
    /// As it was typed; may be empty.
    #[schema(example = "On the tide")]
    pub title: String,
    /// Markdown; may be empty.
    #[schema(example = "The sea comes *twice* a day.")]
    pub content: String,
    /// May be empty.
    #[schema(example = "Why the sea rises and falls.")]
    pub summary: String,
    /// As they were typed, with commas between them.
    #[schema(example = "sea, physics")]
    pub tags: String,
    /// The title of the series, as it was typed; null if nothing was said of it, and empty if the post is to leave
    /// its series.
    #[schema(example = "Forty mornings at the harbour")]
    pub series: Option<String>,
    /// When it was saved.
    pub saved_at: DateTime<Utc>,
}

/// What is typed; missing fields are empty.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct PostDraftInput {
    /// At most 255 characters.
    #[schema(value_type = String, required = false, max_length = 255, example = "On the tide")]
    pub title: Option<String>,
    /// Markdown, at most 100,000 characters. Title and content cannot both be empty.
    #[schema(value_type = String, required = false, max_length = 100_000, example = "The sea comes *twice* a day.")]
    pub content: Option<String>,
    /// At most 300 characters.
    #[schema(value_type = String, required = false, max_length = 300, example = "Why the sea rises and falls.")]
    pub summary: Option<String>,
    /// A list, or a text with commas, of at most 1,000 characters.
    #[serde(default, deserialize_with = "form_value::texts")]
    #[schema(value_type = Vec<String>, required = false, nullable = false, max_items = 100, example = json!(["sea", "physics"]))]
    pub tags: Option<Vec<String>>,
    /// The title of the series, at most 100 characters; empty if the post is to leave its series. If it is missing
    /// or null, nothing is said of it.
    #[schema(max_length = 100, example = "Forty mornings at the harbour")]
    pub series: Option<String>,
    /// The version of the post from which it is written; by default, the current one.
    #[serde(default, deserialize_with = "form_value::number_not_null")]
    #[schema(example = 1, nullable = false, minimum = 1)]
    pub version: Option<i64>,
}

impl PostDraft {
    /// Whether it is what the post says, in the spelling in which it would be saved.
    fn is_same_as(&self, post: &Post) -> bool {
        let line = |text: &str| visible::parse_line("title", text).ok();
        let content = parse_text(&self.content, MAX_CONTENT_LENGTH).ok();
        let tags = tag_name::parse("tags", std::slice::from_ref(&self.tags)).ok();
        let summary = &post.summary;
        let series = summary.series.as_ref().map_or("", |series| &series.title);
        let is_same_series = |typed: &String| {
            series_title::parse("series", typed)
                .is_ok_and(|title| series_title::key(&title) == series_title::key(series))
        };
        content.as_ref() == Some(&post.content)
            && line(&self.title).as_ref() == Some(&summary.title)
            && line(&self.summary).as_ref() == Some(&summary.summary)
            && tags.as_ref() == Some(&summary.tags.0)
            && self.series.as_ref().is_none_or(is_same_series)
    }
}

/// The post, if this user is its author.
pub(super) async fn own(site: &Site, actor: &Actor, post_id: i64) -> Result<Post> {
    let post = post::show(&site.db, Some(&actor.user), post_id).await?;
    match post.summary.user_id == actor.user.id {
        true => Ok(post),
        false => Err(Error::Forbidden(Denial::NotAuthor)),
    }
}

/// What the author of a post has written for its next version.
///
/// # Errors
/// `NotFound`, also when there is nothing; `Forbidden` for anybody else.
pub async fn show(site: &Site, actor: &Actor, post_id: i64) -> Result<PostDraft> {
    own(site, actor, post_id).await?;
    find(&site.db, post_id).await?.ok_or(Error::NotFound)
}

/// The same, if there is something, of a post whose author is known to ask.
pub async fn find<'c>(conn: impl Into<Conn<'c>>, post_id: i64) -> Result<Option<PostDraft>> {
    sql(
        "SELECT post_id, version, title, content, summary, tags, series, saved_at FROM post_drafts \
         WHERE post_id = $1",
    )
    .bind(post_id)
    .optional(conn)
    .await
}

/// Keeps what was typed, in place of what was kept before; `None` if it is what the post says already, so
/// that nothing is kept any more.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Invalid`, when something is too long or everything is empty;
/// `TooManyRequests`.
pub async fn save(
    site: &Site,
    actor: &Actor,
    post_id: i64,
    input: &PostDraftInput,
) -> Result<Option<PostDraft>> {
    let budgets = actor.budgets(site.limits.drafts, site.limits.drafts_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let post = own(site, actor, post_id).await?;
    let present = post.summary.version;
    let text = |text: &Option<String>| text.clone().unwrap_or_default().replace("\r\n", "\n");
    let typed = input.tags.iter().flatten().map(|tag| tag.trim()).filter(|tag| !tag.is_empty());
    let draft = PostDraft {
        post_id,
        version: input.version.unwrap_or(present).clamp(1, present),
        title: text(&input.title),
        content: text(&input.content),
        summary: text(&input.summary),
        tags: typed.collect::<Vec<_>>().join(", "),
        series: input.series.clone(),
        saved_at: now(),
    };
    check(&draft)?;
    let is_new = !draft.is_same_as(&post);
    repeat(async || {
        let mut tx = site.db.begin().await?;
        match is_new {
            true => keep(&mut tx, &draft).await?,
            false => forget(&mut tx, post_id).await?,
        }
        rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        tx.commit().await
    })
    .await?;
    Ok(is_new.then_some(draft))
}

async fn keep(tx: &mut Tx, draft: &PostDraft) -> Result<()> {
    let kept = sql(
        "INSERT INTO post_drafts (post_id, version, title, content, summary, tags, series, saved_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (post_id) DO UPDATE SET \
         version = excluded.version, title = excluded.title, content = excluded.content, \
         summary = excluded.summary, tags = excluded.tags, series = excluded.series, \
         saved_at = excluded.saved_at",
    )
        .bind(draft.post_id)
        .bind(draft.version)
        .bind(draft.title.as_str())
        .bind(draft.content.as_str())
        .bind(draft.summary.as_str())
        .bind(draft.tags.as_str())
        .bind(draft.series.clone())
        .bind(draft.saved_at)
        .execute(tx)
        .await;
    match kept {
        // The post was deleted concurrently.
        Err(e) if e.is_foreign_key_violation() => Err(Error::NotFound),
        Err(e) => Err(e),
        Ok(_) => Ok(()),
    }
}

fn check(draft: &PostDraft) -> Result<()> {
    let mut errors = ValidationErrors::default();
    let series = draft.series.clone().unwrap_or_default();
    for (field, text, max) in [
        ("title", &draft.title, MAX_TITLE_LENGTH),
        ("content", &draft.content, MAX_CONTENT_LENGTH),
        ("summary", &draft.summary, MAX_SUMMARY_LENGTH),
        ("tags", &draft.tags, MAX_TAGS_LENGTH),
        ("series", &series, series_title::MAX_LENGTH),
    ] {
        let actual = text.chars().count();
        if actual > max {
            let error = FieldError::new(field, Rule::TooLong);
            errors.add(error.with("max", max).with("actual", actual));
        }
    }
    if draft.title.trim().is_empty() && draft.content.trim().is_empty() {
        errors.add(FieldError::new("content", Rule::Required));
    }
    errors.into_result()
}

/// Throws it away; repeating it changes nothing.
///
/// # Errors
/// `NotFound` if there is no such post; `Forbidden`; `TooManyRequests`.
pub async fn discard(site: &Site, actor: &Actor, post_id: i64) -> Result<PostSummary> {
    let budgets = actor.budgets(site.limits.drafts, site.limits.drafts_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let post = own(site, actor, post_id).await?.summary;
    repeat(async || {
        let mut tx = site.db.begin().await?;
        forget(&mut tx, post_id).await?;
        rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        tx.commit().await
    })
    .await?;
    Ok(post)
}

/// The author has saved what the post says already.
pub(super) async fn settle(site: &Site, post_id: i64) -> Result<()> {
    // Usually there is nothing to delete, and so nothing to write.
    if find(&site.db, post_id).await?.is_none() {
        return Ok(());
    }
    sql("DELETE FROM post_drafts WHERE post_id = $1")
        .bind(post_id)
        .execute(site.db.writer())
        .await?;
    Ok(())
}

/// The author has saved the post.
pub(super) async fn forget(tx: &mut Tx, post_id: i64) -> Result<()> {
    sql("DELETE FROM post_drafts WHERE post_id = $1").bind(post_id).execute(tx).await?;
    Ok(())
}

/// An admin has saved the post: what its author is writing may be what it says now.
pub(super) async fn settle_with(tx: &mut Tx, post: &Post) -> Result<()> {
    let id = post.summary.id;
    match find(&mut *tx, id).await? {
        Some(draft) if draft.is_same_as(post) => forget(tx, id).await,
        _ => Ok(()),
    }
}

/// The post has a new version that says what the one before said: what is being written goes on from it.
pub(super) async fn follow(tx: &mut Tx, post_id: i64) -> Result<()> {
    sql("UPDATE post_drafts SET version = version + 1 \
         WHERE post_id = $1 AND version = (SELECT version FROM posts WHERE id = $1) - 1")
    .bind(post_id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Those of these posts (by id) whose next version has been begun.
pub async fn begun(site: &Site, posts: impl Iterator<Item = i64>) -> Result<Vec<i64>> {
    let query = sql("SELECT post_id FROM post_drafts WHERE").push_list(" post_id IN ", posts);
    let begun: Vec<(i64,)> = query.all(&site.db).await?;
    Ok(begun.into_iter().map(|(id,)| id).collect())
}

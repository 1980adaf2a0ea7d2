//! Editing and deleting posts.

use crate::db::{Tx, now, repeat, sql};
use crate::error::{Denial, Error, Result};
use crate::models::accounts::{email_address, new_account};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::posts::markdown::{self, Rendered};
use crate::models::posts::post::{self, Post};
use crate::models::posts::post_input::{
    self, Checked, MAX_CONTENT_LENGTH, PostUpdate, PreviewInput, Standing,
};
use crate::models::posts::publication_state::{PostState, Publication};
use crate::models::posts::{
    post_draft, post_search, rendering, revision, schedule, series_assignment, series_title, slug,
    tag, word_index,
};

/// What a post that was changed in this transaction needs besides its row.
async fn index(
    site: &Site,
    tx: &mut Tx,
    id: i64,
    title: &str,
    author: &str,
    publication: &Publication,
) -> Result<()> {
    post_search::SEARCH.index_as(tx, id, title, author).await?;
    match publication.listed_at() {
        Some(_) => word_index::POSTS.index(tx, &site.settings.current(), id).await?,
        None => word_index::POSTS.remove(tx, id).await?,
    }
    schedule::plan(tx, publication).await
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
            Ok(rendering::render(site, &post_input::parse_content(text, MAX_CONTENT_LENGTH)?)
                .await?
                .html)
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
    let mut budgets = actor.budgets(site.limits.edits, site.limits.edits_address).to_vec();
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let current = post::show(&site.db, Some(me), id).await?;
    actor.permit(current.summary.user_id)?;
    let standing = Standing {
        title: &current.summary.title,
        content: &current.content,
        is_draft: current.summary.state == PostState::Draft,
    };
    let standing_publication = current.summary.publication();
    let Checked { title, content, summary, slug, tags, series, publication } =
        input.check(&standing)?;
    let has_text = title.is_some()
        || content.is_some()
        || summary.is_some()
        || tags.is_some()
        || series.is_some();
    let standing_series = current.summary.series.as_ref().map_or("", |series| &series.title);
    let standing_series = series_title::key(standing_series);
    let series = series.filter(|title| series_title::key(title) != standing_series);
    let publication = Some(publication).filter(|change| change.changes(&standing_publication));
    if (publication.is_some() || series.is_some()) && current.summary.user_id != me.id {
        return Err(Error::Forbidden(Denial::NotAuthor));
    }
    if input.version.is_some_and(|seen| seen != current.summary.version) {
        return Err(Error::VersionConflict);
    }
    let old = &current.summary;
    let changed = publication.is_some()
        || series.is_some()
        || title.as_ref().is_some_and(|t| *t != old.title)
        || content.as_ref().is_some_and(|c| *c != current.content)
        || summary.as_ref().is_some_and(|s| *s != old.summary)
        || slug.as_ref().is_some_and(|chosen| slug::of(chosen, &old.title) != old.slug)
        || tags.as_ref().is_some_and(|t| *t != old.tags.0);
    if !changed {
        if has_text && old.user_id == me.id {
            post_draft::settle(site, id).await?;
        }
        return rendering::refresh(site, current).await;
    }
    if publication.as_ref().is_some_and(|change| change.releases(&standing_publication)) {
        // As many as are published at once.
        email_address::permit_posting(site, me).await?;
        budgets = actor.budgets(site.limits.posts, site.limits.posts_address).to_vec();
        budgets.extend(new_account::posts(site, actor).await?);
        rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    }
    let rendered = match &content {
        Some(content) => Some(rendering::render(site, content).await?),
        None => None,
    };
    let publication = publication.map(|change| change.of(&standing_publication));
    let is_new = old.state != PostState::Published && old.published_at.is_none_or(|at| at > now());
    let new_title = title.as_deref().unwrap_or(&old.title);
    let slug = slug.map(|chosen| slug::to_store(chosen, new_title));
    let change = Change {
        has_text,
        title,
        content,
        summary,
        slug,
        rendered,
        tags,
        series,
        publication,
        is_new,
        seen: input.version,
    };
    let post = repeat(|| save(site, actor, id, &change, &budgets)).await?;
    rendering::refresh(site, post).await
}

/// What an edit changes.
struct Change {
    /// Whether it names title, text, summary, tags or series: what the author keeps of the next version. The words in
    /// the address, and when and for whom the post is published, are no part of that.
    has_text: bool,
    title: Option<String>,
    content: Option<String>,
    summary: Option<String>,
    slug: Option<String>,
    rendered: Option<Rendered>,
    tags: Option<Vec<String>>,
    /// The title; empty if it leaves its series.
    series: Option<String>,
    publication: Option<Publication>,
    /// Whether nobody else has ever read it.
    is_new: bool,
    /// The version that was edited.
    seen: Option<i64>,
}

async fn save(
    site: &Site,
    actor: &Actor,
    id: i64,
    change: &Change,
    budgets: &[Budget],
) -> Result<Post> {
    let rendered = change.rendered.as_ref();
    let (html, excerpt) = rendered.map(|r| (r.html.clone(), r.excerpt.clone())).unzip();
    let mut tx = site.db.begin().await?;
    let series_id = match &change.series {
        Some(title) => series_assignment::resolve(&mut tx, actor.user.id, title).await?,
        None => None,
    };
    revision::keep(&mut tx, id, None).await?;
    // One statement, so that an edit that names no version is saved whatever others save meanwhile.
    let updated = sql("UPDATE posts SET title = coalesce($1, title), \
         content = coalesce($2, content), content_html = coalesce($3, content_html), \
         excerpt = coalesce($4, excerpt), reading_minutes = coalesce($5, reading_minutes), \
         rendering = coalesce($6, rendering), summary = coalesce($7, summary), \
         updated_at = $8, slug = coalesce($9, slug), \
         series_id = CASE WHEN $10 THEN $11 ELSE series_id END, version = version + 1 \
         WHERE id = $12 AND version = coalesce($13, version)")
    .bind(change.title.clone())
    .bind(change.content.clone())
    .bind(html)
    .bind(excerpt)
    .bind(rendered.map(|r| r.reading_minutes))
    .bind(rendered.map(|_| markdown::RENDERING))
    .bind(change.summary.clone())
    .bind(now())
    .bind(change.slug.clone())
    .bind(change.series.is_some())
    .bind(series_id)
    .bind(id)
    .bind(change.seen)
    .execute(&mut tx)
    .await?;
    if updated == 0 {
        post::show(&mut tx, Some(&actor.user), id).await?;
        return Err(Error::VersionConflict);
    }
    if let Some(publication) = &change.publication {
        publish(&mut tx, id, publication, change.is_new).await?;
    }
    if let Some(tags) = &change.tags {
        tag::assign(&mut tx, id, tags).await?;
    }
    revision::keep(&mut tx, id, Some(actor.user.id)).await?;
    let post = post::show(&mut tx, Some(&actor.user), id).await?;
    let (title, author) = (&post.summary.title, &post.summary.author.username);
    index(site, &mut tx, id, title, author, &post.summary.publication()).await?;
    match post.summary.user_id == actor.user.id {
        true if change.has_text => post_draft::forget(&mut tx, id).await?,
        true => post_draft::follow(&mut tx, id).await?,
        false => post_draft::settle_with(&mut tx, &post).await?,
    }
    rate_limit::charge_all(&mut tx, &actor.caller, budgets).await?;
    record_moderation(&mut tx, actor, EventKind::POST_EDITED, &post).await?;
    tx.commit().await?;
    Ok(post)
}

async fn publish(tx: &mut Tx, id: i64, publication: &Publication, is_new: bool) -> Result<()> {
    // What nobody else has read was not edited since.
    let forgets_edits = is_new && publication.state == PostState::Published;
    // Another window may have emptied the draft this moment.
    let changed =
        sql("UPDATE posts SET state = $1, visibility = $2, publish_at = $3, published_at = $4, \
         updated_at = CASE WHEN $5 THEN NULL ELSE updated_at END \
         WHERE id = $6 AND ($1 = 'draft' OR title <> '' AND content <> '')")
        .bind(<&str>::from(publication.state))
        .bind(<&str>::from(publication.visibility))
        .bind(publication.at)
        .bind(publication.listed_at())
        .bind(forgets_edits)
        .bind(id)
        .execute(tx)
        .await?;
    if changed == 0 { Err(Error::VersionConflict) } else { Ok(()) }
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
    let post = post::show(&mut tx, Some(&actor.user), id).await?;
    actor.permit(post.summary.user_id)?;
    // The conditions hold at the moment of deleting; of parallel deletions, one deletes a row.
    let deleted = sql("DELETE FROM posts WHERE id = $1 AND version = coalesce($2, version)")
        .bind(id)
        .bind(seen)
        .execute(&mut tx)
        .await?;
    if deleted == 0 {
        post::show(&mut tx, Some(&actor.user), id).await?;
        return Err(Error::VersionConflict);
    }
    record_moderation(&mut tx, actor, EventKind::POST_DELETED, &post).await?;
    tx.commit().await
}

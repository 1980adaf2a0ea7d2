//! Posts and comments are rendered when they are written, outside transactions. When the renderer
//! changes, a backfill renders those that are already there.

use crate::db::{Backfill, Step, Tx, sql};
use crate::error::{Error, Result};
use crate::models::base::pool::Pool;
use crate::models::base::site::Site;
use crate::models::posts::markdown::{self, Rendered, TextKind};
use crate::models::posts::post::Post;
use crate::validation::Rule;

/// Renders a text that somebody writes: a post or a document.
///
/// # Errors
/// `Invalid`, about `content`, when it is too complex; `Unavailable` when too many others are
/// waiting.
pub async fn render(site: &Site, content: &str) -> Result<Rendered> {
    render_as(site, content, TextKind::Article).await
}

/// Renders a comment that somebody writes.
///
/// # Errors
/// As `render`.
pub async fn render_comment(site: &Site, content: &str) -> Result<Rendered> {
    render_as(site, content, TextKind::Comment).await
}

async fn render_as(site: &Site, content: &str, kind: TextKind) -> Result<Rendered> {
    let content = content.to_owned();
    let rendered = site.renderer.run(move || markdown::render(&content, kind)).await?;
    rendered.map_err(|_| Error::invalid("content", Rule::TooComplex))
}

/// The post as this version renders it.
///
/// # Errors
/// `Unavailable` when too many others are waiting.
pub async fn refresh(site: &Site, mut post: Post) -> Result<Post> {
    if post.is_outdated() {
        let content = post.content.clone();
        let rendered =
            site.renderer.run(move || render_stored(&content, TextKind::Article)).await?;
        post.content_html = rendered.html;
        post.summary.excerpt = rendered.excerpt;
        post.summary.reading_minutes = rendered.reading_minutes;
    }
    Ok(post)
}

/// The HTML of a text that was published before.
///
/// # Errors
/// `Unavailable` when too many others are waiting.
pub async fn render_again(site: &Site, content: &str) -> Result<String> {
    let content = content.to_owned();
    Ok(site.renderer.run(move || render_stored(&content, TextKind::Article)).await?.html)
}

/// The HTML of a comment that was published before.
///
/// # Errors
/// `Unavailable` when too many others are waiting.
pub async fn render_comment_again(site: &Site, content: &str) -> Result<String> {
    let content = content.to_owned();
    Ok(site.renderer.run(move || render_stored(&content, TextKind::Comment)).await?.html)
}

/// Renders what is already published; as plain text if it is too complex.
fn render_stored(content: &str, kind: TextKind) -> Rendered {
    markdown::render(content, kind).unwrap_or_else(|_| markdown::plain(content))
}

/// Named after the version of the renderer, so that each version runs once.
pub const BACKFILL: Backfill =
    Backfill { name: "rendering-3", after: 25, run: |tx| Box::pin(render_batch(tx)) };

/// Texts per transaction. They are rendered in it, before anything is locked on PostgreSQL: few, so
/// that other writers of an SQLite file wait for less than a second.
const BATCH: i64 = 20;
/// Comments are shorter.
const COMMENTS_BATCH: i64 = 200;

/// Posts first, then comments.
async fn render_batch(tx: &mut Tx) -> Result<Step> {
    match render_posts(tx).await? {
        Step::Continue => Ok(Step::Continue),
        Step::Finished => render_comments(tx).await,
    }
}

/// The id and the version of a text, and the text.
type Outdated = (i64, i64, String);

async fn rendered(outdated: Vec<Outdated>, kind: TextKind) -> Result<Vec<(i64, i64, Rendered)>> {
    let render = move || {
        let texts = outdated.into_iter();
        texts.map(|(id, version, text)| (id, version, render_stored(&text, kind))).collect()
    };
    Pool::default().run(render).await
}

fn step(found: usize, batch: i64) -> Step {
    let is_full = i64::try_from(found).is_ok_and(|found| found >= batch);
    if is_full { Step::Continue } else { Step::Finished }
}

async fn render_posts(tx: &mut Tx) -> Result<Step> {
    let outdated: Vec<Outdated> = sql("SELECT id, version, content FROM posts \
         WHERE rendering < $1 ORDER BY rendering, id LIMIT $2")
    .bind(markdown::RENDERING)
    .bind(BATCH)
    .all(&mut *tx)
    .await?;
    let step = step(outdated.len(), BATCH);
    for (id, version, rendered) in rendered(outdated, TextKind::Article).await? {
        // An older instance may save another version meanwhile, which the next batch finds.
        sql("UPDATE posts SET content_html = $1, excerpt = $2, reading_minutes = $3, rendering = $4 \
             WHERE id = $5 AND version = $6")
        .bind(rendered.html)
        .bind(rendered.excerpt)
        .bind(rendered.reading_minutes)
        .bind(markdown::RENDERING)
        .bind(id)
        .bind(version)
        .execute(&mut *tx)
        .await?;
    }
    Ok(step)
}

async fn render_comments(tx: &mut Tx) -> Result<Step> {
    let outdated: Vec<Outdated> = sql("SELECT id, version, content FROM comments \
         WHERE rendering < $1 ORDER BY rendering, id LIMIT $2")
    .bind(markdown::RENDERING)
    .bind(COMMENTS_BATCH)
    .all(&mut *tx)
    .await?;
    let step = step(outdated.len(), COMMENTS_BATCH);
    for (id, version, rendered) in rendered(outdated, TextKind::Comment).await? {
        sql("UPDATE comments SET content_html = $1, rendering = $2 WHERE id = $3 AND version = $4")
            .bind(rendered.html)
            .bind(markdown::RENDERING)
            .bind(id)
            .bind(version)
            .execute(&mut *tx)
            .await?;
    }
    Ok(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_version_of_the_renderer_has_a_backfill() {
        assert_eq!(BACKFILL.name, format!("rendering-{}", markdown::RENDERING));
    }
}

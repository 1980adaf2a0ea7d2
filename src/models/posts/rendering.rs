//! Posts are rendered when they are written, outside transactions. When the renderer changes, a
//! backfill renders those that are already there.

use crate::db::{Backfill, Step, Tx, sql};
use crate::error::{Error, Result};
use crate::models::base::pool::Pool;
use crate::models::base::site::Site;
use crate::models::posts::markdown::{self, Rendered};
use crate::models::posts::post::Post;
use crate::validation::Rule;

/// Renders a text that somebody writes.
///
/// # Errors
/// `Invalid`, about `content`, when it is too complex; `Unavailable` when too many others are
/// waiting.
pub async fn render(site: &Site, content: &str) -> Result<Rendered> {
    let content = content.to_owned();
    let rendered = site.renderer.run(move || markdown::render(&content)).await?;
    rendered.map_err(|_| Error::invalid("content", Rule::TooComplex))
}

/// The post as this version renders it.
///
/// # Errors
/// `Unavailable` when too many others are waiting.
pub async fn refresh(site: &Site, mut post: Post) -> Result<Post> {
    if post.is_outdated() {
        let content = post.content.clone();
        let rendered = site.renderer.run(move || render_stored(&content)).await?;
        post.content_html = rendered.html;
        post.summary.excerpt = rendered.excerpt;
    }
    Ok(post)
}

/// Renders what is already published; as plain text if it is too complex.
fn render_stored(content: &str) -> Rendered {
    markdown::render(content).unwrap_or_else(|_| markdown::plain(content))
}

/// Named after the version of the renderer, so that each version runs once.
pub const BACKFILL: Backfill =
    Backfill { name: "rendering-2", after: 7, run: |tx| Box::pin(render_batch(tx)) };

/// Posts per transaction. They are rendered in it, before anything is locked on PostgreSQL: few, so
/// that other writers of an SQLite file wait for less than a second.
const BATCH: i64 = 20;

async fn render_batch(tx: &mut Tx) -> Result<Step> {
    let outdated: Vec<(i64, i64, String)> =
        sql("SELECT id, version, content FROM posts WHERE rendering <> $1 ORDER BY id LIMIT $2")
            .bind(markdown::RENDERING)
            .bind(BATCH)
            .all(&mut *tx)
            .await?;
    let finished = outdated.len() < usize::try_from(BATCH).unwrap_or_default();
    let render = || {
        let posts = outdated.into_iter();
        posts.map(|(id, version, text)| (id, version, render_stored(&text))).collect::<Vec<_>>()
    };
    for (id, version, rendered) in Pool::default().run(render).await? {
        // An older instance may save another version meanwhile, which the next batch finds.
        sql("UPDATE posts SET content_html = $1, excerpt = $2, rendering = $3 \
             WHERE id = $4 AND version = $5")
        .bind(rendered.html)
        .bind(rendered.excerpt)
        .bind(markdown::RENDERING)
        .bind(id)
        .bind(version)
        .execute(&mut *tx)
        .await?;
    }
    Ok(if finished { Step::Finished } else { Step::Continue })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_version_of_the_renderer_has_a_backfill() {
        assert_eq!(BACKFILL.name, format!("rendering-{}", markdown::RENDERING));
    }
}

//! Posts are rendered when they are written. When the renderer changes, a backfill renders those
//! that are already there.

use crate::db::{Backfill, Step, Tx, sql};
use crate::error::Result;
use crate::models::posts::markdown;

/// Named after the version of the renderer, so that each version runs once.
pub const BACKFILL: Backfill =
    Backfill { name: "rendering-1", after: 7, run: |tx| Box::pin(render_batch(tx)) };

/// Posts per transaction.
const BATCH: i64 = 200;

async fn render_batch(tx: &mut Tx) -> Result<Step> {
    let outdated: Vec<(i64, String)> =
        sql("SELECT id, content FROM posts WHERE rendering <> $1 ORDER BY id LIMIT $2")
            .bind(markdown::RENDERING)
            .bind(BATCH)
            .all(&mut *tx)
            .await?;
    let finished = outdated.len() < usize::try_from(BATCH).unwrap_or_default();
    for (id, content) in outdated {
        sql("UPDATE posts SET content_html = $1, excerpt = $2, rendering = $3 WHERE id = $4")
            .bind(markdown::render(&content))
            .bind(markdown::excerpt(&content))
            .bind(markdown::RENDERING)
            .bind(id)
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

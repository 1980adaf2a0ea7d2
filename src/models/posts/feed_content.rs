//! The full texts of the posts on a page, as many as fit.

use crate::db::{Db, sql};
use crate::error::{Error, Result};
use crate::models::base::page::{Keyset, Slice};
use crate::models::posts::post::PostSummary;

/// Maximum size of the items of a page that includes contents, in bytes: with the cursors, the page
/// has at most 1 MiB.
const CONTENT_BUDGET: usize = 1024 * 1024 - 1024;

/// Adds the contents. A page that would be too large ends early, in the direction in which it is read.
pub(super) async fn add<const KEYS: usize>(
    db: &Db,
    mut slice: Slice<PostSummary, KEYS>,
    keyset: &Keyset<KEYS>,
    keys: fn(&PostSummary) -> [i64; KEYS],
) -> Result<Slice<PostSummary, KEYS>> {
    if keyset.is_backwards() {
        slice.items.reverse();
    }
    let count = add_contents(db, &mut slice.items).await?;
    if count < slice.items.len() {
        slice.items.truncate(count);
        let end = slice.items.last().map(keys);
        if keyset.is_backwards() {
            slice.previous = end;
        } else {
            slice.next = end;
        }
    }
    if keyset.is_backwards() {
        slice.items.reverse();
    }
    Ok(slice)
}

/// Adds the contents of as many posts, from the first on, as fit into the budget, at least one;
/// returns how many. Contents that do not fit are not even read.
async fn add_contents(db: &Db, posts: &mut [PostSummary]) -> Result<usize> {
    let ids = posts.iter().map(|post| post.id);
    let sizes: Vec<(i64, i64)> =
        sql("SELECT id, CAST(octet_length(content) AS BIGINT) FROM posts WHERE")
            .push_list(" id IN ", ids)
            .all(db)
            .await?;
    let size = |id| sizes.iter().find(|(known, _)| *known == id).map_or(0, |(_, size)| *size);
    let mut total = 0;
    let readable = posts.iter().take_while(|post| {
        let is_first = total == 0;
        total += usize::try_from(size(post.id)).unwrap_or(usize::MAX / 2);
        is_first || total <= CONTENT_BUDGET
    });
    let ids: Vec<i64> = readable.map(|post| post.id).collect();
    let contents: Vec<(i64, String)> =
        sql("SELECT id, content FROM posts WHERE").push_list(" id IN ", ids).all(db).await?;
    let mut contents: std::collections::HashMap<i64, String> = contents.into_iter().collect();

    // JSON escapes some characters, so the length of the serialised item counts.
    let (mut count, mut total) = (0, 0);
    for post in posts {
        // A post that was deleted in the meantime has no content: the page ends before it.
        let Some(content) = contents.remove(&post.id) else { break };
        post.content = Some(content);
        let item = serde_json::to_vec(post).map_err(|e| Error::Internal(e.to_string()))?;
        total += item.len() + 1;
        if count > 0 && total > CONTENT_BUDGET {
            break;
        }
        count += 1;
    }
    Ok(count)
}

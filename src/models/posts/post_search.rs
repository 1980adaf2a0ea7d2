//! What is searched of posts: their titles and authors.

use crate::db::{Backfill, SearchTable};
use crate::models::base::search::Source;

pub static SEARCH: Source = Source {
    table: SearchTable { table: "post_search", index: "post_search_index" },
    texts: "SELECT n.id, n.title, u.username FROM posts n JOIN users u ON u.id = n.user_id",
};

/// Indexes the posts that were there before migration 8.
pub const BACKFILL: Backfill =
    Backfill { name: "post-search", after: 8, run: |tx| Box::pin(SEARCH.index_missing(tx)) };

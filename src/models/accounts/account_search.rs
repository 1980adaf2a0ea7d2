//! What is searched of accounts: their names and e-mail addresses.

use crate::db::{Backfill, SearchTable};
use crate::models::base::search::Source;

pub static SEARCH: Source = Source {
    table: SearchTable { table: "user_search", index: "user_search_index" },
    texts: "SELECT n.id, n.username, coalesce(n.email, '') FROM users n",
};

/// Indexes the accounts that were there before migration 8.
pub const BACKFILL: Backfill =
    Backfill { name: "account-search", after: 8, run: |tx| Box::pin(SEARCH.index_missing(tx)) };

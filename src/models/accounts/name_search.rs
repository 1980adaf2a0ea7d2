//! What anybody can search of accounts: their names, and never their e-mail addresses.

use crate::db::{Backfill, SearchTable};
use crate::models::base::search::Source;

pub static SEARCH: Source = Source {
    table: SearchTable { table: "name_search", index: "name_search_index" },
    texts: "SELECT n.id, n.username, '' FROM users n",
};

/// Indexes the accounts that were there before migration 26.
pub const BACKFILL: Backfill =
    Backfill { name: "name-search", after: 26, run: |tx| Box::pin(SEARCH.index_missing(tx)) };

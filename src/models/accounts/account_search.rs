//! What is searched of accounts: their names and e-mail addresses.

use crate::db::{Backfill, SearchTable, Step, Tx, sql};
use crate::error::Result;
use crate::models::base::search;

pub const TABLE: SearchTable = SearchTable { table: "user_search", index: "user_search_index" };

/// Indexes the accounts that were there before migration 8.
pub const BACKFILL: Backfill =
    Backfill { name: "account-search", after: 8, run: |tx| Box::pin(index_missing(tx)) };

/// Accounts per transaction.
const BATCH: i64 = 5_000;

/// Indexes an account whose name or address was set.
pub async fn index(tx: &mut Tx, id: i64) -> Result<()> {
    let account = sql(SOURCE).push_bind(" WHERE u.id = ", id).one(&mut *tx).await?;
    search::store(tx, &TABLE, &[text(account)]).await
}

/// Id, name and address; ends before WHERE.
const SOURCE: &str = "SELECT u.id, u.username, u.email FROM users u";

fn text((id, username, email): (i64, String, Option<String>)) -> (i64, String) {
    (id, search::join(&[&username, &email.unwrap_or_default()]))
}

async fn index_missing(tx: &mut Tx) -> Result<Step> {
    let missing: Vec<_> = sql(SOURCE)
        .push(" WHERE NOT EXISTS (SELECT 1 FROM user_search s WHERE s.id = u.id)")
        .push_bind(" ORDER BY u.id LIMIT ", BATCH)
        .all(&mut *tx)
        .await?;
    let texts: Vec<_> = missing.into_iter().map(text).collect();
    search::store(tx, &TABLE, &texts).await?;
    let is_last = i64::try_from(texts.len()).is_ok_and(|count| count < BATCH);
    Ok(if is_last { Step::Finished } else { Step::Continue })
}

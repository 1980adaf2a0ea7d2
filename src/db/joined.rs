//! Reads many short rows as one: on SQLite, a query runs in a thread of its own, and each row costs a
//! hand-over between that thread and the one which asked.

use super::connection::Conn;
use super::statement::Statement;
use crate::error::Result;

/// Between two rows: a control character, which no word and no name contains.
const SEPARATOR: char = '\u{1e}';

impl Statement {
    /// The column `id` of all rows, in no particular order.
    pub async fn ids<'c>(self, conn: impl Into<Conn<'c>>) -> Result<Vec<i64>> {
        let query = self.prepend("SELECT string_agg(CAST(id AS TEXT), '\u{1e}') FROM (");
        Ok(rows(query, conn).await?.split(SEPARATOR).filter_map(|id| id.parse().ok()).collect())
    }

    /// The columns `id` and `text` of all rows whose text is not null, in no particular order. The texts
    /// must not contain control characters other than line feeds.
    pub async fn texts<'c>(self, conn: impl Into<Conn<'c>>) -> Result<Vec<(i64, String)>> {
        let query =
            self.prepend("SELECT string_agg(CAST(id AS TEXT) || ' ' || text, '\u{1e}') FROM (");
        let rows = rows(query, conn).await?;
        let row = |row: &str| {
            let (id, text) = row.split_once(' ')?;
            Some((id.parse().ok()?, text.to_owned()))
        };
        Ok(rows.split(SEPARATOR).filter_map(row).collect())
    }
}

async fn rows<'c>(query: Statement, conn: impl Into<Conn<'c>>) -> Result<String> {
    Ok(query.push(") AS found").scalar::<Option<String>>(conn).await?.unwrap_or_default())
}

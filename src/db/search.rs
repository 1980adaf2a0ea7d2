//! Searching for a part of a text, latest first. SQLite reads an FTS5 index in the order of the
//! ids. PostgreSQL's GIN indexes have no order, so its index knows blocks of ids, which are read
//! one after the other.

use super::connection::Db;
use super::statement::{Statement, sql};
use crate::error::Result;

/// A table with the columns `id` and `text`, and its index of trigrams (sequences of three
/// characters); migration 8 shows how both are created. On SQLite, the index is an FTS5 table.
#[derive(Debug, Clone, Copy)]
pub struct SearchTable {
    pub table: &'static str,
    pub index: &'static str,
}

/// Where a search begins, and in which direction it goes. The bound itself is not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchFrom {
    Latest,
    Before(i64),
    After(i64),
}

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Hits {
    /// Descending; ascending if the search went towards later rows.
    pub ids: Vec<i64>,
    /// Set if the search ended before all rows were considered: go on before (or after) this id.
    pub resume: Option<i64>,
}

/// The size of a block of ids; migration 8 contains the number as well.
const BLOCK: i64 = 2048;
/// The number of blocks that one call considers: a million ids.
const MAX_BLOCKS: i64 = 500;
/// The number of rows that one call looks at if the text is too short for the index.
const MAX_SCANNED: i64 = 2_000;

/// The ids and blocks that one call considers, first to last in its direction.
struct Range {
    low: i64,
    high: i64,
    first: i64,
    last: i64,
    step: i64,
    resume: Option<i64>,
}

impl Range {
    /// `max` is the highest id.
    fn new(from: SearchFrom, max: i64) -> Range {
        let block = |id: i64| id.clamp(0, max) / BLOCK;
        if let SearchFrom::After(bound) = from {
            let low = bound.clamp(-1, max) + 1;
            let first = block(low);
            let last = (first + MAX_BLOCKS - 1).min(block(max));
            let high = (last + 1) * BLOCK - 1;
            let resume = (high < max).then_some(high);
            return Range { low, high, first, last, step: 1, resume };
        }
        let bound = if let SearchFrom::Before(bound) = from { bound } else { i64::MAX };
        let high = bound.clamp(0, max.saturating_add(1)) - 1;
        let first = block(high);
        let last = (first - MAX_BLOCKS + 1).max(0);
        let low = last * BLOCK;
        Range { low, high, first, last, step: -1, resume: (last > 0).then_some(low) }
    }
}

impl SearchTable {
    /// The ids of at most `limit` rows whose text contains `needle`, which must not contain the
    /// wildcards of LIKE or a backslash. The work is bounded, whatever the size of the table.
    pub async fn find(&self, db: &Db, needle: &str, from: SearchFrom, limit: i64) -> Result<Hits> {
        if needle.chars().count() < 3 {
            return self.scan(db, needle, from, limit).await;
        }
        let max: Option<i64> = sql("SELECT max(id) FROM ").push(self.table).scalar(db).await?;
        let Some(max) = max else { return Ok(Hits::default()) };
        let range = Range::new(from, max);
        let query = match db {
            Db::Sqlite { .. } => self.in_sqlite(needle, &range, limit),
            Db::Postgres { .. } => self.in_postgres(needle, &range, limit),
        };
        let mut ids = query.ids(db).await?;
        ids.sort_unstable();
        if range.step < 0 {
            ids.reverse();
        }
        let is_full = usize::try_from(limit).is_ok_and(|limit| ids.len() >= limit);
        Ok(Hits { resume: range.resume.filter(|_| !is_full), ids })
    }

    /// FTS5 intersects the trigrams of LIKE in the order of the ids.
    fn in_sqlite(&self, needle: &str, range: &Range, limit: i64) -> Statement {
        sql("SELECT rowid AS id FROM ")
            .push(self.index)
            .push_bind(" WHERE text LIKE ", pattern(needle))
            .push_bind(" AND rowid >= ", range.low)
            .push_bind(" AND rowid <= ", range.high)
            .push(if range.step < 0 { " ORDER BY rowid DESC" } else { " ORDER BY rowid" })
            .push_bind(" LIMIT ", limit)
    }

    /// Each step of the recursion searches one block. "+ 0" keeps PostgreSQL from walking through
    /// the primary key instead.
    fn in_postgres(&self, needle: &str, range: &Range, limit: i64) -> Statement {
        let descending = range.step < 0;
        sql("WITH RECURSIVE walk (block, ids) AS (SELECT $1 - $2, CAST('{}' AS BIGINT[]) \
             UNION ALL SELECT w.block + $2, w.ids || ARRAY(SELECT s.id FROM ")
        .bind(range.first)
        .bind(range.step)
        .push(self.table)
        .push(" AS s WHERE search_keys(s.text, s.id / 2048) @> ")
        .push_bind("search_keys(", needle)
        .push_bind(", w.block + $2) AND s.text LIKE ", pattern(needle))
        .push_bind(" AND s.id + 0 >= ", range.low)
        .push_bind(" AND s.id + 0 <= ", range.high)
        .push_bind(") FROM walk AS w WHERE w.block <> ", range.last)
        .push_bind(" AND cardinality(w.ids) < ", limit)
        .push(
            ") SELECT id FROM (SELECT unnest(ids) AS id FROM (SELECT ids FROM walk ORDER BY block",
        )
        .push(if descending { "" } else { " DESC" })
        .push(" LIMIT 1) AS reached) AS found ORDER BY id")
        .push(if descending { " DESC" } else { "" })
        .push_bind(" LIMIT ", limit)
    }

    /// Without the index: looks at the next rows, and stops after some of them.
    async fn scan(&self, db: &Db, needle: &str, from: SearchFrom, limit: i64) -> Result<Hits> {
        let query =
            sql("SELECT id, text LIKE $1 AS matches FROM ").bind(pattern(needle)).push(self.table);
        let query = match from {
            SearchFrom::Latest => query.push(" ORDER BY id DESC"),
            SearchFrom::Before(id) => query.push_bind(" WHERE id < ", id).push(" ORDER BY id DESC"),
            SearchFrom::After(id) => query.push_bind(" WHERE id > ", id).push(" ORDER BY id"),
        };
        let rows: Vec<(i64, bool)> = query.push_bind(" LIMIT ", MAX_SCANNED).all(db).await?;
        let limit = usize::try_from(limit).unwrap_or_default();
        let ids: Vec<i64> =
            rows.iter().filter(|(_, matches)| *matches).map(|(id, _)| *id).take(limit).collect();
        let is_partial = usize::try_from(MAX_SCANNED).is_ok_and(|max| rows.len() == max);
        let resume = rows.last().map(|(id, _)| *id).filter(|_| is_partial && ids.len() < limit);
        Ok(Hits { ids, resume })
    }
}

fn pattern(needle: &str) -> String {
    format!("%{needle}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(from: SearchFrom, max: i64) -> (i64, i64, i64, i64, Option<i64>) {
        let range = Range::new(from, max);
        (range.low, range.high, range.first, range.last, range.resume)
    }

    #[test]
    fn a_call_considers_a_bounded_range_and_says_where_it_stopped() {
        use SearchFrom::{After, Before, Latest};
        assert_eq!(range(Latest, 5_000), (0, 5_000, 2, 0, None));
        assert_eq!(range(Before(2_048), 5_000), (0, 2_047, 0, 0, None));
        assert_eq!(range(Before(i64::MIN), 5_000), (0, -1, 0, 0, None));
        assert_eq!(range(Before(i64::MAX), i64::MAX).1, i64::MAX - 1);
        assert_eq!(range(After(2_047), 5_000), (2_048, 6_143, 1, 2, None));
        assert_eq!(range(After(i64::MIN), 5_000).0, 0);
        assert_eq!(range(After(i64::MAX), 5_000).0, 5_001);
        let blocks = 3_000;
        let max = blocks * BLOCK - 1;
        let stop = (blocks - MAX_BLOCKS) * BLOCK;
        assert_eq!(range(Latest, max), (stop, max, 2_999, 2_500, Some(stop)));
        assert_eq!(range(Before(stop), max).1, stop - 1);
        let end = MAX_BLOCKS * BLOCK - 1;
        assert_eq!(range(After(0), max), (1, end, 0, 499, Some(end)));
        assert_eq!(range(After(end), max).0, end + 1);
    }
}

//! Searching for whole words, latest first. Neither index can be trusted to begin with the latest rows: GIN
//! has no order, and FTS5 looks through all rows for the first that has two words. So the indexes also
//! know blocks of ids, which are read one after the other; they grow as long as few rows match.

use std::fmt::Write;
use std::ops::RangeInclusive;

use super::connection::Db;
use super::search::{Hits, SearchFrom};
use super::statement::{Statement, sql};
use crate::error::Result;

/// A table with the columns `id` and `text`, words that are separated by white space, and its index;
/// migration 26 shows how both are created. On SQLite, the index is an FTS5 table.
#[derive(Debug, Clone, Copy)]
pub struct WordTable {
    pub table: &'static str,
    pub index: &'static str,
}

/// Words as the index has them: letters, digits, marks, and symbols that are not ASCII.
#[derive(Debug, Clone, Default)]
pub struct WordQuery {
    /// Of each group, at least one. There is at least one group, and none is empty.
    pub all: Vec<Vec<String>>,
    pub none: Vec<String>,
}

/// The sizes of blocks of ids; migration 26 contains the numbers as well.
const BLOCKS: [i64; 3] = [2_048, 16_384, 131_072];
/// The ids that one call considers.
const MAX_IDS: i64 = 1 << 20;

/// The ids of a step, which `block` of a size contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Step {
    size: usize,
    block: i64,
    low: i64,
    high: i64,
}

impl Step {
    /// The word that all rows of the block have. No word of a text contains this character, which is
    /// folded to ASCII.
    fn word(self) -> String {
        format!("＾{}＾{}", self.size, self.block)
    }
}

/// The steps of a call, from `next` to `end`.
#[derive(Debug)]
struct Walk {
    next: i64,
    end: i64,
    is_descending: bool,
    size: usize,
}

impl Walk {
    /// Through those of these ids that lie beyond the bound. `max` is the highest id.
    fn new(from: SearchFrom, ids: &RangeInclusive<i64>, max: i64) -> Walk {
        let (low, high) = ((*ids.start()).max(0), (*ids.end()).min(max));
        let (next, end, is_descending) = match from {
            SearchFrom::Latest => (high, low, true),
            SearchFrom::Before(bound) => (high.min(bound.saturating_sub(1)), low, true),
            SearchFrom::After(bound) => (low.max(bound.saturating_add(1)), high, false),
        };
        Walk { next, end, is_descending, size: 0 }
    }

    fn is_over(&self) -> bool {
        if self.is_descending { self.next < self.end } else { self.next > self.end }
    }

    /// The next ids. The first blocks are small: a word that is in every row is found in the first.
    fn step(&mut self) -> Step {
        let (size, at) = (self.size, self.next);
        let length = BLOCKS[size];
        let block = at / length;
        let (low, high) = if self.is_descending {
            ((block * length).max(self.end), at)
        } else {
            (at, ((block + 1) * length - 1).min(self.end))
        };
        self.next = if self.is_descending { low - 1 } else { high + 1 };
        self.size = (size + 1).min(BLOCKS.len() - 1);
        Step { size, block, low, high }
    }

    /// Where the next call goes on.
    fn resume(&self) -> Option<i64> {
        let before = if self.is_descending { self.next + 1 } else { self.next - 1 };
        (!self.is_over()).then_some(before)
    }
}

impl WordTable {
    /// At most `limit` rows with these words and ids. The work is bounded, whatever the size of the
    /// table and the number of rows that have a word.
    pub async fn find(
        &self,
        db: &Db,
        query: &WordQuery,
        from: SearchFrom,
        ids: RangeInclusive<i64>,
        limit: i64,
    ) -> Result<Hits> {
        let max: Option<i64> = sql("SELECT max(id) FROM ").push(self.table).scalar(db).await?;
        let mut walk = Walk::new(from, &ids, max.unwrap_or(-1));
        let (mut found, mut considered) = (Vec::new(), 0);
        let count = |found: &Vec<i64>| i64::try_from(found.len()).unwrap_or(i64::MAX);
        while !walk.is_over() && count(&found) < limit && considered < MAX_IDS {
            let step = walk.step();
            considered += step.high - step.low + 1;
            let left = limit - count(&found);
            found.extend(self.read(db, query, step, walk.is_descending, left).ids(db).await?);
        }
        found.sort_unstable();
        if walk.is_descending {
            found.reverse();
        }
        let resume = walk.resume().filter(|_| count(&found) < limit);
        Ok(Hits { ids: found, resume })
    }

    fn read(
        &self,
        db: &Db,
        query: &WordQuery,
        step: Step,
        is_descending: bool,
        limit: i64,
    ) -> Statement {
        let read = match db {
            Db::Sqlite { .. } => sql("SELECT rowid AS id FROM ")
                .push(self.index)
                .push(" WHERE ")
                .push(self.index)
                .push_bind(" MATCH ", query.fts5(step))
                .push_bind(" AND rowid >= ", step.low)
                .push_bind(" AND rowid <= ", step.high)
                .push(" ORDER BY rowid"),
            // "+ 0" keeps PostgreSQL from walking through the primary key instead.
            Db::Postgres { .. } => sql("SELECT id FROM (SELECT w.id + 0 AS id FROM ")
                .push(self.table)
                .push_bind(" w WHERE search_words(w.text, w.id) @@ CAST(", query.tsquery(step))
                .push_bind(" AS tsquery)) AS found WHERE id >= ", step.low)
                .push_bind(" AND id <= ", step.high)
                .push(" ORDER BY id"),
        };
        read.push(if is_descending { " DESC" } else { "" }).push_bind(" LIMIT ", limit)
    }
}

impl WordQuery {
    /// In the words of FTS5, within a block.
    fn fts5(&self, step: Step) -> String {
        let any = |words: &[String]| {
            let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("({})", quoted.join(" OR "))
        };
        let mut text = format!("(\"{}\"", step.word());
        for group in &self.all {
            let _ = write!(text, " AND {}", any(group));
        }
        text.push(')');
        if !self.none.is_empty() {
            let _ = write!(text, " NOT {}", any(&self.none));
        }
        text
    }

    /// In the words of PostgreSQL, within a block.
    fn tsquery(&self, step: Step) -> String {
        let mut text = format!("'{}'", step.word());
        for group in &self.all {
            let quoted: Vec<String> = group.iter().map(|word| format!("'{word}'")).collect();
            let _ = write!(text, " & ({})", quoted.join(" | "));
        }
        for word in &self.none {
            let _ = write!(text, " & !'{word}'");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(mut walk: Walk) -> Vec<(usize, i64, i64, i64)> {
        let mut steps = Vec::new();
        while !walk.is_over() && steps.len() < 5 {
            let Step { size, block, low, high } = walk.step();
            steps.push((size, block, low, high));
        }
        steps
    }

    #[test]
    fn blocks_grow_and_leave_nothing_out() {
        use SearchFrom::{After, Before, Latest};
        let all = 0..=i64::MAX;
        assert_eq!(
            steps(Walk::new(Latest, &all, 300_000)),
            [
                (0, 146, 299_008, 300_000),
                (1, 18, 294_912, 299_007),
                (2, 2, 262_144, 294_911),
                (2, 1, 131_072, 262_143),
                (2, 0, 0, 131_071),
            ]
        );
        assert_eq!(steps(Walk::new(Before(2_048), &all, 300_000)), [(0, 0, 0, 2_047)]);
        assert_eq!(steps(Walk::new(Before(i64::MIN), &all, 300_000)), []);
        assert_eq!(
            steps(Walk::new(After(2_047), &(0..=20_000), 300_000)),
            [(0, 1, 2_048, 4_095), (1, 0, 4_096, 16_383), (2, 0, 16_384, 20_000)]
        );
        assert_eq!(steps(Walk::new(After(i64::MAX), &all, 300_000)), []);
        assert_eq!(steps(Walk::new(Latest, &all, -1)), []);
        assert_eq!(steps(Walk::new(Latest, &(5..=7), 300_000)), [(0, 0, 5, 7)]);
    }

    #[test]
    fn a_query_is_written_for_each_engine() {
        let word = |text: &str| text.to_owned();
        let query = WordQuery {
            all: vec![vec![word("tide")], vec![word("＃1"), word("＃2")]],
            none: vec![word("moon"), word("sun")],
        };
        let step = Step { size: 1, block: 7, low: 0, high: 0 };
        let fts5 = "(\"＾1＾7\" AND (\"tide\") AND (\"＃1\" OR \"＃2\")) NOT (\"moon\" OR \"sun\")";
        assert_eq!(query.fts5(step), fts5);
        let tsquery = "'＾1＾7' & ('tide') & ('＃1' | '＃2') & !'moon' & !'sun'";
        assert_eq!(query.tsquery(step), tsquery);
    }
}

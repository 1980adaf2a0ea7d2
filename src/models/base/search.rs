//! Searchable text, the same on both engines: folded here, stored folded, indexed by the database.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::db::{Db, Hits, SearchFrom, SearchTable, Statement, Step, Tx, sql};
use crate::error::Result;
use crate::models::base::page::{Keyset, Page, Slice};

/// Maximum length of what is searched for, in characters; no title is longer.
const MAX_NEEDLE_LENGTH: usize = 300;

/// Text as the search compares it: without regard to case, diacritics, compatibility variants and
/// the kind and amount of white space. It contains no wildcard of LIKE and no backslash: these
/// become their full-width forms, which cannot occur otherwise.
pub fn fold(text: &str) -> String {
    let decomposed = text.nfkd().filter(|c| canonical_combining_class(*c) == 0);
    // To upper case first: "ß" becomes "ss", and both forms of the Greek sigma become one.
    let cased = decomposed.flat_map(char::to_uppercase).flat_map(char::to_lowercase);
    let folded: String = cased.nfkd().filter(|c| canonical_combining_class(*c) == 0).collect();
    let words = folded.split(|c: char| c.is_whitespace() || c.is_control());
    let folded = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    folded.replace('%', "\u{ff05}").replace('_', "\u{ff3f}").replace('\\', "\u{ff3c}")
}

/// The text to search for; `None` when `q` is blank.
pub fn needle(q: &str) -> Option<String> {
    let needle = fold(&q.chars().take(MAX_NEEDLE_LENGTH).collect::<String>());
    (!needle.is_empty()).then_some(needle)
}

/// Two texts of which either may contain what is searched for; nothing matches across both.
fn join(first: &str, second: &str) -> String {
    format!("{}\n{}", fold(first), fold(second))
}

/// What is searched of a noun.
pub struct Source {
    pub table: SearchTable,
    /// A query for the ids of a table `n` and two texts each; it ends before WHERE.
    pub texts: &'static str,
}

/// An id and what is searched of it.
type Texts = (i64, String, String);

/// Rows of `index_missing` per transaction.
const BATCH: i64 = 5_000;
/// Rows of `store` per INSERT.
const CHUNK: usize = 500;

impl Source {
    /// Indexes a row that was written.
    pub async fn index(&self, tx: &mut Tx, id: i64) -> Result<()> {
        let row: Texts = sql(self.texts).push_bind(" WHERE n.id = ", id).one(&mut *tx).await?;
        store(tx, &self.table, &[row]).await
    }

    /// `index`, where both texts are known.
    pub async fn index_as(&self, tx: &mut Tx, id: i64, first: &str, second: &str) -> Result<()> {
        self.indexing(id, first, second).execute(tx).await.map(drop)
    }

    /// The statement of `index_as`.
    pub fn indexing(&self, id: i64, first: &str, second: &str) -> Statement {
        storing(&self.table, &[(id, first.to_owned(), second.to_owned())])
    }

    /// Indexes the next rows that are not indexed yet.
    pub async fn index_missing(&self, tx: &mut Tx) -> Result<Step> {
        let missing: Vec<Texts> = sql(self.texts)
            .push(" WHERE NOT EXISTS (SELECT 1 FROM ")
            .push(self.table.table)
            .push(" s WHERE s.id = n.id)")
            .push_bind(" ORDER BY n.id LIMIT ", BATCH)
            .all(&mut *tx)
            .await?;
        store(tx, &self.table, &missing).await?;
        let is_last = i64::try_from(missing.len()).is_ok_and(|count| count < BATCH);
        Ok(if is_last { Step::Finished } else { Step::Continue })
    }
}

/// Stores what is searched, in place of what was stored before.
async fn store(tx: &mut Tx, table: &SearchTable, rows: &[Texts]) -> Result<()> {
    for chunk in rows.chunks(CHUNK) {
        storing(table, chunk).execute(&mut *tx).await?;
    }
    Ok(())
}

fn storing(table: &SearchTable, rows: &[Texts]) -> Statement {
    let mut insert = sql("INSERT INTO ").push(table.table).push(" (id, text) VALUES ");
    for (n, (id, first, second)) in rows.iter().enumerate() {
        insert = insert
            .push_bind(if n == 0 { "(" } else { ", (" }, *id)
            .push_bind(", ", join(first, second))
            .push(")");
    }
    insert
        .push(" ON CONFLICT (id) DO UPDATE SET text = excluded.text WHERE ")
        .push(table.table)
        .push(".text <> excluded.text")
}

/// A page of what was found: the keys of its rows, to be loaded by the noun. The last key is the id.
pub struct Found<'k, const KEYS: usize> {
    keyset: &'k Keyset<KEYS>,
    /// In the direction of the search.
    hits: Vec<[i64; KEYS]>,
    /// Set if the search ended before all rows were considered: where it goes on.
    resume: Option<[i64; KEYS]>,
}

/// Where the search for a page begins.
pub fn begin(keyset: &Keyset<1>) -> SearchFrom {
    match (keyset.before(), keyset.after()) {
        (Some([id]), _) => SearchFrom::Before(id),
        (_, Some([id])) => SearchFrom::After(id),
        (None, None) => SearchFrom::Latest,
    }
}

/// Finds the rows of a page, latest first. The work is bounded: if it ends before the page is full,
/// the page has fewer items, and its cursor continues where the search stopped.
pub async fn find<'k>(
    db: &Db,
    table: &SearchTable,
    needle: &str,
    keyset: &'k Keyset<1>,
) -> Result<Found<'k, 1>> {
    let Hits { ids, resume } = table.find(db, needle, begin(keyset), keyset.limit() + 1).await?;
    let hits = ids.into_iter().map(|id| [id]).collect();
    Ok(Found { keyset, hits, resume: resume.map(|id| [id]) })
}

impl<'k, const KEYS: usize> Found<'k, KEYS> {
    /// The keys of what was found, in the direction of the search, at most one more than the page has
    /// items; and where the search goes on if it ended before all rows were considered.
    pub fn new(
        keyset: &'k Keyset<KEYS>,
        hits: Vec<[i64; KEYS]>,
        resume: Option<[i64; KEYS]>,
    ) -> Self {
        let is_full = i64::try_from(hits.len()).is_ok_and(|count| count > keyset.limit());
        Found { keyset, hits, resume: resume.filter(|_| !is_full) }
    }

    /// What matches among rows that were read in the order of the list. If there are more than
    /// `max`, the search ends there.
    pub fn among(
        keyset: &'k Keyset<KEYS>,
        max: i64,
        rows: impl IntoIterator<Item = ([i64; KEYS], bool)>,
    ) -> Self {
        let size = |number: i64| usize::try_from(number).unwrap_or_default();
        let mut rows = rows.into_iter();
        let (mut hits, mut last) = (Vec::new(), None);
        for (keys, matches) in rows.by_ref().take(size(max)) {
            last = Some(keys);
            if matches {
                hits.push(keys);
            }
            if hits.len() > size(keyset.limit()) {
                return Found { keyset, hits, resume: None };
            }
        }
        let resume = last.filter(|_| rows.next().is_some());
        Found { keyset, hits, resume }
    }

    fn keys(&self) -> impl Iterator<Item = [i64; KEYS]> {
        let limit = usize::try_from(self.keyset.limit()).unwrap_or_default();
        self.hits.iter().copied().take(limit)
    }

    /// The ids of the page.
    pub fn ids(&self) -> impl Iterator<Item = i64> {
        self.keys().filter_map(|keys| keys.last().copied())
    }

    /// The page, from the rows that have these ids, in any order; some may be missing.
    pub fn page<T>(&self, rows: Vec<T>, keys: impl Fn(&T) -> [i64; KEYS]) -> Page<T> {
        self.slice(rows, keys).page()
    }

    /// `page`, with the keys of the adjacent pages.
    pub fn slice<T>(&self, mut rows: Vec<T>, keys: impl Fn(&T) -> [i64; KEYS]) -> Slice<T, KEYS> {
        rows.sort_by_key(|row| std::cmp::Reverse(keys(row)));
        let last = self.keys().last();
        let is_full = self.hits.len() > self.keys().count();
        // Where the search goes on, and where it came from.
        let onwards = if is_full { last } else { self.resume };
        let first = self.keys().next();
        let (next, previous) = match (self.keyset.before(), self.keyset.after()) {
            (None, None) => (onwards, None),
            (Some(bound), _) => (onwards, Some(first.unwrap_or(beside(bound, -1)))),
            (None, Some(bound)) => (Some(first.unwrap_or(beside(bound, 1))), onwards),
        };
        Slice { items: rows, next, previous }
    }
}

/// The next possible keys.
fn beside<const KEYS: usize>(mut keys: [i64; KEYS], step: i64) -> [i64; KEYS] {
    if let Some(id) = keys.last_mut() {
        *id = id.saturating_add(step);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_diacritics_make_no_difference() {
        for (text, folded) in [
            ("Crème BRÛLÉE", "creme brulee"),
            ("Straße", "strasse"),
            ("ΟΔΥΣΣΕΎΣ", "οδυσσευσ"),
            ("Ὀδυσσεύς", "οδυσσευσ"),
            ("İstanbul", "istanbul"),
            ("ЁЛКА Й", "елка и"),
            ("Ａｎｎ\u{3000} ﬁn", "ann fin"),
            ("世界 🌊", "世界 🌊"),
            (" a\t\n\0b ", "a b"),
        ] {
            assert_eq!(fold(text), folded, "{text}");
        }
    }

    #[test]
    fn folding_again_changes_nothing() {
        for text in ["Crème ﬃ ß İ ǰ ŉ ΐ", "100% _x\\", "कि का", "한국어", "ﷺ"]
        {
            assert_eq!(fold(&fold(text)), fold(text), "{text}");
        }
    }

    #[test]
    fn wildcards_are_letters() {
        assert_eq!(fold("50%_\\"), "50％＿＼");
        assert_eq!(needle(" \t"), None);
        assert_eq!(needle(&"x".repeat(1_000)).map(|needle| needle.len()), Some(300));
    }

    #[test]
    fn what_matches_fills_a_page_or_says_where_to_go_on() {
        let page = |limit, max, matching: &[i64]| {
            let keyset = Keyset::<1>::first(limit);
            let rows = (0..10).rev().map(|id| ([id], matching.contains(&id)));
            let found = Found::among(&keyset, max, rows);
            (found.ids().collect::<Vec<_>>(), found.hits.len(), found.resume)
        };
        assert_eq!(page(2, 10, &[9, 5, 1]), (vec![9, 5], 3, None));
        assert_eq!(page(3, 10, &[9, 5, 1]), (vec![9, 5, 1], 3, None));
        assert_eq!(page(3, 9, &[9, 5, 1]), (vec![9, 5, 1], 3, Some([1])));
        assert_eq!(page(3, 4, &[9, 5, 1]), (vec![9], 1, Some([6])));
        assert_eq!(page(3, 4, &[]), (vec![], 0, Some([6])));
        assert_eq!(page(3, 10, &[]), (vec![], 0, None));
    }

    #[test]
    fn nothing_matches_across_two_texts() {
        assert_eq!(join("On Tides", "Ann"), "on tides\nann");
    }
}

//! Pages of ranked matches. The newest matches are ranked by relevance, a window of them at a time; the
//! pages of one window are followed by those of the next. The cursor of a page names its window, so that
//! what is written or deleted meanwhile makes no page skip or repeat something.

use super::matching::Matching;
use super::rank::Ranked;
use crate::db::{Hits, SearchFrom};
use crate::error::Result;
use crate::models::base::page::Keyset;

/// Matches that are ranked together.
const WINDOW: i64 = 200;
/// Windows without a match that one call passes: none of their rows has a phrase of the query.
const MAX_EMPTY: usize = 4;

/// The keys of a cursor: the id that follows the window, its first id (`UNKNOWN` if it has not been read
/// yet, and 0 if none lies before it), the score and the id of an item.
type Keys = [i64; 4];

const UNKNOWN: i64 = -1;

/// Where a page begins.
pub struct Position {
    limit: usize,
    before: Option<Keys>,
    after: Option<Keys>,
}

impl Position {
    pub fn of(keyset: &Keyset<4>) -> Position {
        let limit = usize::try_from(keyset.limit()).unwrap_or_default();
        Position { limit, before: keyset.before(), after: keyset.after() }
    }
}

/// The items of a page, and the cursors of the adjacent pages.
pub struct MatchPage {
    pub items: Vec<Ranked>,
    pub next: Option<Keys>,
    pub previous: Option<Keys>,
}

/// The matches among the ids from `low` on and before `high`, most relevant first.
struct Window {
    low: i64,
    high: i64,
    items: Vec<Ranked>,
}

/// The page at this position.
pub async fn slice(matching: &Matching<'_>, position: Position) -> Result<MatchPage> {
    let limit = position.limit;
    if let Some([high, low, score, id]) = position.after {
        return backwards(matching, limit, [high, low, score, id]).await;
    }
    let Some([high, low, score, id]) = position.before else {
        let mut window = below(matching, None).await?;
        window.items.splice(0..0, matching.exact());
        return Ok(window.page(0, limit, None));
    };
    if low == UNKNOWN {
        let window = below(matching, Some(high)).await?;
        return Ok(window.page(0, limit, Some([high, UNKNOWN, 0, 0])));
    }
    let window = again(matching, high, low).await?;
    let start = window.items.partition_point(|item| item.key() >= (score, id));
    // Up to the item of the cursor itself.
    Ok(window.page(start, limit, Some([high, low, score, id.saturating_sub(1)])))
}

/// The page before a position.
async fn backwards(matching: &Matching<'_>, limit: usize, keys: Keys) -> Result<MatchPage> {
    let [high, low, score, id] = keys;
    let mut window = match low {
        UNKNOWN => above(matching, high).await?,
        low => again(matching, high, low).await?,
    };
    let nearest = SearchFrom::After(window.high.saturating_sub(1));
    let Hits { ids, resume } = matching.candidates(nearest, 1).await?;
    let is_first = ids.is_empty() && resume.is_none();
    if is_first {
        window.items.splice(0..0, matching.exact());
    }
    let end = match low {
        UNKNOWN => window.items.len(),
        _ => window.items.partition_point(|item| item.key() > (score, id)),
    };
    let start = end.saturating_sub(limit);
    let beyond = (!is_first).then_some([window.high, UNKNOWN, 0, 0]);
    let mut slice = window.page(start, end - start, beyond);
    if slice.items.is_empty() {
        slice.next = Some(keys).filter(|_| low != UNKNOWN).or(Some([high, UNKNOWN, 0, 0]));
    }
    Ok(slice)
}

impl Window {
    /// A part of the window. `beyond` is where the page before it ends, if the part begins the window.
    fn page(&self, start: usize, limit: usize, beyond: Option<Keys>) -> MatchPage {
        let end = (start + limit).min(self.items.len());
        let items = self.items[start..end].to_vec();
        let at = |item: &Ranked| [self.high, self.low, item.score, item.id];
        let next = match items.last() {
            Some(last) if end < self.items.len() => Some(at(last)),
            _ => (self.low > 0).then_some([self.low, UNKNOWN, 0, 0]),
        };
        let previous = match items.first() {
            Some(first) if start > 0 => Some(at(first)),
            _ => beyond,
        };
        MatchPage { items, next, previous }
    }
}

/// The next window of matches with ids before `high`, or the newest.
async fn below(matching: &Matching<'_>, high: Option<i64>) -> Result<Window> {
    let mut from = high;
    let mut empty = 0;
    loop {
        let search = from.map_or(SearchFrom::Latest, SearchFrom::Before);
        let Hits { ids, resume } = matching.candidates(search, WINDOW).await?;
        let low = resume.or(ids.last().copied().filter(|_| is_full(&ids))).unwrap_or_default();
        let first = ids.first().map_or(i64::MAX, |id| id.saturating_add(1));
        let items = matching.rank(&ids).await?;
        empty += 1;
        if !items.is_empty() || low == 0 || empty >= MAX_EMPTY {
            // What is written from now on belongs to no window that was read.
            return Ok(Window { low, high: from.unwrap_or(first), items });
        }
        from = Some(low);
    }
}

/// The window of the matches with the next ids from `low` on.
async fn above(matching: &Matching<'_>, low: i64) -> Result<Window> {
    let mut from = low;
    let mut empty = 0;
    loop {
        let search = SearchFrom::After(from.saturating_sub(1));
        let Hits { ids, resume } = matching.candidates(search, WINDOW).await?;
        let last = resume.or(ids.last().copied());
        let high = last.map_or(from, |id| id.saturating_add(1));
        let is_last = !is_full(&ids) && resume.is_none();
        let items = matching.rank(&ids).await?;
        empty += 1;
        if !items.is_empty() || is_last || empty >= MAX_EMPTY {
            return Ok(Window { low: from, high, items });
        }
        from = high;
    }
}

/// A window that was read before.
async fn again(matching: &Matching<'_>, high: i64, low: i64) -> Result<Window> {
    let Hits { ids, .. } = matching.candidates(SearchFrom::Before(high), WINDOW).await?;
    let ids: Vec<i64> = ids.into_iter().filter(|id| *id >= low).collect();
    Ok(Window { low, high, items: matching.rank(&ids).await? })
}

fn is_full(ids: &[i64]) -> bool {
    i64::try_from(ids.len()).is_ok_and(|count| count >= WINDOW)
}

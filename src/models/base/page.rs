//! Keyset pagination: a page of a list begins where another ended, never at an offset.

mod cursor;

use serde::{Deserialize, Serialize};

use crate::db::Statement;
use crate::error::Result;
use crate::validation::{FieldError, Rule, ValidationErrors};

pub use cursor::Column;

/// Default number of items on a page.
const DEFAULT_LIMIT: i64 = 20;
/// Maximum number of items on a page.
const MAX_LIMIT: i64 = 100;

/// Raw, unvalidated paging parameters.
#[derive(Debug, Default, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// The `next` of a page, to get the next one.
    #[param(max_length = 200)]
    pub before: Option<String>,
    /// The `previous` of a page, to get the previous one. Not together with `before`.
    #[param(max_length = 200)]
    pub after: Option<String>,
    /// 1 to 100 items; 20 by default.
    #[param(value_type = Option<i64>, minimum = 1, maximum = 100, default = 20)]
    pub limit: Option<String>,
}

/// A slice of a list. `KEYS` columns order the list, all descending unless it is `ascending`.
#[derive(Debug)]
pub struct Keyset<const KEYS: usize> {
    limit: i64,
    from: From<KEYS>,
    direction: Direction,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Ascending,
    Descending,
}

#[derive(Debug, Clone, Copy)]
enum From<const KEYS: usize> {
    Start,
    Before([i64; KEYS]),
    After([i64; KEYS]),
}

/// A page of a list, and the cursors of the adjacent pages.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// At most as many as `limit`.
    pub items: Vec<T>,
    #[serde(flatten)]
    pub cursors: Cursors,
}

/// The cursors of the adjacent pages.
#[derive(Debug, Default, Clone, Serialize, utoipa::ToSchema)]
pub struct Cursors {
    /// Send it as `before` to get the next page; null on the last one.
    #[schema(example = "AAY7kq2xYAAAAAAAAAAq")]
    pub next: Option<String>,
    /// Send it as `after` to get the previous page; null on the first one.
    #[schema(example = "AAY7kq5hQAAAAAAAAAA9")]
    pub previous: Option<String>,
}

impl<const KEYS: usize> Keyset<KEYS> {
    /// # Errors
    /// `Invalid`, about `before`, `after` and `limit`.
    pub fn new(params: &PageParams) -> Result<Self> {
        let mut errors = ValidationErrors::default();
        let limit = errors.collect(limit(params.limit.as_deref()))?;
        let before = errors.collect(cursor::parse("before", params.before.as_deref()))?;
        let after = errors.collect(cursor::parse("after", params.after.as_deref()))?;
        let from = match (before.flatten(), after.flatten()) {
            (Some(_), Some(_)) => {
                errors.add(FieldError::new("after", Rule::Exclusive));
                From::Start
            }
            (Some(keys), None) => From::Before(keys),
            (None, Some(keys)) => From::After(keys),
            (None, None) => From::Start,
        };
        errors.into_result()?;
        Ok(Keyset { limit: limit.unwrap_or(DEFAULT_LIMIT), from, direction: Direction::Descending })
    }

    /// The same for a list that all columns order ascending.
    pub fn ascending(self) -> Self {
        Keyset { direction: Direction::Ascending, ..self }
    }

    /// At most `limit` items from the first one on.
    pub fn first(limit: i64) -> Self {
        Keyset { limit, from: From::Start, direction: Direction::Descending }
    }

    /// At most `limit` items that follow the one with these keys.
    pub fn beyond(keys: [i64; KEYS], limit: i64) -> Self {
        Keyset { limit, from: From::Before(keys), direction: Direction::Descending }
    }

    /// At most `limit` items that precede the one with these keys, the nearest first.
    pub fn ahead_of(keys: [i64; KEYS], limit: i64) -> Self {
        Keyset { limit, from: From::After(keys), direction: Direction::Descending }
    }

    /// Whether the page ends where another one began, so that its last item is read first.
    pub fn is_backwards(&self) -> bool {
        self.after().is_some()
    }

    /// The same bound with another limit.
    pub fn with_limit(&self, limit: i64) -> Self {
        Keyset { limit, from: self.from, direction: self.direction }
    }

    /// Maximum number of items on the page.
    pub fn limit(&self) -> i64 {
        self.limit
    }

    /// The keys before which the page begins, if it has such a bound.
    pub fn before(&self) -> Option<[i64; KEYS]> {
        if let From::Before(keys) = self.from { Some(keys) } else { None }
    }

    /// The keys after which the page begins, if it has such a bound.
    pub fn after(&self) -> Option<[i64; KEYS]> {
        if let From::After(keys) = self.from { Some(keys) } else { None }
    }

    /// Adds the ids of the page as a query of their own, `(…)`, to join with: the database then
    /// orders and limits nothing but keys. `source` adds a query for ids, which ends inside its
    /// WHERE clause; it is called once or several times. `columns` are the ordering columns.
    ///
    /// A bound of several columns is one query for each column, such as `a = 5 AND id < 7` and
    /// `a < 5`, each of which is a range of the index. For `(a, id) < (5, 7)` in one, SQLite
    /// ignores the id, and PostgreSQL expects few rows where `a` is nearly always 5, and sorts
    /// them all.
    pub fn ids(
        &self,
        mut query: Statement,
        columns: [Column; KEYS],
        source: impl Fn(Statement) -> Statement,
    ) -> Statement {
        let (compare, keys) = match self.from {
            From::Start => return self.order(source(query.push("(")), columns).push(")"),
            From::Before(keys) => (self.compare(Direction::Descending), keys),
            From::After(keys) => (self.compare(Direction::Ascending), keys),
        };
        for varying in (0..KEYS).rev() {
            let is_first = varying + 1 == KEYS;
            query = query.push(if is_first { "(" } else { " UNION ALL " });
            query = source(query.push("SELECT * FROM ("));
            for (i, column) in columns.into_iter().enumerate().take(varying + 1) {
                let compare = if i == varying { compare } else { " = " };
                query = query.push(" AND ").push(column.name());
                query = query.push_bind(compare, column.value(keys[i]));
            }
            query = self.order(query, columns).push(") AS part");
        }
        query.push(")")
    }

    /// How the rows compare with the bound of a list that goes on from it in this direction.
    fn compare(&self, direction: Direction) -> &'static str {
        if direction == self.direction { " < " } else { " > " }
    }

    /// Adds order and limit to a query.
    pub fn order(&self, query: Statement, columns: [Column; KEYS]) -> Statement {
        let is_ascending = self.is_backwards() != (self.direction == Direction::Ascending);
        let order = if is_ascending { " ASC" } else { " DESC" };
        // One extra row shows whether there is another page.
        push_names(query.push(" ORDER BY "), columns, order).push_bind(" LIMIT ", self.limit + 1)
    }

    /// Adds the opposite order to a query, and a limit of one row: the last one of the page.
    pub fn push_last(&self, query: Statement, columns: [Column; KEYS]) -> Statement {
        let is_ascending = self.is_backwards() != (self.direction == Direction::Ascending);
        let order = if is_ascending { " DESC" } else { " ASC" };
        push_names(query.push(" ORDER BY "), columns, order).push(" LIMIT 1")
    }

    /// Builds the page from the rows in the order of the query; `keys` are an item's ordering columns.
    pub fn page<T>(&self, rows: Vec<T>, keys: impl Fn(&T) -> [i64; KEYS]) -> Page<T> {
        self.slice(rows, keys).page()
    }

    /// `page`, with the keys of the adjacent pages.
    pub fn slice<T>(&self, mut rows: Vec<T>, keys: impl Fn(&T) -> [i64; KEYS]) -> Slice<T, KEYS> {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let more = rows.len() > limit;
        rows.truncate(limit);
        let (newer, older) = match self.from {
            From::Start => (false, more),
            From::Before(_) => (true, more),
            From::After(_) => {
                rows.reverse();
                (more, true)
            }
        };
        let next = older.then(|| rows.last().map(&keys)).flatten();
        let previous = newer.then(|| rows.first().map(&keys)).flatten();
        Slice { items: rows, next, previous }
    }
}

/// A page, and the keys of the last item before and of the first item after the adjacent pages.
#[derive(Debug)]
pub struct Slice<T, const KEYS: usize> {
    pub items: Vec<T>,
    pub next: Option<[i64; KEYS]>,
    pub previous: Option<[i64; KEYS]>,
}

impl<T, const KEYS: usize> Slice<T, KEYS> {
    pub fn page(self) -> Page<T> {
        Page::with_cursors(self.items, self.next, self.previous)
    }

    /// The same with other keys, of which these are a part.
    pub fn with_keys<const OTHER: usize>(
        self,
        keys: impl Fn([i64; KEYS]) -> [i64; OTHER],
    ) -> Slice<T, OTHER> {
        let (next, previous) = (self.next.map(&keys), self.previous.map(&keys));
        Slice { items: self.items, next, previous }
    }
}

impl Keyset<3> {
    /// The first key of the bound, if it has one, and the same bound without it: for a list in which
    /// all items have that key.
    pub fn within(&self) -> (Option<i64>, Keyset<2>) {
        let (first, from) = match self.from {
            From::Start => (None, From::Start),
            From::Before([first, keys @ ..]) => (Some(first), From::Before(keys)),
            From::After([first, keys @ ..]) => (Some(first), From::After(keys)),
        };
        (first, Keyset { limit: self.limit, from, direction: self.direction })
    }
}

impl Keyset<1> {
    /// Adds condition, order and limit to a query that ends inside its WHERE clause.
    pub fn apply(&self, query: Statement, columns: [Column; 1]) -> Statement {
        let [column] = columns;
        let (compare, key) = match self.from {
            From::Start => return self.order(query, columns),
            From::Before([key]) => (self.compare(Direction::Descending), key),
            From::After([key]) => (self.compare(Direction::Ascending), key),
        };
        let query = query.push(" AND ").push(column.name()).push_bind(compare, column.value(key));
        self.order(query, columns)
    }
}

impl<T> Page<T> {
    /// A page whose adjacent pages begin after and before these keys.
    pub fn with_cursors<const KEYS: usize>(
        items: Vec<T>,
        next: Option<[i64; KEYS]>,
        previous: Option<[i64; KEYS]>,
    ) -> Page<T> {
        Page {
            items,
            cursors: Cursors {
                next: next.map(cursor::encode),
                previous: previous.map(cursor::encode),
            },
        }
    }
}

fn push_names<const KEYS: usize>(
    mut query: Statement,
    columns: [Column; KEYS],
    suffix: &'static str,
) -> Statement {
    for (i, column) in columns.into_iter().enumerate() {
        query = query.push(if i == 0 { "" } else { ", " }).push(column.name()).push(suffix);
    }
    query
}

fn limit(text: Option<&str>) -> Result<i64> {
    match text.filter(|t| !t.is_empty()).map(str::parse) {
        None => Ok(DEFAULT_LIMIT),
        Some(Ok(n)) if (1..=MAX_LIMIT).contains(&n) => Ok(n),
        Some(_) => {
            let error = FieldError::new("limit", Rule::OutOfRange);
            Err(error.with("min", 1i64).with("max", MAX_LIMIT).into())
        }
    }
}

//! Keyset pagination: a page of a list begins where another ended, never at a counted offset.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::{Deserialize, Serialize};

use crate::db::Query;
use crate::error::{Complaints, Error, Result};

/// Items on a page when nobody asks for a number.
const LIMIT: i64 = 20;
/// Most items on a page.
const MOST: i64 = 100;

/// Which part of a list is asked for, as it arrives: nothing is trusted yet.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    pub before: Option<String>,
    pub after: Option<String>,
    pub limit: Option<String>,
}

/// Which part of a list is wanted. `KEYS` columns order the list, all descending.
#[derive(Debug)]
pub struct Part<const KEYS: usize> {
    limit: i64,
    from: From<KEYS>,
}

#[derive(Debug)]
enum From<const KEYS: usize> {
    Start,
    Before([i64; KEYS]),
    After([i64; KEYS]),
}

/// A part of a list, and the cursors of what lies on either side.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it as `before` to read on; null at the end.
    pub next: Option<String>,
    /// Give it as `after` to go back; null at the beginning.
    pub previous: Option<String>,
}

impl<const KEYS: usize> Part<KEYS> {
    /// Checks what was asked.
    ///
    /// # Errors
    /// `Invalid`, with complaints about `before`, `after` and `limit`.
    pub fn of(asked: &Asked) -> Result<Self> {
        let mut complaints = Complaints::default();
        let limit = complaints.take(limit(asked.limit.as_deref()))?;
        let before = complaints.take(cursor("before", asked.before.as_deref()))?;
        let after = complaints.take(cursor("after", asked.after.as_deref()))?;
        let from = match (before.flatten(), after.flatten()) {
            (Some(_), Some(_)) => {
                complaints.add("after", "Give either before or after, not both.");
                From::Start
            }
            (Some(keys), None) => From::Before(keys),
            (None, Some(keys)) => From::After(keys),
            (None, None) => From::Start,
        };
        complaints.check()?;
        Ok(Part { limit: limit.unwrap_or(LIMIT), from })
    }

    /// Adds condition, order and limit to a query that ends inside its WHERE clause. `columns` are
    /// the ordering columns.
    pub fn narrow(&self, mut query: Query, columns: [&'static str; KEYS]) -> Query {
        let (order, bound) = match &self.from {
            From::Start => (" DESC", None),
            From::Before(keys) => (" DESC", Some((") < (", keys))),
            From::After(keys) => (" ASC", Some((") > (", keys))),
        };
        if let Some((compare, keys)) = bound {
            query = push_list(query.push(" AND ("), columns, "").push(compare);
            for (i, key) in keys.iter().enumerate() {
                query = query.push_bind(if i == 0 { "" } else { ", " }, *key);
            }
            query = query.push(")");
        }
        // One more than wanted tells whether there is a further page.
        push_list(query.push(" ORDER BY "), columns, order).push_bind(" LIMIT ", self.limit + 1)
    }

    /// Makes the page out of what `narrow`'s query found; `keys` are an item's ordering columns.
    pub fn page<T>(&self, mut found: Vec<T>, keys: impl Fn(&T) -> [i64; KEYS]) -> Page<T> {
        let wanted = usize::try_from(self.limit).unwrap_or_default();
        let more = found.len() > wanted;
        found.truncate(wanted);
        let (newer, older) = match self.from {
            From::Start => (false, more),
            From::Before(_) => (true, more),
            From::After(_) => {
                found.reverse();
                (more, true)
            }
        };
        let token = |item: Option<&T>| item.map(|item| encode(keys(item)));
        Page {
            next: older.then(|| token(found.last())).flatten(),
            previous: newer.then(|| token(found.first())).flatten(),
            items: found,
        }
    }
}

fn push_list<const KEYS: usize>(
    mut query: Query,
    columns: [&'static str; KEYS],
    behind: &'static str,
) -> Query {
    for (i, column) in columns.into_iter().enumerate() {
        query = query.push(if i == 0 { "" } else { ", " }).push(column).push(behind);
    }
    query
}

fn limit(text: Option<&str>) -> Result<i64> {
    match text.filter(|t| !t.is_empty()).map(str::parse) {
        None => Ok(LIMIT),
        Some(Ok(n)) if (1..=MOST).contains(&n) => Ok(n),
        Some(_) => Err(Error::invalid("limit", format!("Give a whole number from 1 to {MOST}."))),
    }
}

fn cursor<const KEYS: usize>(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<[i64; KEYS]>> {
    match text.filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => decode(text)
            .map(Some)
            .ok_or_else(|| Error::invalid(field, "This is not a cursor of this list.")),
    }
}

fn encode<const KEYS: usize>(keys: [i64; KEYS]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(keys.map(|key| key.to_string()).join("."))
}

fn decode<const KEYS: usize>(text: &str) -> Option<[i64; KEYS]> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let keys: Vec<i64> = std::str::from_utf8(&bytes)
        .ok()?
        .split('.')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .ok()?;
    keys.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_as_they_went() {
        for keys in [[0, 1], [-5, i64::MAX], [i64::MIN, 7]] {
            assert_eq!(decode(&encode(keys)), Some(keys));
        }
    }

    #[test]
    fn what_is_no_cursor_is_a_complaint() {
        for text in ["x", "!!", "MQ==", "MS4y", "OTIyMzM3MjAzNjg1NDc3NTgwOA"] {
            assert_eq!(decode::<1>(text), None, "{text}");
        }
    }
}

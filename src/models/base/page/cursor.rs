//! Where a page begins, as text: the keys of an item, in the columns that order the list.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::DateTime;

use crate::db::Value;
use crate::error::{Error, Result};
use crate::validation::Rule;

/// A column that orders a list. In cursors, times are microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub enum Column {
    Int(&'static str),
    Time(&'static str),
}

impl Column {
    pub(super) fn name(self) -> &'static str {
        match self {
            Column::Int(name) | Column::Time(name) => name,
        }
    }

    pub(super) fn value(self, key: i64) -> Value {
        match self {
            Column::Int(_) => key.into(),
            Column::Time(_) => {
                // Years 1 to 9999: the range that both engines can compare.
                let key = key.clamp(-62_135_596_800_000_000, 253_402_300_799_999_999);
                DateTime::from_timestamp_micros(key).unwrap_or_default().into()
            }
        }
    }
}

/// The keys in a parameter, if it has any.
///
/// # Errors
/// `Invalid`, about this field.
pub(super) fn parse<const KEYS: usize>(
    field: &'static str,
    text: Option<&str>,
) -> Result<Option<[i64; KEYS]>> {
    match text.filter(|t| !t.is_empty()) {
        None => Ok(None),
        Some(text) => decode(text).map(Some).ok_or_else(|| Error::invalid(field, Rule::Malformed)),
    }
}

pub(super) fn encode<const KEYS: usize>(keys: [i64; KEYS]) -> String {
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

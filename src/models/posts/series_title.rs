//! The titles of series: how they are written and compared, and how a post names its series.

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;

use crate::error::Result;
use crate::models::base::visible;
use crate::validation::{FieldError, Rule};

/// Longest title, in characters.
pub const MAX_LENGTH: usize = 100;

/// The series of a post.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PostSeries {
    /// The number of the series.
    pub id: i64,
    /// One line.
    #[schema(example = "Forty mornings at the harbour")]
    pub title: String,
    /// The path of its page, the same at both doors.
    #[schema(example = "/series/1")]
    pub path: String,
}

impl PostSeries {
    pub(super) fn new(id: i64, title: String) -> PostSeries {
        PostSeries { id, title, path: path(id) }
    }
}

/// The path of the series with this id, the same at both doors.
pub fn path(id: i64) -> String {
    format!("/series/{id}")
}

/// A title in one line; it may be empty.
///
/// # Errors
/// `Invalid`, about `field`, when it is too long, or invisible.
pub(super) fn parse(field: &'static str, text: &str) -> Result<String> {
    let title = visible::parse_line(field, text)?;
    match title.chars().count() {
        n if n > MAX_LENGTH => {
            let error = FieldError::new(field, Rule::TooLong);
            Err(error.with("max", MAX_LENGTH).with("actual", n).into())
        }
        _ => Ok(title),
    }
}

/// The form in which titles are compared: composed, in lower case.
pub(super) fn key(title: &str) -> String {
    // What is lower case may be composed differently.
    title.nfc().flat_map(char::to_lowercase).nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_one_line_of_a_hundred_characters() {
        assert_eq!(parse("series", " On  the\ntide ").unwrap(), "On the tide");
        assert_eq!(parse("series", "\r\n").unwrap(), "");
        assert!(parse("series", &"é".repeat(100)).is_ok());
        for bad in ["\u{200b}", "a\u{202e}b", "a\0b", &"x".repeat(101)] {
            assert!(parse("series", bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn titles_are_compared_whatever_their_case_and_composition() {
        assert_eq!(key("CAFE\u{301} Tales"), key("café tales"));
        assert_eq!(key("ÉCOLE"), "école");
        assert_ne!(key("Tales I"), key("Tales II"));
    }
}

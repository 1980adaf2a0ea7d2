//! The names of tags: how they are written, and how a post holds them.

use serde::Serialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::error::{Error, Result};
use crate::validation::{FieldError, Rule};

/// Most tags of a post, and most tags by which a list is filtered.
pub const MAX_TAGS: usize = 5;
/// Longest name, in characters, after it is normalised.
const MAX_LENGTH: usize = 40;
/// Longest text that is normalised, in characters.
const MAX_TYPED: usize = 100;
/// Most names in one field that are looked at: more are too many, even if they are all the same.
const MAX_NAMES: usize = 50;

/// The names of a post's tags, in the order of its author.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TagNames(pub Vec<String>);

/// From the database, where spaces separate them.
impl From<String> for TagNames {
    fn from(text: String) -> Self {
        TagNames(text.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect())
    }
}

/// The one spelling of a name: NFKC, in lower case, with hyphens for white space and underscores.
/// `None` unless it consists of letters and digits of any script and `-`, `+`, `.` and `#`.
pub fn normalise(text: &str) -> Option<String> {
    if text.chars().count() > MAX_TYPED {
        return None;
    }
    // What is lower case may be composed differently.
    let folded: String = text.nfkc().flat_map(char::to_lowercase).nfkc().collect();
    let folded = folded.trim().trim_start_matches('#');
    let words = folded.split(|c: char| c.is_whitespace() || c == '_' || c == '-');
    let name = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
    let is_mark = |c| canonical_combining_class(c) != 0;
    let is_permitted =
        |c: char| c.is_alphanumeric() || is_mark(c) || matches!(c, '-' | '+' | '.' | '#');
    let is_valid = name.chars().all(is_permitted)
        && name.chars().any(char::is_alphanumeric)
        && !name.starts_with(is_mark)
        && name.chars().count() <= MAX_LENGTH;
    is_valid.then_some(name)
}

/// The tags that somebody typed, separated by commas: each once.
///
/// # Errors
/// `Invalid`, about `field`: too many, or one that is not a name.
pub fn parse(field: &'static str, texts: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    let typed =
        texts.iter().flat_map(|text| text.split(',')).filter(|name| !name.trim().is_empty());
    for (number, text) in typed.enumerate() {
        if number == MAX_NAMES {
            return Err(too_many(field));
        }
        let name = normalise(text).ok_or_else(|| Error::invalid(field, Rule::Malformed))?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.len() > MAX_TAGS { Err(too_many(field)) } else { Ok(names) }
}

fn too_many(field: &'static str) -> Error {
    FieldError::new(field, Rule::TooMany).with("max", MAX_TAGS).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_one_spelling() {
        for (text, name) in [
            ("Rust", "rust"),
            (" #Sea  Side ", "sea-side"),
            ("sea_side", "sea-side"),
            ("--sea--side--", "sea-side"),
            ("Ｒｕｓｔ", "rust"),
            ("Cafe\u{301}", "café"),
            ("ÉCOLE", "école"),
            ("C++", "c++"),
            ("C#", "c#"),
            (".NET", ".net"),
            ("हिन्दी", "हिन्दी"),
            ("日本語", "日本語"),
        ] {
            assert_eq!(normalise(text).as_deref(), Some(name), "{text}");
            assert_eq!(normalise(name).as_deref(), Some(name), "{text}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        let long = "x".repeat(41);
        let expanding = "\u{fdfa}".repeat(100);
        for text in [
            "",
            "-",
            "..",
            "#",
            "a/b",
            "a?b",
            "a b\u{202e}",
            "\u{301}",
            "a\u{200b}b",
            "🌊",
            &long,
            &expanding,
        ] {
            assert_eq!(normalise(text), None, "{text:?}");
        }
        assert!(normalise(&"x".repeat(40)).is_some());
    }

    #[test]
    fn a_list_names_each_tag_once() {
        let parse = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            parse("tags", &texts).map_err(|e| e.to_string())
        };
        assert_eq!(parse(&["Rust, sea ,,rust", "", "SEA"]), Ok(vec!["rust".into(), "sea".into()]));
        assert_eq!(parse(&[]), Ok(vec![]));
        assert!(parse(&["a,b,c,d,e"]).is_ok());
        assert!(parse(&["a,b,c,d,e,f"]).is_err());
        assert!(parse(&["a/b"]).is_err());
        assert!(parse(&[&"a,".repeat(100_000)]).is_err());
    }
}

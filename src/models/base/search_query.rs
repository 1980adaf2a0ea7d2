//! What people type into the search: words, "phrases", -not, `tag:`, `author:`, `before:`, `after:`.
//! What makes no sense is left out, and noted.

use std::iter::Peekable;
use std::str::Chars;

use chrono::NaiveDate;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::models::base::words::words;
use crate::validation::{FieldError, Rule};

/// Longest query, in characters.
pub const MAX_QUERY_LENGTH: usize = 300;
/// Most words, phrases and filters of a query.
pub const MAX_TERMS: usize = 16;

/// A query, as it was understood.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// What was typed.
    pub text: String,
    /// Each must occur: words that follow each other.
    pub wanted: Vec<Vec<String>>,
    /// None may occur.
    pub unwanted: Vec<Vec<String>>,
    pub tags: Vec<NameFilter>,
    pub authors: Vec<NameFilter>,
    /// From the beginning of this day on, in UTC.
    pub after: Option<NaiveDate>,
    /// Until the beginning of this day.
    pub before: Option<NaiveDate>,
    pub notes: Vec<SearchNote>,
}

/// A name that is wanted, or unwanted.
#[derive(Debug, PartialEq, Eq)]
pub struct NameFilter {
    pub name: String,
    pub is_wanted: bool,
}

/// What a person should know about the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SearchNote {
    /// What is noted.
    pub code: NoteCode,
    /// The part of the query that it is about.
    #[schema(example = "tag:nothing")]
    pub part: String,
}

/// Why a part of a query has another effect than it seems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteCode {
    /// A quotation mark has no counterpart: the phrase goes on to the end.
    UnclosedQuote,
    /// There is nothing to look for in it, so it was left out.
    NothingToFind,
    /// There is no such user, so nothing is found.
    UnknownAuthor,
    /// There is no such tag, so nothing is found.
    UnknownTag,
    /// It has no meaning for what is searched, so it was left out.
    NotApplicable,
}

impl SearchQuery {
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
            && self.unwanted.is_empty()
            && self.tags.is_empty()
            && self.authors.is_empty()
            && self.after.is_none()
            && self.before.is_none()
    }

    pub fn note(&mut self, code: NoteCode, part: &str) {
        self.notes.push(SearchNote { code, part: part.to_owned() });
    }

    fn terms(&self) -> usize {
        let words = self.wanted.iter().chain(&self.unwanted).map(Vec::len).sum::<usize>();
        words + self.tags.len() + self.authors.len()
    }

    /// # Errors
    /// `Invalid`, about `q`: when it is too long, has too many terms, or a date that is none.
    pub fn parse(text: &str) -> Result<SearchQuery> {
        let length = text.chars().count();
        if length > MAX_QUERY_LENGTH {
            let error = FieldError::new("q", Rule::TooLong).with("max", MAX_QUERY_LENGTH);
            return Err(error.with("actual", length).into());
        }
        let mut query = SearchQuery { text: text.to_owned(), ..SearchQuery::default() };
        let mut rest = text.chars().peekable();
        while let Some(part) = Part::read(&mut rest) {
            query.add(&part)?;
        }
        match query.terms() > MAX_TERMS {
            true => Err(FieldError::new("q", Rule::TooComplex).with("max", MAX_TERMS).into()),
            false => Ok(query),
        }
    }

    fn add(&mut self, part: &Part) -> Result<()> {
        if part.is_unclosed {
            self.note(NoteCode::UnclosedQuote, &part.whole);
        }
        let name = || NameFilter { name: part.text.clone(), is_wanted: !part.is_negative };
        match part.key {
            Some(_) if part.text.is_empty() => self.note(NoteCode::NothingToFind, &part.whole),
            Some(Key::Tag) => self.tags.push(name()),
            Some(Key::Author) => self.authors.push(name()),
            // The later beginning and the earlier end: each filter must hold.
            Some(key) => {
                let day = parse_day(&part.text)?;
                if (key == Key::After) == part.is_negative {
                    self.before = Some(self.before.map_or(day, |known| known.min(day)));
                } else {
                    self.after = Some(self.after.map_or(day, |known| known.max(day)));
                }
            }
            None => {
                let words: Vec<String> = words(&part.text).map(|word| word.text).collect();
                match (words.is_empty(), part.is_negative) {
                    (true, _) => self.note(NoteCode::NothingToFind, &part.whole),
                    (_, true) => self.unwanted.push(words),
                    (_, false) => self.wanted.push(words),
                }
            }
        }
        Ok(())
    }
}

fn parse_day(text: &str) -> Result<NaiveDate> {
    // chrono would read years of any length.
    let is_plain = text.len() == 10 && text.is_ascii();
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(|_| is_plain);
    day.ok_or_else(|| Error::invalid("q", Rule::Malformed))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Tag,
    Author,
    Before,
    After,
}

/// What stands between spaces, or between quotation marks.
#[derive(Default)]
struct Part {
    whole: String,
    is_negative: bool,
    key: Option<Key>,
    text: String,
    is_unclosed: bool,
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„')
}

impl Part {
    fn read(rest: &mut Peekable<Chars<'_>>) -> Option<Part> {
        while rest.next_if(|c| c.is_whitespace() || c.is_control()).is_some() {}
        rest.peek()?;
        let mut part = Part::default();
        if let Some(minus) = rest.next_if(|c| matches!(c, '-' | '−')) {
            part.whole.push(minus);
            part.is_negative = true;
        }
        while let Some(c) = rest.next_if(|c| !c.is_whitespace()) {
            part.whole.push(c);
            if is_quote(c) && part.text.is_empty() {
                part.read_phrase(rest);
                break;
            }
            part.text.push(c);
            if c == ':' && part.key.is_none() {
                part.key = key(&part.text);
                if part.key.is_some() {
                    part.text.clear();
                }
            }
        }
        Some(part)
    }

    fn read_phrase(&mut self, rest: &mut Peekable<Chars<'_>>) {
        for c in rest {
            self.whole.push(c);
            if is_quote(c) {
                return;
            }
            self.text.push(c);
        }
        self.is_unclosed = true;
    }
}

fn key(text: &str) -> Option<Key> {
    Some(match text.to_ascii_lowercase().as_str() {
        "tag:" => Key::Tag,
        "author:" => Key::Author,
        "before:" => Key::Before,
        "after:" => Key::After,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The terms as they would be typed, in the order of their kinds, and the codes of the notes.
    fn read(text: &str) -> (String, Vec<NoteCode>) {
        let query = SearchQuery::parse(text).unwrap();
        let mut terms: Vec<String> = query.wanted.iter().map(|words| words.join("+")).collect();
        terms.extend(query.unwanted.iter().map(|words| format!("-{}", words.join("+"))));
        for (key, filters) in [("tag", &query.tags), ("author", &query.authors)] {
            for NameFilter { name, is_wanted } in filters {
                terms.push(format!("{}{key}:{name}", if *is_wanted { "" } else { "-" }));
            }
        }
        terms.extend(query.after.map(|day| format!("after:{day}")));
        terms.extend(query.before.map(|day| format!("before:{day}")));
        (terms.join(" "), query.notes.iter().map(|note| note.code).collect())
    }

    #[test]
    fn a_query_has_words_phrases_and_filters() {
        for (text, expected) in [
            ("Crème  tides", "creme tides"),
            ("\"Spring tides\" -moon -\"full moon\"", "spring+tides -moon -full+moon"),
            ("“smart quotes” „auch so“", "smart+quotes auch+so"),
            ("e-mail don't", "e+mail don+t"),
            ("tag:sea AUTHOR:Ann -tag:x", "tag:sea -tag:x author:Ann"),
            ("author:\"Ann\"tide", "tide author:Ann"),
            (
                "after:2026-01-01 before:2026-02-01 after:2026-01-05",
                "after:2026-01-05 before:2026-02-01",
            ),
            ("-after:2026-01-01", "before:2026-01-01"),
            ("http://x.example time:now", "http+x+example time+now"),
            ("世界", "世+界"),
            ("a\0b", "a+b"),
        ] {
            assert_eq!(read(text), (expected.to_owned(), vec![]), "{text}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_noted() {
        use NoteCode::{NothingToFind, UnclosedQuote};
        for (text, expected, notes) in [
            ("", "", vec![]),
            (" \0\t", "", vec![]),
            ("\"spring tides", "spring+tides", vec![UnclosedQuote]),
            ("\"\"\"", "", vec![NothingToFind, UnclosedQuote, NothingToFind]),
            ("- tide", "tide", vec![NothingToFind]),
            ("--tide", "-tide", vec![]),
            ("tag: author:\"\" :-)", "", vec![NothingToFind, NothingToFind, NothingToFind]),
            ("😀 & |", "", vec![NothingToFind; 3]),
        ] {
            assert_eq!(read(text), (expected.to_owned(), notes), "{text}");
        }
    }

    #[test]
    fn a_query_is_bounded() {
        let rule = |text: &str| match SearchQuery::parse(text) {
            Err(Error::Invalid(errors)) => format!("{errors:?}"),
            other => panic!("{text}: {other:?}"),
        };
        assert!(rule(&"x".repeat(301)).contains("TooLong"));
        assert!(rule(&"x ".repeat(17)).contains("TooComplex"));
        assert!(rule(&"x-".repeat(17)).contains("TooComplex"));
        for day in ["yesterday", "2026-02-30", "12026-01-01", "2026-1-1", "²026-01-01"] {
            assert!(rule(&format!("before:{day}")).contains("Malformed"), "{day}");
        }
        assert!(SearchQuery::parse(&"x ".repeat(16)).is_ok());
    }
}

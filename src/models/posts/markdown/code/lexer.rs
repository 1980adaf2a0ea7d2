//! Divides code into comments, strings, words and numbers, by the table of its language. It goes through
//! the code once and never back, so the work is proportional to its length.

use super::grammar::{Language, Quote};
use super::{Class, Token};

/// The parts of the code, in order; together, they are the code.
pub fn tokens<'c>(language: &Language, code: &'c str) -> Vec<Token<'c>> {
    let mut parts = Parts { code, plain: 0, tokens: Vec::new() };
    let mut at = 0;
    let mut before = None;
    while let Some(c) = code[at..].chars().next() {
        let (class, end) = token(language, code, at, c, before);
        if let Some(class) = class {
            parts.add(class, at, end);
        }
        before = code[at..end].chars().next_back();
        at = end;
    }
    parts.rest();
    parts.tokens
}

/// The parts that were found, and where the code begins that belongs to none of them yet.
pub(super) struct Parts<'c> {
    pub code: &'c str,
    pub plain: usize,
    pub tokens: Vec<Token<'c>>,
}

impl Parts<'_> {
    pub fn add(&mut self, class: Class, start: usize, end: usize) {
        if self.plain < start {
            self.tokens.push((None, &self.code[self.plain..start]));
        }
        self.tokens.push((Some(class), &self.code[start..end]));
        self.plain = end;
    }

    pub fn rest(&mut self) {
        if self.plain < self.code.len() {
            self.tokens.push((None, &self.code[self.plain..]));
        }
    }
}

/// What begins at this character `c`, and where it ends.
fn token(
    language: &Language,
    code: &str,
    at: usize,
    c: char,
    before: Option<char>,
) -> (Option<Class>, usize) {
    let rest = &code[at..];
    if let Some(length) = comment(language, rest, before) {
        return (Some(Class::Comment), at + length);
    }
    for quote in language.quotes {
        if let Some(length) = text(quote, rest, before) {
            let end = at + length;
            let is_key = language.keys.follow(&code[end..]) && !quote.spans_lines;
            return (Some(if is_key { Class::Name } else { Class::Text }), end);
        }
    }
    let continues = before.is_some_and(|before| before.is_alphanumeric() || before == '_');
    if c.is_ascii_digit() && !continues {
        return (Some(Class::Number), at + number(rest));
    }
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || language.in_words.contains(c);
    // `@decorator`, `$variable`, `#[attribute`
    if let Some(sign) = language.signs.iter().find(|sign| rest.starts_with(**sign)) {
        let word = &rest[sign.len()..];
        let length = word.find(|c| !is_word(c)).unwrap_or(word.len());
        return (Some(Class::Name).filter(|_| length > 0), at + sign.len() + length);
    }
    if c.is_alphabetic() || c == '_' || (c == '-' && language.in_words.contains('-') && !continues)
    {
        let end = at + rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        return (word(language, &code[at..end], &code[end..], before), end);
    }
    (None, at + c.len_utf8())
}

fn comment(language: &Language, rest: &str, before: Option<char>) -> Option<usize> {
    for (open, close) in language.block_comments {
        if let Some(inside) = rest.strip_prefix(open) {
            let length = inside.find(close).map_or(inside.len(), |end| end + close.len());
            return Some(open.len() + length);
        }
    }
    // `a#b` in a shell, `https://` in a configuration.
    let is_apart = before.is_none_or(char::is_whitespace) || !language.spaced_comments;
    let found = language.line_comments.iter().any(|sign| is_apart && rest.starts_with(sign));
    found.then(|| rest.find('\n').unwrap_or(rest.len()))
}

/// The length of a string that begins here.
fn text(quote: &Quote, rest: &str, before: Option<char>) -> Option<usize> {
    if !rest.starts_with(quote.open) {
        return None;
    }
    // A letter, and not a lifetime (`'a`) or an apostrophe within a word.
    if quote.is_letter && !is_letter(&rest[quote.open.len()..]) {
        return None;
    }
    if quote.starts_word && before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let mut end = quote.open.len();
    let mut characters = rest[end..].char_indices();
    while let Some((place, c)) = characters.next() {
        let here = quote.open.len() + place;
        if rest[here..].starts_with(quote.close) {
            return Some(here + quote.close.len());
        }
        // Left open: it ends with the line, or goes on to the end.
        if c == '\n' && !quote.spans_lines {
            return Some(here);
        }
        end = here + c.len_utf8();
        if c == '\\'
            && quote.escapes
            && let Some((place, c)) = characters.next()
        {
            end = quote.open.len() + place + c.len_utf8();
        }
    }
    Some(end)
}

fn is_letter(inside: &str) -> bool {
    let mut characters = inside.chars();
    match characters.next() {
        Some('\\') => true,
        Some(_) => characters.next() == Some('\''),
        None => false,
    }
}

/// The length of a number with its suffix, in any base.
fn number(rest: &str) -> usize {
    let mut previous = ' ';
    let end = rest.find(|c: char| {
        let is_sign =
            matches!(c, '+' | '-') && matches!(previous, 'e' | 'E') && !rest.starts_with("0x");
        // `1..2` is a range, `1.max(2)` a call.
        let is_point = c == '.' && previous != '.';
        let belongs = c.is_ascii_alphanumeric() || c == '_' || is_sign || is_point;
        previous = c;
        !belongs
    });
    let number = &rest[..end.unwrap_or(rest.len())];
    let digits = |after: &str| after.starts_with(|c: char| c.is_ascii_digit());
    match number.split_once('.') {
        Some((whole, after)) if !digits(after) => whole.len(),
        _ => number.len(),
    }
}

fn word(language: &Language, word: &str, after: &str, before: Option<char>) -> Option<Class> {
    let lowered = language.ignores_case.then(|| word.to_ascii_lowercase());
    let known = lowered.as_deref().unwrap_or(word);
    let is_listed = |list: &[&str]| list.binary_search(&known).is_ok();
    if language.keys.follow(after) {
        return Some(Class::Name);
    }
    // `object.type` is no keyword.
    if before != Some('.') && is_listed(language.keywords) {
        return Some(Class::Keyword);
    }
    if is_listed(language.constants) {
        return Some(Class::Number);
    }
    let is_type = language.has_types && word.starts_with(char::is_uppercase);
    (is_type || is_listed(language.types)).then_some(Class::Type)
}

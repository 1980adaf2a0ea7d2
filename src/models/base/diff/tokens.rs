//! The words of a text, for comparing.

use unicode_normalization::char::canonical_combining_class;

use crate::models::base::words::is_unspaced;

/// The words of some lines, and the single characters between them.
pub fn tokens_of<'t>(lines: &[&'t str]) -> Vec<&'t str> {
    let mut tokens = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            tokens.push("\n");
        }
        split(line, |before, c| !(is_word(before) && is_word(c)), &mut tokens);
    }
    tokens
}

/// The words of a text, each with the spaces and signs that follow it: what stands side by side touches.
pub fn words_of(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    split(text, |before, c| is_unspaced(c) || is_word(c) && !is_word(before), &mut words);
    words
}

fn split<'t>(text: &'t str, begins: impl Fn(char, char) -> bool, tokens: &mut Vec<&'t str>) {
    let mut start = 0;
    let mut before = None;
    for (at, c) in text.char_indices() {
        if before.is_some_and(|before| !continues(before, c) && begins(before, c)) {
            tokens.push(&text[start..at]);
            start = at;
        }
        before = Some(c);
    }
    if start < text.len() {
        tokens.push(&text[start..]);
    }
}

/// A character of a script without spaces is a word of its own.
fn is_word(c: char) -> bool {
    (c.is_alphanumeric() || canonical_combining_class(c) != 0) && !is_unspaced(c)
}

/// What is drawn with the character before it: accents, variants, parts of an emoji.
fn continues(before: char, c: char) -> bool {
    let joins = |c| matches!(c, '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}');
    canonical_combining_class(c) != 0 || joins(c) || before == '\u{200d}'
}

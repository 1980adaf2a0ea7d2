//! How long a text takes to read.

use pulldown_cmark::{Event, Tag, TagEnd};

/// How many words somebody reads in a minute: the lower end of what studies find for texts on screens.
const WORDS: usize = 220;
/// How many characters of Chinese and Japanese, which put no spaces between words.
const CHARACTERS: usize = 500;

/// Minutes, at least one.
pub fn minutes(events: &[Event<'_>]) -> i64 {
    let mut count = Count::default();
    for event in events {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                count.add(text);
            }
            // A word goes on there.
            Event::Start(Tag::Emphasis | Tag::Strong | Tag::Strikethrough)
            | Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) => {}
            _ => count.is_word = false,
        }
    }
    count.minutes()
}

#[derive(Default)]
struct Count {
    words: usize,
    characters: usize,
    is_word: bool,
}

impl Count {
    fn add(&mut self, text: &str) {
        for c in text.chars() {
            if is_character(c) {
                self.characters += 1;
                self.is_word = false;
            } else if c.is_whitespace() {
                self.is_word = false;
            } else if c.is_alphanumeric() && !self.is_word {
                self.words += 1;
                self.is_word = true;
            }
        }
    }

    /// To the nearest minute.
    fn minutes(&self) -> i64 {
        let minute = WORDS * CHARACTERS;
        let minutes = (self.words * CHARACTERS + self.characters * WORDS + minute / 2) / minute;
        i64::try_from(minutes).unwrap_or(i64::MAX).max(1)
    }
}

/// Han, Hiragana and Katakana.
fn is_character(c: char) -> bool {
    matches!(
        c,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
            | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}'
    )
}

//! The words of a text as the search compares them: folded, separated and reduced to their stems here,
//! so that both engines find the same.

use std::borrow::Cow;

use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

/// To be increased whenever words are made in another way: what was indexed before is then indexed anew.
const VERSION: u32 = 1;

/// Longest word, in characters: the rest is cut off.
const MAX_WORD_LENGTH: usize = 64;

/// A word, and where it stands in the text, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub text: String,
    pub start: usize,
    pub end: usize,
}

/// The words of a text, without regard to case, diacritics and compatibility variants. Each character
/// of a script that has no spaces between words is a word of its own.
pub fn words(text: &str) -> impl Iterator<Item = Word> {
    Words { text, at: 0, ready: Vec::new() }
}

struct Words<'t> {
    text: &'t str,
    at: usize,
    /// Words that are complete, the last one first.
    ready: Vec<Word>,
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        if self.ready.is_empty() {
            self.read();
        }
        self.ready.pop()
    }
}

/// Words that are being read.
#[derive(Default)]
struct Reading {
    done: Vec<Word>,
    current: Option<Word>,
    length: usize,
    /// Whether the current word is a single character.
    is_single: bool,
}

impl Words<'_> {
    /// Reads on to the end of a run of words without anything between them.
    fn read(&mut self) {
        let mut reading = Reading::default();
        let rest = &self.text[self.at..];
        let mut end = self.text.len();
        for (i, c) in rest.char_indices() {
            let start = self.at + i;
            if c.is_ascii() {
                if c.is_ascii_alphanumeric() {
                    reading.add(c.to_ascii_lowercase(), start, start + 1);
                } else if !reading.is_empty() {
                    end = start + 1;
                    break;
                }
            } else if !reading.add_folded(c, start) && !reading.is_empty() {
                end = start + c.len_utf8();
                break;
            }
        }
        self.at = end;
        let Reading { mut done, current, .. } = reading;
        done.extend(current);
        done.reverse();
        self.ready = done;
    }
}

impl Reading {
    fn is_empty(&self) -> bool {
        self.current.is_none() && self.done.is_empty()
    }

    /// Returns whether the character belongs to a word.
    fn add_folded(&mut self, c: char, start: usize) -> bool {
        let end = start + c.len_utf8();
        if is_invisible(c) {
            return true;
        }
        let (mut belongs, mut is_mark) = (false, true);
        for folded in fold(c) {
            is_mark = false;
            let continues = is_combining_mark(folded) && self.current.is_some();
            if folded.is_alphanumeric() || continues {
                self.add(folded, start, end);
                belongs = true;
            } else {
                // Also within a character: "½" is 1, a slash and 2.
                self.finish();
            }
        }
        if is_mark && let Some(word) = &mut self.current {
            word.end = end;
        }
        belongs || is_mark
    }

    fn add(&mut self, c: char, start: usize, end: usize) {
        let is_mark = is_combining_mark(c);
        let is_single = is_unspaced(c);
        if !is_mark && (is_single || self.is_single) {
            self.finish();
        }
        self.is_single = is_single || (is_mark && self.is_single);
        let word = self.current.get_or_insert_with(|| Word { text: String::new(), start, end });
        self.length += 1;
        if self.length <= MAX_WORD_LENGTH {
            word.text.push(c);
        }
        word.end = end;
    }

    fn finish(&mut self) {
        self.done.extend(self.current.take());
        self.length = 0;
    }
}

/// As `search::fold` does: each character by itself.
fn fold(c: char) -> impl Iterator<Item = char> {
    let is_base = |c: &char| canonical_combining_class(*c) == 0;
    std::iter::once(c)
        .nfkd()
        .filter(is_base)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .nfkd()
        .filter(is_base)
}

/// What stands within words without being seen: soft hyphens, joiners, marks of direction.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}' | '\u{feff}')
}

/// Scripts without spaces between words: Thai, Lao, Myanmar, Khmer, Kana, Han.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(
        c,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}'
            | '\u{4e00}'..='\u{9fff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}

/// How words are reduced to their stems, in a language.
pub struct Stemming {
    language: &'static str,
    stemmer: Option<Stemmer>,
}

impl Stemming {
    /// For a BCP 47 tag. In a language without a stemmer, each word is its own stem.
    pub fn of(tag: &str) -> Stemming {
        let primary = tag.split('-').next().unwrap_or_default();
        let known = match primary.to_ascii_lowercase().as_str() {
            "ar" => Some(("arabic", Algorithm::Arabic)),
            "da" => Some(("danish", Algorithm::Danish)),
            "nl" => Some(("dutch", Algorithm::Dutch)),
            "en" => Some(("english", Algorithm::English)),
            "fi" => Some(("finnish", Algorithm::Finnish)),
            "fr" => Some(("french", Algorithm::French)),
            "de" => Some(("german", Algorithm::German)),
            "el" => Some(("greek", Algorithm::Greek)),
            "hu" => Some(("hungarian", Algorithm::Hungarian)),
            "it" => Some(("italian", Algorithm::Italian)),
            "nb" | "nn" | "no" => Some(("norwegian", Algorithm::Norwegian)),
            "pt" => Some(("portuguese", Algorithm::Portuguese)),
            "ro" => Some(("romanian", Algorithm::Romanian)),
            "ru" => Some(("russian", Algorithm::Russian)),
            "es" => Some(("spanish", Algorithm::Spanish)),
            "sv" => Some(("swedish", Algorithm::Swedish)),
            "ta" => Some(("tamil", Algorithm::Tamil)),
            "tr" => Some(("turkish", Algorithm::Turkish)),
            _ => None,
        };
        match known {
            Some((language, algorithm)) => {
                Stemming { language, stemmer: Some(Stemmer::create(algorithm)) }
            }
            None => Stemming { language: "simple", stemmer: None },
        }
    }

    /// What is stored beside words: those with another name were made in another way.
    pub fn name(&self) -> String {
        format!("{}-{VERSION}", self.language)
    }

    pub fn stem<'w>(&self, word: &'w str) -> Cow<'w, str> {
        let stem = self.stemmer.as_ref().map(|stemmer| stemmer.stem(word));
        stem.filter(|stem| !stem.is_empty()).unwrap_or(Cow::Borrowed(word))
    }

    /// Whether this may be the stem of a word: to make the stem is much more expensive than to ask.
    pub fn may_give(&self, word: &str, stem: &str) -> bool {
        match self.language {
            "simple" => word == stem,
            // These stemmers remove prefixes, too.
            "arabic" | "tamil" => true,
            _ => word.chars().next() == stem.chars().next(),
        }
    }

    /// The stems of a text, separated by spaces, up to a size in bytes.
    pub fn stems(&self, text: &str, max: usize) -> String {
        let mut stems = String::new();
        for word in words(text) {
            let stem = self.stem(&word.text);
            if stems.len() + stem.len() + 1 > max {
                break;
            }
            if !stems.is_empty() {
                stems.push(' ');
            }
            stems.push_str(&stem);
        }
        stems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::base::search;

    fn texts(text: &str) -> Vec<String> {
        words(text).map(|word| word.text).collect()
    }

    #[test]
    fn words_are_letters_and_digits_without_case_and_diacritics() {
        for (text, expected) in [
            ("Crème BRÛLÉE, 2nd e-mail!", vec!["creme", "brulee", "2nd", "e", "mail"]),
            ("Straße ΟΔΥΣΣΕΎΣ Ὀδυσσεύς", vec!["strasse", "οδυσσευσ", "οδυσσευσ"]),
            ("don’t ﬁne½ x² Ａｎｎ", vec!["don", "t", "fine1", "2", "x2", "ann"]),
            ("Cre\u{300}me hy\u{ad}phen", vec!["creme", "hyphen"]),
            ("世界 ありがとう ok世", vec!["世", "界", "あ", "り", "か", "と", "う", "ok", "世"]),
            ("हिन्दी ไทย", vec!["हिन्दी", "ไ", "ท", "ย"]),
            ("\0\u{301} — %_\\\" '🌊", vec![]),
        ] {
            assert_eq!(
                texts(text),
                expected.iter().map(|w| search::fold(w)).collect::<Vec<_>>(),
                "{text}"
            );
        }
        assert_eq!(texts(&"x".repeat(100)), ["x".repeat(64)]);
    }

    #[test]
    fn words_know_where_they_stand() {
        let text = "“Crème” ist Straße½ 世界 cre\u{300}";
        let found: Vec<&str> = words(text).map(|word| &text[word.start..word.end]).collect();
        assert_eq!(found, ["Crème", "ist", "Straße½", "½", "世", "界", "cre\u{300}"]);
    }

    #[test]
    fn what_is_folded_before_has_the_same_words() {
        for text in ["Crème ﬃ ß İ ǰ ŉ ΐ", "कि का x½y", "한국어 ひらがな", "ﷺ ĳ ㎏ Ⅷ"]
        {
            assert_eq!(texts(&search::fold(text)), texts(text), "{text}");
        }
    }

    #[test]
    fn a_language_has_a_stemmer_or_none() {
        let stem = |tag: &str, word: &'static str| Stemming::of(tag).stem(word).into_owned();
        assert_eq!(stem("en-GB", "running"), "run");
        assert_eq!(stem("de", "haeuser"), stem("de", "haeusern"));
        assert_eq!(stem("la", "running"), "running");
        assert_eq!(
            (Stemming::of("EN").name(), Stemming::of("").name()),
            ("english-1".to_owned(), "simple-1".to_owned())
        );
        assert_eq!(Stemming::of("en").stems("Tides and Running", 8), "tide and");
    }

    proptest::proptest! {
        #[test]
        fn a_word_may_give_its_stem(typed in "[a-z]{1,12}|[α-ω]{1,12}|[а-я]{1,12}|[ا-ي]{1,9}|[அ-ஹா-்]{1,9}|\\PC{1,9}") {
            for tag in ["ar", "da", "nl", "en", "fi", "fr", "de", "el", "hu", "it", "nb", "pt", "ro",
                        "ru", "es", "sv", "ta", "tr", "la"] {
                let stemming = Stemming::of(tag);
                for word in words(&typed) {
                    let stem = stemming.stem(&word.text);
                    proptest::prop_assert!(stemming.may_give(&word.text, &stem), "{tag}: {} {stem}", word.text);
                }
            }
        }
    }
}

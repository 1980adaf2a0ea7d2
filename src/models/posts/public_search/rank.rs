//! How relevant a match is. Points depend on the text and the query alone, so that both engines give
//! the same, and a page that is read later continues the one before.

use memchr::memmem::Finder;

use crate::models::base::search_query::SearchQuery;
use crate::models::base::words::Stemming;

/// What is searched for, as sequences of stems.
pub struct Terms {
    pub wanted: Vec<Vec<String>>,
    pub unwanted: Vec<Vec<String>>,
}

/// A match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    pub id: i64,
    pub score: i64,
}

impl Ranked {
    /// What matches are ordered by, descending: among equals, the newest is first.
    pub fn key(&self) -> (i64, i64) {
        (self.score, self.id)
    }
}

impl Terms {
    pub fn new(query: &SearchQuery, stemming: &Stemming) -> Terms {
        let stems = |terms: &[Vec<String>]| -> Vec<Vec<String>> {
            let stem = |word: &String| stemming.stem(word).into_owned();
            terms.iter().map(|words| words.iter().map(stem).collect()).collect()
        };
        Terms { wanted: stems(&query.wanted), unwanted: stems(&query.unwanted) }
    }
}

/// The points of a term in the title, the tags and the author's name.
const FIELDS: [i64; 3] = [100, 60, 40];
/// The points of a term in the text, and of each doubling of how often it occurs there, up to 32 times.
const TEXT: i64 = 10;
const MAX_DOUBLINGS: u32 = 5;
/// A phrase counts as much as so many of its words by themselves.
const PHRASE: i64 = 2;

/// Finds the terms in texts: prepared once for all of them.
pub struct Finders {
    /// And whether it is a phrase.
    wanted: Vec<(Finder<'static>, bool)>,
    unwanted: Vec<Finder<'static>>,
}

impl Finders {
    pub fn new(terms: &Terms) -> Finders {
        // A space around each word.
        let finder =
            |term: &Vec<String>| Finder::new(&format!(" {} ", term.join(" "))).into_owned();
        Finders {
            wanted: terms.wanted.iter().map(|term| (finder(term), term.len() > 1)).collect(),
            unwanted: terms.unwanted.iter().map(finder).collect(),
        }
    }
}

/// Compares the words of a text, as `word_index` stores them, with the query; `None` if they do not
/// match.
pub fn text(finders: &Finders, id: i64, words: &str) -> Option<Ranked> {
    // Behind the names for filters. A space at both ends of each line, as around each word.
    let lines: Vec<String> = words.lines().skip(1).map(|line| format!(" {line} ")).collect();
    let occurs = |term: &Finder<'_>| lines.iter().any(|line| term.find(line.as_bytes()).is_some());
    if finders.unwanted.iter().any(occurs) {
        return None;
    }
    let mut score = 0;
    for (term, is_phrase) in &finders.wanted {
        let mut points = 0;
        for (n, line) in lines.iter().enumerate() {
            let times = term.find_iter(line.as_bytes()).count();
            points += match (times.checked_ilog2(), FIELDS.get(n)) {
                (None, _) => 0,
                (Some(_), Some(points)) => *points,
                (Some(doublings), None) => TEXT * i64::from(1 + doublings.min(MAX_DOUBLINGS)),
            };
        }
        if points == 0 {
            return None;
        }
        score += if *is_phrase { PHRASE * points } else { points };
    }
    Some(Ranked { id, score })
}

/// Compares a folded name with the query: each word is a part of it. Names that begin with the first
/// word are first.
pub fn person(terms: &Terms, id: i64, name: &str) -> Option<Ranked> {
    let contains = |term: &Vec<String>| term.iter().all(|word| name.contains(word.as_str()));
    if !terms.wanted.iter().all(contains) || terms.unwanted.iter().any(contains) {
        return None;
    }
    let first = terms.wanted.first().and_then(|term| term.first());
    let is_beginning = first.is_some_and(|word| name.starts_with(word.as_str()));
    Some(Ranked { id, score: i64::from(is_beginning) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(q: &str) -> Terms {
        Terms::new(&SearchQuery::parse(q).unwrap(), &Stemming::of("en"))
    }

    fn score(q: &str, words: &str) -> Option<i64> {
        text(&Finders::new(&terms(q)), 1, words).map(|ranked| ranked.score)
    }

    #[test]
    fn titles_count_more_than_texts_and_phrases_more_than_words() {
        let post = "＊ ＠1\non tide\nsea\nann\nthe sea come twice a day the sea the sea the sea";
        for (q, expected) in [
            ("tide", Some(100)),
            ("sea", Some(60 + 30)),
            ("ann", Some(40)),
            ("twice", Some(10)),
            ("\"a day\"", Some(20)),
            ("sea tides", Some(190)),
            ("sea moon", None),
            ("\"sea tide\"", None),
            ("\"ann the\"", None), // Not across fields.
            ("sea -tides", None),
            ("sea -\"twice a day\"", None),
            ("sea -\"day a\"", Some(90)),
            ("-moon", Some(0)),
            ("＠1", None),
        ] {
            assert_eq!(score(q, post), expected, "{q}");
        }
    }

    #[test]
    fn names_are_found_by_parts() {
        let rank = |q: &str, name| person(&terms(q), 1, name).map(|ranked| ranked.score);
        assert_eq!(rank("ann", "anna\n"), Some(1));
        assert_eq!(rank("nna", "anna\n"), Some(0));
        assert_eq!(rank("a nn -x", "anna\n"), Some(1));
        assert_eq!(rank("ann bob", "anna\n"), None);
        assert_eq!(rank("ann -na", "anna\n"), None);
    }
}

//! Excerpts of a text around what was searched for.

use serde::Serialize;

use crate::models::base::words::{Stemming, words};

/// A piece of a text, and whether it was searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TextPart {
    /// Plain text.
    #[schema(example = "The sea comes twice a day.")]
    pub text: String,
    /// Whether it was searched for.
    pub hit: bool,
}

/// About how long an excerpt is, in bytes.
const LENGTH: usize = 260;
/// How much of it stands before the first hit.
const LEAD: usize = 60;

/// Where hits begin and end in a text, and which term each is.
type Hit = (usize, usize, usize);

/// A whole text with its hits. Each term is a sequence of stems.
pub fn whole(text: &str, terms: &[Vec<String>], stemming: &Stemming) -> Vec<TextPart> {
    split(text, 0..text.len(), &hits(text, terms, stemming, false))
}

/// The part of a text that has the most of the terms, or its beginning.
pub fn excerpt(text: &str, terms: &[Vec<String>], stemming: &Stemming) -> Vec<TextPart> {
    let hits = hits(text, terms, stemming, true);
    let mut best = (0, 0);
    for (n, (start, ..)) in hits.iter().enumerate() {
        let near = hits[n..].iter().take_while(|(_, end, _)| *end <= start + LENGTH - LEAD);
        let mut found: Vec<usize> = near.map(|(.., term)| *term).collect();
        found.sort_unstable();
        found.dedup();
        if found.len() > best.0 {
            best = (found.len(), *start);
        }
    }
    // Of the beginning of the text, all is shown.
    let from = if best.1 <= LENGTH / 2 { 0 } else { word_before(text, best.1 - LEAD) };
    let from = from + text[from..].len() - text[from..].trim_start().len();
    let to = word_before(text, (from + LENGTH).min(text.len()));
    let to = if to <= from { boundary(text, from + LENGTH) } else { to };
    let mut parts = split(text, from..to, &hits);
    if from > 0 {
        parts.insert(0, TextPart { text: "… ".to_owned(), hit: false });
    }
    if to < text.trim_end().len() {
        parts.push(TextPart { text: " …".to_owned(), hit: false });
    }
    parts
}

/// The hits of all terms in a text, in its order. For an excerpt, no further than behind the first place
/// that has all of them: behind it, nothing is shown.
fn hits(text: &str, terms: &[Vec<String>], stemming: &Stemming, for_excerpt: bool) -> Vec<Hit> {
    let longest = terms.iter().map(Vec::len).max().unwrap_or_default();
    let mut hits = Vec::new();
    let mut enough = None;
    if terms.is_empty() {
        return hits;
    }
    // The latest words: stem, start, end.
    let mut recent: Vec<(String, usize, usize)> = Vec::new();
    for word in words(text) {
        if enough.is_some_and(|end| word.start > end) {
            break;
        }
        if recent.len() == longest.max(1) {
            recent.remove(0);
        }
        // A word that no term can have needs no stem.
        let is_candidate =
            terms.iter().flatten().any(|wanted| stemming.may_give(&word.text, wanted));
        let stem = is_candidate.then(|| stemming.stem(&word.text).into_owned());
        recent.push((stem.unwrap_or_default(), word.start, word.end));
        for (n, term) in terms.iter().enumerate() {
            let Some(first) = recent.len().checked_sub(term.len()) else { continue };
            let is_hit =
                recent[first..].iter().zip(term).all(|((stem, ..), wanted)| stem == wanted);
            if is_hit && !term.is_empty() {
                hits.push((recent[first].1, word.end, n));
            }
        }
        if for_excerpt && enough.is_none() && hits.last().is_some_and(|hit| hit.1 == word.end) {
            enough = place_of_all(&hits, word.end, terms.len()).map(|start| start + LENGTH);
        }
    }
    hits.sort_unstable();
    hits
}

/// Where the hits begin that fit into an excerpt which ends here, if they are of all terms.
fn place_of_all(hits: &[Hit], end: usize, terms: usize) -> Option<usize> {
    let near = hits.iter().rev().take_while(|(_, before, _)| before + LENGTH >= end);
    let near: Vec<&Hit> =
        near.filter(|(start, before, _)| *before <= end && start + LENGTH - LEAD >= end).collect();
    let mut found: Vec<usize> = near.iter().map(|hit| hit.2).collect();
    found.sort_unstable();
    found.dedup();
    (found.len() == terms).then(|| near.iter().map(|hit| hit.0).min()).flatten()
}

fn split(text: &str, range: std::ops::Range<usize>, hits: &[Hit]) -> Vec<TextPart> {
    let mut parts: Vec<TextPart> = Vec::new();
    let mut at = range.start;
    let mut push = |text: &str, hit| {
        if !text.is_empty() {
            parts.push(TextPart { text: text.to_owned(), hit });
        }
    };
    for (start, end, _) in hits {
        // A phrase can contain a word that was searched for, too.
        let (start, end) = ((*start).max(at), (*end).min(range.end));
        if start < end {
            push(&text[at..start], false);
            push(&text[start..end], true);
            at = end;
        }
    }
    if at < range.end {
        push(&text[at..range.end], false);
    }
    parts
}

/// The next place at or before this one at which a character begins.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}

/// The end of the last whole word before this place, or the place itself if there is none near.
fn word_before(text: &str, at: usize) -> usize {
    let at = boundary(text, at);
    if at == text.len() {
        return at;
    }
    let start = boundary(text, at.saturating_sub(LEAD / 2));
    text[start..at].rfind(' ').map_or(at, |space| start + space)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hits between brackets.
    fn show(parts: &[TextPart]) -> String {
        let show = |part: &TextPart| match part.hit {
            true => format!("[{}]", part.text),
            false => part.text.clone(),
        };
        parts.iter().map(show).collect()
    }

    fn terms(terms: &[&str], stemming: &Stemming) -> Vec<Vec<String>> {
        let stems =
            |term: &&str| words(term).map(|word| stemming.stem(&word.text).into_owned()).collect();
        terms.iter().map(stems).collect()
    }

    #[test]
    fn hits_are_found_in_the_original_text() {
        let english = Stemming::of("en");
        for (text, q, expected) in [
            ("Une Crème brûlée.", vec!["creme"], "Une [Crème] brûlée."),
            ("Tides of a tide-table", vec!["tide"], "[Tides] of a [tide]-table"),
            ("A spring tide, spring", vec!["spring tide"], "A [spring tide], spring"),
            ("A spring tide", vec!["spring tide", "tide"], "A [spring tide]"),
            ("世界へ", vec!["世界"], "[世界]へ"),
            ("nothing", vec!["x"], "nothing"),
            ("nothing", vec![], "nothing"),
        ] {
            assert_eq!(show(&whole(text, &terms(&q, &english), &english)), expected);
        }
    }

    #[test]
    fn an_excerpt_shows_the_place_with_the_most_terms() {
        let simple = Stemming::of("");
        let text =
            format!("A moon. {}A tide and a moon. {}", "Word é. ".repeat(90), "End. ".repeat(90));
        let shown = show(&excerpt(&text, &terms(&["moon", "tide"], &simple), &simple));
        assert!(shown.contains("A [tide] and a [moon]."), "{shown}");
        assert!(shown.starts_with("… ") && shown.ends_with(" …"), "{shown}");
        assert!(shown.len() < 320, "{shown}");
        let shown = show(&excerpt(&text, &terms(&["nowhere"], &simple), &simple));
        assert!(shown.starts_with("A moon.") && shown.ends_with(" …"), "{shown}");
        // The first place that has both; behind it, nothing is missing that is shown.
        let again = format!("{text} A moon and a tide.");
        let shown = show(&excerpt(&again, &terms(&["tide", "moon"], &simple), &simple));
        assert!(shown.contains("A [tide] and a [moon]. End."), "{shown}");
        let near = format!("A tide. {}A tide, a tide. {}", "Word. ".repeat(30), "End. ".repeat(90));
        let shown = show(&excerpt(&near, &terms(&["tide"], &simple), &simple));
        assert_eq!(shown.matches("[tide]").count(), 3, "{shown}");
        assert_eq!(show(&excerpt("", &[], &simple)), "");
        let unbroken = "é".repeat(1_000);
        assert!(show(&excerpt(&unbroken, &[], &simple)).len() < 300);
    }
}

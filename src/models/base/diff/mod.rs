//! What differs between two texts: lines, and words within them. Bounded in work and in size.

mod effort;
pub mod merge;
mod piece;
mod size;
mod tokens;

use serde::Serialize;

use self::effort::{Effort, Span};
pub use self::piece::{DiffLine, DiffPiece};
use self::size::Size;
use self::tokens::tokens_of;

/// Two texts, compared.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Diff {
    pub blocks: Vec<DiffBlock>,
    /// Whether it ends before the texts do.
    pub is_cut: bool,
}

/// Lines that belong together.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DiffBlock {
    /// Unchanged lines beside changed ones.
    Same { lines: Vec<DiffLine> },
    /// Unchanged lines farther away: without the lines themselves, if they are many.
    Folded { count: usize, lines: Vec<DiffLine> },
    /// What was removed, and what was added in its place.
    Changed { old: Vec<DiffLine>, new: Vec<DiffLine> },
}

/// Unchanged lines that are shown before and after changed ones.
const CONTEXT: usize = 2;
/// Unchanged characters in a row that are shown on either side of what is left out of a line.
const EDGE: usize = 240;
/// Changed lines that have less than one in so many bytes in common are not compared word by word: what is
/// the same is chance, then.
const LEAST_COMMON: usize = 4;

/// Compares two texts, line by line, and changed lines word by word. There are no blocks if all lines
/// are the same.
pub fn diff(old: &str, new: &str) -> Diff {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let (mut effort, mut size, mut diff) = (Effort::default(), Size::default(), Diff::default());
    let spans = effort.compare(&old, &new);
    if spans.iter().all(|span| span.is_same) {
        return diff;
    }
    for (place, span) in spans.iter().enumerate() {
        let (removed, added) = (&old[span.old.clone()], &new[span.new.clone()]);
        if span.is_same {
            let before = if place == 0 { 0 } else { CONTEXT.min(removed.len()) };
            let rest = removed.len() - before;
            let after = if place + 1 == spans.len() { 0 } else { CONTEXT.min(rest) };
            diff.blocks.extend(unchanged(removed, before, after, &mut size));
        } else {
            let (removed, added) = words(removed, added, &mut effort);
            let (old, new) = (size.fit(removed), size.fit(added));
            diff.blocks.push(DiffBlock::Changed { old, new });
        }
        if size.is_exceeded() {
            diff.is_cut = true;
            break;
        }
    }
    diff
}

/// Unchanged lines: those after a change and those before the next one, and what is between them.
fn unchanged(lines: &[&str], before: usize, after: usize, size: &mut Size) -> Vec<DiffBlock> {
    let end = lines.len() - after;
    // A fold takes as much room as a line.
    if end - before <= 1 {
        return vec![DiffBlock::Same { lines: size.fit(shortened(lines)) }];
    }
    let mut blocks = Vec::new();
    if before > 0 {
        blocks.push(DiffBlock::Same { lines: size.fit(shortened(&lines[..before])) });
    }
    let folded = shortened(&lines[before..end]);
    blocks.push(DiffBlock::Folded { count: folded.len(), lines: size.fold(folded) });
    if after > 0 {
        blocks.push(DiffBlock::Same { lines: size.fit(shortened(&lines[end..])) });
    }
    blocks
}

/// Unchanged lines, of which long ones lose their end.
fn shortened(lines: &[&str]) -> Vec<DiffLine> {
    let shorten = |line: &&str| match line.char_indices().nth(2 * EDGE) {
        None => vec![DiffPiece::same(line)],
        Some((end, _)) => vec![DiffPiece::same(&line[..end]), DiffPiece::skipped(&line[end..])],
    };
    lines.iter().map(shorten).collect()
}

/// The lines on both sides, with the words that differ.
fn words(old: &[&str], new: &[&str], effort: &mut Effort) -> (Vec<DiffLine>, Vec<DiffLine>) {
    let whole = |lines: &[&str]| -> Vec<DiffLine> {
        lines.iter().map(|line| vec![DiffPiece::changed(line)]).collect()
    };
    if old.is_empty() || new.is_empty() {
        return (whole(old), whole(new));
    }
    let (old_tokens, new_tokens) = (tokens_of(old), tokens_of(new));
    let mut spans = effort.compare(&old_tokens, &new_tokens);
    let length = |tokens: &[&str]| tokens.iter().map(|token| token.trim().len()).sum::<usize>();
    let same = spans.iter().filter(|span| span.is_same);
    let common: usize = same.map(|span| length(&old_tokens[span.old.clone()])).sum();
    if common * LEAST_COMMON < length(&old_tokens).max(length(&new_tokens)) {
        return (whole(old), whole(new));
    }
    let count = spans.len();
    for (place, span) in spans.iter_mut().enumerate() {
        let is_between = place > 0 && place + 1 < count;
        // Spaces between changed words belong to the change: it is read in one go.
        if is_between && length(&old_tokens[span.old.clone()]) == 0 {
            span.is_same = false;
        }
    }
    let removed = spans.iter().map(|span| (&old_tokens[span.old.clone()], span));
    let added = spans.iter().map(|span| (&new_tokens[span.new.clone()], span));
    (in_lines(removed), in_lines(added))
}

/// Puts tokens together to lines again.
fn in_lines<'t>(parts: impl Iterator<Item = (&'t [&'t str], &'t Span)>) -> Vec<DiffLine> {
    let mut lines = vec![DiffLine::new()];
    let mut push = |text: String, is_same: bool| {
        if text == "\n" {
            return lines.push(DiffLine::new());
        }
        let Some(line) = lines.last_mut() else { return };
        match line.last_mut() {
            Some(last) if last.changed != is_same => last.text.push_str(&text),
            _ => line.push(DiffPiece { changed: !is_same, ..DiffPiece::same(&text) }),
        }
    };
    for (tokens, span) in parts {
        for part in tokens.split_inclusive(|token| *token == "\n") {
            let (part, ends) = match part.split_last() {
                Some((&"\n", part)) => (part, true),
                _ => (part, false),
            };
            if !part.is_empty() {
                push(part.concat(), span.is_same);
            }
            if ends {
                push("\n".to_owned(), true);
            }
        }
    }
    lines.into_iter().map(|line| line.into_iter().flat_map(without_middle).collect()).collect()
}

/// A long unchanged part of a line, without what is far from the changes.
fn without_middle(piece: DiffPiece) -> Vec<DiffPiece> {
    let text = piece.text.as_str();
    let start = text.char_indices().nth(EDGE).map(|(at, _)| at);
    let end = text.char_indices().nth_back(EDGE).map(|(at, _)| at);
    match start.zip(end) {
        Some((start, end)) if !piece.changed && start + EDGE < end => vec![
            DiffPiece::same(&text[..start]),
            DiffPiece::skipped(&text[start..end]),
            DiffPiece::same(&text[end..]),
        ],
        _ => vec![piece],
    }
}

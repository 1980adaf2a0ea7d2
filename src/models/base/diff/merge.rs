//! Merging what two people made of one text (a three-way merge, as in diff3).

use std::collections::HashSet;
use std::ops::Range;

use super::effort::{Effort, Span};
use super::tokens::words_of;

/// What two people made of a text, as one.
#[derive(Debug, PartialEq, Eq)]
pub struct Merge {
    pub text: String,
    /// Places where both texts stand, between marks, because both people changed it.
    pub conflicts: usize,
}

/// The lines that frame both texts of a conflict.
const MARKS: [&str; 3] = ["<<<<<<< Your text", "=======", ">>>>>>> Current text"];
/// Words of one place that are merged; of more, both texts are shown.
const MAX_WORDS: usize = 4_000;

/// What becomes of a text in which marks are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marks {
    /// It is saved like any other: a text may be about such marks.
    Kept,
    Refused,
}

/// How many places of a merged text nobody has decided yet: it has marks there that `theirs`, one of the
/// texts of which it was made, does not have.
pub fn marks_left(text: &str, theirs: &str) -> usize {
    let count =
        |text: &str, mark: &str| text.lines().filter(|line| line.trim_end() == mark).count();
    let left = MARKS.iter().map(|mark| count(text, mark).saturating_sub(count(theirs, mark)));
    left.max().unwrap_or_default()
}

/// Merges two texts that were made of the same one. Lines that one side alone changed are taken from it;
/// in those that both changed, words are. Changes that touch are a conflict, and both texts stay.
pub fn merge(base: &str, mine: &str, theirs: &str) -> Merge {
    let ends = |text: &str| text.ends_with('\n') || text.is_empty();
    let end = if ends(mine) == ends(base) { ends(theirs) } else { ends(mine) };
    let [base, mine, theirs] = [base, mine, theirs]
        .map(|text| if ends(text) { text.to_owned() } else { format!("{text}\n") });
    let mut effort = Effort::default();
    let lines = [&base, &mine, &theirs].map(|text| text.split_inclusive('\n').collect::<Vec<_>>());
    let mut merge = Merge { text: String::new(), conflicts: 0 };
    for region in regions(&lines, &mut effort) {
        match region.resolve(&lines) {
            Some(text) => merge.text.push_str(&text),
            None => conflict(region.parts(&lines), &mut effort, &mut merge),
        }
    }
    if !end && merge.text.ends_with('\n') {
        merge.text.pop();
    }
    merge
}

/// Merges two texts of which nobody knows what they were made of: what only one of them has, stays.
pub fn merge_without_base(mine: &str, theirs: &str) -> Merge {
    let [mine_lines, theirs_lines] = [mine, theirs].map(|text| text.lines().collect::<Vec<_>>());
    let spans = Effort::default().compare(&mine_lines, &theirs_lines);
    let common = spans.iter().filter(|span| span.is_same);
    let base: Vec<&str> = common.flat_map(|span| &mine_lines[span.old.clone()]).copied().collect();
    merge(&base.join("\n"), mine, theirs)
}

/// A place where both have changed lines: what they have in common, and between its beginning and its end
/// what can be merged word by word, or both texts.
fn conflict(parts: [&[&str]; 3], effort: &mut Effort, merge: &mut Merge) {
    let [base, mine, theirs] = parts;
    let equal = |(a, b): &(&&str, &&str)| a == b;
    let start = mine.iter().zip(theirs).take_while(equal).count();
    let ends = mine[start..].iter().rev().zip(theirs[start..].iter().rev());
    let end = ends.take_while(equal).count();
    let [my_rest, their_rest] = [mine, theirs].map(|side| &side[start..side.len() - end]);
    let common = (&mine[..start], &mine[mine.len() - end..]);
    // Both have put the same in place of the old lines, or there were none, and one of them wrote on. Old
    // lines among those are not new: the other one may have deleted them.
    let old: HashSet<&str> = base.iter().copied().filter(|line| !line.trim().is_empty()).collect();
    let is_new = |line: &&&str| !line.trim().is_empty() && !old.contains(**line);
    let more = match (my_rest, their_rest) {
        (more, []) | ([], more) => Some(more),
        _ => None,
    };
    let more = more.filter(|more| {
        let agreed = old.is_empty() || common.0.iter().chain(common.1).any(|line| is_new(&line));
        agreed && !more.iter().any(|line| old.contains(line))
    });
    if let Some(more) = more {
        return merge.text.extend([common.0, more, common.1].map(<[&str]>::concat));
    }
    if let Some(text) = merged_words(parts.map(<[&str]>::concat), effort) {
        return merge.text.push_str(&text);
    }
    merge.text.push_str(&common.0.concat());
    for (mark, text) in MARKS.into_iter().zip([my_rest, their_rest, &[]]) {
        merge.text.push_str(mark);
        merge.text.push('\n');
        merge.text.push_str(&text.concat());
    }
    merge.text.push_str(&common.1.concat());
    merge.conflicts += 1;
}

/// Lines that both have changed, if they have changed other words of them.
fn merged_words(texts: [String; 3], effort: &mut Effort) -> Option<String> {
    let words = texts.each_ref().map(|text| words_of(text));
    if texts[0].is_empty() || words.iter().any(|words| words.len() > MAX_WORDS) {
        return None;
    }
    let regions = regions(&words, effort);
    let kept = regions.iter().filter(|region| region.is_same).map(|region| region.base.len());
    // Where little is left of the old text, its words stand together by chance.
    if kept.sum::<usize>() * 2 < words[0].len() {
        return None;
    }
    let merged: Option<Vec<String>> = regions.iter().map(|region| region.resolve(&words)).collect();
    Some(merged?.concat())
}

/// A part of the three sequences.
struct Region {
    /// Neither side changed it.
    is_same: bool,
    base: Range<usize>,
    mine: Range<usize>,
    theirs: Range<usize>,
}

impl Region {
    fn parts<'t, 's>(&self, [base, mine, theirs]: &'s [Vec<&'t str>; 3]) -> [&'s [&'t str]; 3] {
        [&base[self.base.clone()], &mine[self.mine.clone()], &theirs[self.theirs.clone()]]
    }

    /// The text of the side that changed it, unless both did.
    fn resolve(&self, sequences: &[Vec<&str>; 3]) -> Option<String> {
        let [base, mine, theirs] = self.parts(sequences);
        if mine == base || mine == theirs {
            return Some(theirs.concat());
        }
        (theirs == base).then(|| mine.concat())
    }
}

/// The three sequences in parts: what is unchanged, and what one or both sides changed. Changes of the two
/// sides that overlap or touch are one part.
fn regions([base, mine, theirs]: &[Vec<&str>; 3], effort: &mut Effort) -> Vec<Region> {
    let mut sides = [mine, theirs].map(|side| Side::new(effort.compare(base, side)));
    let mut regions = Vec::new();
    let mut at = 0;
    loop {
        let next = sides.iter().filter_map(Side::next_change).min();
        let start = next.unwrap_or(base.len());
        if start > at {
            let [mine, theirs] = sides.each_mut().map(|side| side.advance(start));
            regions.push(Region { is_same: true, base: at..start, mine, theirs });
        }
        if next.is_none() {
            return regions;
        }
        at = start;
        let starts = sides.each_ref().map(|side| side.at);
        loop {
            let ends = sides.each_mut().map(|side| side.take_change(at));
            let Some(end) = ends.into_iter().flatten().max() else { break };
            at = at.max(end);
        }
        let [mine, theirs] = sides.each_mut().map(|side| side.advance(at).end);
        let (mine, theirs) = (starts[0]..mine, starts[1]..theirs);
        regions.push(Region { is_same: false, base: start..at, mine, theirs });
    }
}

/// One side, read from its beginning to its end.
struct Side {
    changes: Vec<Span>,
    /// How many of them were read.
    read: usize,
    /// How far the old sequence was read, and this side.
    base_at: usize,
    at: usize,
}

impl Side {
    fn new(spans: Vec<Span>) -> Side {
        let changes = spans.into_iter().filter(|span| !span.is_same).collect();
        Side { changes, read: 0, base_at: 0, at: 0 }
    }

    /// Where in the old sequence the next change begins.
    fn next_change(&self) -> Option<usize> {
        self.changes.get(self.read).map(|span| span.old.start)
    }

    /// Reads the next change, if it begins here at the latest; returns where it ends in the old sequence.
    fn take_change(&mut self, here: usize) -> Option<usize> {
        let span = self.changes.get(self.read).filter(|span| span.old.start <= here)?;
        (self.base_at, self.at) = (span.old.end, span.new.end);
        self.read += 1;
        Some(self.base_at)
    }

    /// Reads what is unchanged up to a place in the old sequence.
    fn advance(&mut self, base_end: usize) -> Range<usize> {
        let start = self.at;
        self.at += base_end - self.base_at;
        self.base_at = base_end;
        start..self.at
    }
}

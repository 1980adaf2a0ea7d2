//! Comparing sequences within a bounded time.

use std::ops::Range;
use std::time::{Duration, Instant};

use similar::{Algorithm, DiffTag, capture_diff_slices_deadline};

/// Pairs of lines or words up to which a comparison takes a few milliseconds: its result never depends on
/// how busy the machine is.
const PAIRS: usize = 4_000_000;
/// How long everything beyond that may take together. What has not been compared by then counts as changed.
const LIMIT: Duration = Duration::from_millis(25);

/// What may still be spent.
pub struct Effort {
    pairs: usize,
    deadline: Option<Instant>,
}

/// A part of both sequences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub is_same: bool,
    pub old: Range<usize>,
    pub new: Range<usize>,
}

impl Default for Effort {
    fn default() -> Self {
        Effort { pairs: PAIRS, deadline: None }
    }
}

impl Effort {
    /// The parts of two sequences, in turn unchanged and changed.
    pub fn compare(&mut self, old: &[&str], new: &[&str]) -> Vec<Span> {
        let deadline = match self.pairs.checked_sub(pairs(old, new)) {
            Some(left) => {
                self.pairs = left;
                None
            }
            None => Some(*self.deadline.get_or_insert_with(|| Instant::now() + LIMIT)),
        };
        let mut spans: Vec<Span> = Vec::new();
        for operation in capture_diff_slices_deadline(Algorithm::Myers, old, new, deadline) {
            let is_same = operation.tag() == DiffTag::Equal;
            let (old, new) = (operation.old_range(), operation.new_range());
            match spans.last_mut() {
                Some(last) if last.is_same == is_same => {
                    (last.old.end, last.new.end) = (old.end, new.end);
                }
                _ => spans.push(Span { is_same, old, new }),
            }
        }
        spans
    }
}

/// How many pairs there are between the common beginning and the common end.
fn pairs(old: &[&str], new: &[&str]) -> usize {
    let equal = |(a, b): &(&&str, &&str)| a == b;
    let start = old.iter().zip(new).take_while(equal).count();
    let ends = old[start..].iter().rev().zip(new[start..].iter().rev());
    let end = ends.take_while(equal).count();
    (old.len() - start - end) * (new.len() - start - end)
}

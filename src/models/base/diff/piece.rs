//! The parts of a comparison.

use serde::Serialize;

/// A line of a comparison.
pub type DiffLine = Vec<DiffPiece>;

/// A part of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DiffPiece {
    pub text: String,
    /// Whether the other text does not have it.
    pub changed: bool,
    /// Instead of a text, how many unchanged characters are left out.
    pub skipped: usize,
}

impl DiffPiece {
    pub fn same(text: &str) -> DiffPiece {
        DiffPiece { text: text.to_owned(), ..DiffPiece::default() }
    }

    pub fn changed(text: &str) -> DiffPiece {
        DiffPiece { changed: true, ..DiffPiece::same(text) }
    }

    pub fn skipped(text: &str) -> DiffPiece {
        DiffPiece { skipped: text.chars().count(), ..DiffPiece::default() }
    }
}

//! How much of a comparison a page shows.

use super::piece::{DiffLine, DiffPiece};

/// Bytes of a page that show what has changed, and what is beside it.
const SHOWN: usize = 240 * 1024;
/// Bytes of unchanged lines that are there when somebody unfolds them.
const FOLDED: usize = 48 * 1024;
/// Of a line and of a part of it, without their text.
const LINE: usize = 60;
const PIECE: usize = 30;

/// How much room is left.
pub struct Size {
    shown: usize,
    folded: usize,
    is_exceeded: bool,
}

impl Default for Size {
    fn default() -> Self {
        Size { shown: SHOWN, folded: FOLDED, is_exceeded: false }
    }
}

impl Size {
    pub fn is_exceeded(&self) -> bool {
        self.is_exceeded
    }

    /// Those of the lines for which there is room; of the last one, only a part.
    pub fn fit(&mut self, lines: Vec<DiffLine>) -> Vec<DiffLine> {
        let mut fitting = Vec::with_capacity(lines.len());
        for line in lines {
            if self.is_exceeded {
                break;
            }
            self.take(LINE);
            let pieces = line.into_iter().filter_map(|piece| self.part(piece));
            let line: DiffLine = pieces.collect();
            fitting.push(line);
        }
        fitting
    }

    /// The lines, if there is room for all of them.
    pub fn fold(&mut self, lines: Vec<DiffLine>) -> Vec<DiffLine> {
        let pieces = lines.iter().flatten().map(|piece| PIECE + html_length(&piece.text));
        let needed = lines.len() * LINE + pieces.sum::<usize>();
        match self.folded.checked_sub(needed) {
            Some(left) => {
                self.folded = left;
                lines
            }
            None => Vec::new(),
        }
    }

    fn part(&mut self, mut piece: DiffPiece) -> Option<DiffPiece> {
        if self.is_exceeded {
            return None;
        }
        self.take(PIECE);
        let mut room = self.shown;
        let end = piece.text.char_indices().find(|(_, c)| {
            let length = escaped(*c);
            let is_full = length > room;
            room = room.saturating_sub(length);
            is_full
        });
        let end = end.map(|(at, _)| at);
        self.shown = room;
        if let Some(end) = end {
            piece.text.truncate(end);
            self.is_exceeded = true;
        }
        Some(piece)
    }

    fn take(&mut self, bytes: usize) {
        match self.shown.checked_sub(bytes) {
            Some(left) => self.shown = left,
            None => (self.shown, self.is_exceeded) = (0, true),
        }
    }
}

fn html_length(text: &str) -> usize {
    text.chars().map(escaped).sum()
}

/// How many bytes a character takes in a page.
fn escaped(c: char) -> usize {
    if matches!(c, '&' | '<' | '>' | '"' | '\'' | '/') { 6 } else { c.len_utf8() }
}

//! Text that shows something, and shows it in the order in which it was written.

use crate::error::{Error, Result};
use crate::validation::Rule;

/// Joins the words of one line of text with single spaces; the result may be empty.
///
/// # Errors
/// `Invalid`, about `field`, when the text contains control characters or changes the direction of
/// what follows it, or when all its characters are invisible.
pub fn parse_line(field: &'static str, text: &str) -> Result<String> {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let is_hidden = !line.is_empty() && line.chars().all(|c| c == ' ' || is_invisible(c));
    if is_hidden || line.chars().any(|c| c.is_control() || is_direction_control(c)) {
        return Err(Error::invalid(field, Rule::Invisible));
    }
    Ok(line)
}

/// Embeddings, overrides and isolates (UAX #9), which reach beyond the text.
fn is_direction_control(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Default_Ignorable_Code_Point of Unicode 16, and the blank Braille pattern.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

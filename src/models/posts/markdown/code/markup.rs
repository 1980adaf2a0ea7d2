//! HTML, XML and differences between files, which no table describes.

use super::lexer::Parts;
use super::{Class, Token};

/// The parts of HTML or XML.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut parts = Parts { code, plain: 0, tokens: Vec::new() };
    let mut at = 0;
    while let Some(found) = code[at..].find(['<', '&']) {
        let start = at + found;
        let rest = &code[start..];
        at = start + 1;
        if rest.starts_with("<!--") {
            at = start + rest.find("-->").map_or(rest.len(), |end| end + 3);
            parts.add(Class::Comment, start, at);
        } else if let Some(word) = rest.strip_prefix('&') {
            let word = word.trim_start_matches('#');
            let end =
                rest.len() - word.trim_start_matches(|c: char| c.is_ascii_alphanumeric()).len();
            if rest[end..].starts_with(';') {
                at = start + end + 1;
                parts.add(Class::Number, start, at);
            }
        } else {
            let front = 1 + usize::from(rest[1..].starts_with(['/', '!', '?']));
            let name = &rest[front..];
            let length = name.find(|c: char| !is_name(c)).unwrap_or(name.len());
            if length > 0 {
                parts.add(Class::Type, start + front, start + front + length);
                at = attributes(&mut parts, start + front + length);
                // What they contain is no markup.
                if ["script", "style"].contains(&&name[..length]) && front == 1 {
                    at += code[at..].find("</").unwrap_or(code.len() - at);
                }
            }
        }
    }
    parts.rest();
    parts.tokens
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '@')
}

/// Goes through the attributes of an element, to behind its end.
fn attributes(parts: &mut Parts<'_>, mut at: usize) -> usize {
    let code = parts.code;
    while let Some(c) = code[at..].chars().next() {
        let rest = &code[at..];
        let start = at;
        match c {
            '>' => return at + 1,
            // The element was left open.
            '<' => return at,
            '"' | '\'' => {
                at += rest[1..].find(c).map_or(rest.len(), |end| end + 2);
                parts.add(Class::Text, start, at);
            }
            c if is_name(c) => {
                at += rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                parts.add(Class::Name, start, at);
            }
            c => at += c.len_utf8(),
        }
    }
    at
}

/// The lines of a difference.
pub fn diff(code: &str) -> Vec<Token<'_>> {
    let mut parts = Parts { code, plain: 0, tokens: Vec::new() };
    let mut at = 0;
    for line in code.split_inclusive('\n') {
        let class = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Some(Class::Keyword),
            [b'+', ..] => Some(Class::Inserted),
            [b'-', ..] => Some(Class::Deleted),
            [b'@', b'@', ..] => Some(Class::Comment),
            _ => None,
        };
        if let Some(class) = class {
            parts.add(class, at, at + line.trim_end_matches('\n').len());
        }
        at += line.len();
    }
    parts.rest();
    parts.tokens
}

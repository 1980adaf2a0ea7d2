//! The beginning of a text, without markup.

use pulldown_cmark::{Event, Tag, TagEnd};

/// Longest excerpt, in characters.
pub const LENGTH: usize = 280;

/// What lists show of a text.
pub fn excerpt(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    let mut skipping = 0u32;
    for event in events {
        match event {
            Event::Start(Tag::CodeBlock(_) | Tag::Table(_)) => skipping += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::Table) => skipping -= 1,
            _ if skipping > 0 => {}
            Event::Start(Tag::Item) => text.push_str(" • "),
            Event::Text(t) | Event::Code(t) | Event::Html(t) | Event::InlineHtml(t) => {
                text.push_str(t);
            }
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item) => text.push(' '),
            _ => {}
        }
        if text.len() > LENGTH * 8 {
            break;
        }
    }
    shorten(&text)
}

/// The beginning of a text, with single spaces.
pub fn shorten(text: &str) -> String {
    let words: String = text.split_whitespace().flat_map(|word| [" ", word]).collect();
    let text = words.trim_start();
    let Some((cut, _)) = text.char_indices().nth(LENGTH) else {
        return text.to_owned();
    };
    let head = &text[..cut];
    let whole_words = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{}…", whole_words.trim_end_matches([',', '.', ';', ':', ' ']))
}

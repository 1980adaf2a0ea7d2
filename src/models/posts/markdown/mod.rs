//! Markdown to safe HTML, and to the plain text of an excerpt. The work is proportional to the
//! length of the text, whatever it contains; what would need more is refused.

mod allow_list;
mod nesting;

use std::fmt;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

/// To be increased whenever the rendering changes: posts rendered by an older version are rendered
/// again when they are read, so that a fixed sanitiser also applies to existing posts.
pub const RENDERING: i64 = 2;

/// Longest excerpt, in characters.
const EXCERPT: usize = 280;

/// A text as it is shown.
#[derive(Debug)]
pub struct Rendered {
    /// Safe HTML.
    pub html: String,
    /// The beginning of the text without its markup, for lists.
    pub excerpt: String,
}

/// The text has too deep nesting, too large tables, or the like.
#[derive(Debug)]
pub struct TooComplex;

/// Most comparisons of lines with the quotes and lists that are open, as estimated before parsing.
const MAX_COMPARISONS: usize = 500_000;
/// Most events of the parser: text of 100,000 characters rarely has a tenth of that.
const MAX_EVENTS: usize = 250_000;

/// Maximum size of the HTML of a text, in bytes: enough for anything but tables with many empty
/// cells.
fn max_html(markdown: &str) -> usize {
    (32 * 1024 + 7 * markdown.len()).min(1024 * 1024)
}

/// Renders CommonMark with tables and strikethrough as safe HTML. Raw HTML is shown as text, and
/// only elements of the allow-list are written.
///
/// # Errors
/// `TooComplex`.
pub fn render(markdown: &str) -> Result<Rendered, TooComplex> {
    if nesting::comparisons(markdown) > MAX_COMPARISONS {
        return Err(TooComplex);
    }
    let mut count = 0;
    let counted = parse(markdown).take(MAX_EVENTS + 1).inspect(|_| count += 1);
    let mut events: Vec<Event<'_>> = nesting::flatten(counted).collect();
    if count > MAX_EVENTS {
        return Err(TooComplex);
    }
    lower_headings(&mut events);
    Ok(Rendered { excerpt: excerpt(&events), html: write(events, max_html(markdown))? })
}

/// Shows a text as it is: for posts from before there were limits.
pub fn plain(text: &str) -> Rendered {
    let events = vec![
        Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)),
        Event::Text(text.into()),
        Event::End(TagEnd::CodeBlock),
    ];
    let html = write(events, usize::MAX).unwrap_or_default();
    Rendered { html, excerpt: shorten(text) }
}

/// A page already has a title, so the highest heading used becomes level two.
fn lower_headings(events: &mut [Event<'_>]) {
    let highest = events
        .iter()
        .filter_map(|event| match event {
            Event::Start(Tag::Heading { level, .. }) => Some(*level as usize),
            _ => None,
        })
        .min()
        .unwrap_or(1);
    for event in events {
        if let Event::Start(Tag::Heading { level, .. }) | Event::End(TagEnd::Heading(level)) = event
        {
            let lower = (*level as usize + 2 - highest).min(6);
            *level = HeadingLevel::try_from(lower).unwrap_or(HeadingLevel::H6);
        }
    }
}

fn write(events: Vec<Event<'_>>, limit: usize) -> Result<String, TooComplex> {
    let mut out = Bounded { html: String::new(), limit };
    let permitted = events.into_iter().filter_map(allow_list::permit);
    html::write_html_fmt(&mut out, permitted).map_err(|_| TooComplex)?;
    Ok(out.html)
}

/// A string that grows up to a limit.
struct Bounded {
    html: String,
    limit: usize,
}

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.html.len() + text.len() > self.limit {
            return Err(fmt::Error);
        }
        self.html.push_str(text);
        Ok(())
    }
}

fn excerpt(events: &[Event<'_>]) -> String {
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
        if text.len() > EXCERPT * 8 {
            break;
        }
    }
    shorten(&text)
}

/// The beginning of a text, with single spaces.
pub fn shorten(text: &str) -> String {
    let words: String = text.split_whitespace().flat_map(|word| [" ", word]).collect();
    let text = words.trim_start();
    let Some((cut, _)) = text.char_indices().nth(EXCERPT) else {
        return text.to_owned();
    };
    let head = &text[..cut];
    let whole_words = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{}…", whole_words.trim_end_matches([',', '.', ';', ':', ' ']))
}

fn parse(markdown: &str) -> Parser<'_> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_SMART_PUNCTUATION;
    Parser::new_ext(markdown, options)
}

#[cfg(test)]
mod bombs;
#[cfg(test)]
mod tests;

//! Markdown to safe HTML, and to the plain text of an excerpt. The work is proportional to the
//! length of the text, whatever it contains; what would need more is refused.

mod allow_list;
mod autolink;
mod code;
mod excerpt;
mod footnotes;
mod headings;
mod nesting;
mod node;
mod reading_time;

use std::fmt;

use pulldown_cmark::{CodeBlockKind, Event, OffsetIter, Options, Parser, Tag, TagEnd, html};

use self::allow_list::AllowList;
pub use self::excerpt::shorten;
use self::node::Node;
use crate::models::base::random;

/// To be increased whenever the rendering changes: posts rendered by an older version are rendered
/// again when they are read, so that a fixed sanitiser also applies to existing posts.
pub const RENDERING: i64 = 3;

/// A text as it is shown.
#[derive(Debug)]
pub struct Rendered {
    /// Safe HTML.
    pub html: String,
    /// The beginning of the text without its markup, for lists.
    pub excerpt: String,
    /// How long it takes to read, at least 1.
    pub reading_minutes: i64,
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

/// What a text is, which decides how it can be linked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// The only one of its page: it keeps its ids when it is edited, so that links to them last.
    Article,
    /// One of several on a page.
    Comment,
}

impl TextKind {
    /// What distinguishes the ids of this text's footnotes from those of others.
    fn scope(self, markdown: &str) -> String {
        match self {
            TextKind::Article => String::new(),
            TextKind::Comment => format!("{}-", &random::sha256(markdown)[..8]),
        }
    }
}

/// Renders CommonMark with what GitHub adds to it as safe HTML. Raw HTML is shown as text, and only
/// elements of the allow-list are written.
///
/// # Errors
/// `TooComplex`.
pub fn render(markdown: &str, kind: TextKind) -> Result<Rendered, TooComplex> {
    if nesting::comparisons(markdown) > MAX_COMPARISONS {
        return Err(TooComplex);
    }
    let mut count = 0;
    let counted = parse(markdown).take(MAX_EVENTS + 1).inspect(|_| count += 1);
    let mut events: Vec<Event<'_>> = nesting::flatten(autolink::link(markdown, counted)).collect();
    if count > MAX_EVENTS {
        return Err(TooComplex);
    }
    let reading_minutes = reading_time::minutes(&events);
    headings::lower(&mut events);
    let (text, notes) = footnotes::take(events);
    let excerpt = excerpt::excerpt(&text);
    let mut nodes = footnotes::number(text, notes);
    if kind == TextKind::Article {
        headings::identify(&mut nodes);
    }
    let nodes = code::color(nodes, markdown.len());
    let html = write(nodes, kind.scope(markdown), max_html(markdown))?;
    Ok(Rendered { html, excerpt, reading_minutes })
}

/// Shows a text as it is: for posts from before there were limits.
pub fn plain(text: &str) -> Rendered {
    let events = [
        Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)),
        Event::Text(text.into()),
        Event::End(TagEnd::CodeBlock),
    ];
    let reading_minutes = reading_time::minutes(&events);
    let nodes = events.map(Node::Markdown).into();
    let html = write(nodes, String::new(), usize::MAX).unwrap_or_default();
    Rendered { html, excerpt: shorten(text), reading_minutes }
}

fn write(nodes: Vec<Node<'_>>, scope: String, limit: usize) -> Result<String, TooComplex> {
    let mut out = Bounded { html: String::new(), limit };
    let mut allow_list = AllowList::new(scope);
    let permitted = nodes.into_iter().filter_map(|node| allow_list.permit(node));
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

/// The events of the parser, and where in the text they come from.
fn parse(markdown: &str) -> OffsetIter<'_> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_SMART_PUNCTUATION
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_FOOTNOTES;
    Parser::new_ext(markdown, options).into_offset_iter()
}

#[cfg(test)]
mod bombs;
#[cfg(test)]
mod features;
#[cfg(test)]
mod tests;

//! The allow-list: which elements, attributes and links the HTML of a post consists of.

use pulldown_cmark::{Event, LinkType, Tag, TagEnd};
use pulldown_cmark_escape::{escape_href, escape_html};
use url::{ParseError, Url};

/// The schemes of absolute links.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Whether a link may lead to this address. `Url` reads it as browsers do.
pub fn permits_link(address: &str) -> bool {
    match Url::parse(address) {
        Ok(url) => SCHEMES.contains(&url.scheme()),
        Err(error) => error == ParseError::RelativeUrlWithoutBase,
    }
}

/// The event in the form in which it may become HTML; `None` if it must not. Markup passes only
/// through here: what this function does not name is not part of any post.
pub fn permit(event: Event<'_>) -> Option<Event<'_>> {
    match event {
        Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::Rule => {
            Some(event)
        }
        // Raw HTML is shown as text.
        Event::Html(raw) | Event::InlineHtml(raw) => Some(Event::Text(raw)),
        Event::Start(tag) => start(tag),
        Event::End(tag) => end(tag).map(Event::End),
        Event::InlineMath(_)
        | Event::DisplayMath(_)
        | Event::FootnoteReference(_)
        | Event::TaskListMarker(_) => None,
    }
}

fn start(tag: Tag<'_>) -> Option<Event<'_>> {
    Some(match tag {
        Tag::Paragraph
        | Tag::List(_)
        | Tag::Item
        | Tag::TableHead
        | Tag::TableRow
        | Tag::TableCell
        | Tag::Emphasis
        | Tag::Strong
        | Tag::Strikethrough => Event::Start(tag),
        Tag::BlockQuote(_) => Event::Start(Tag::BlockQuote(None)),
        Tag::Heading { level, .. } => {
            Event::Start(Tag::Heading { level, id: None, classes: Vec::new(), attrs: Vec::new() })
        }
        // Elements that scroll sideways must be reachable by keyboard (WCAG 2.1.1).
        Tag::CodeBlock(_) => Event::InlineHtml("<pre tabindex=\"0\"><code>".into()),
        Tag::Table(_) => Event::InlineHtml("<table tabindex=\"0\">".into()),
        Tag::Link { link_type, dest_url, title, .. } => {
            let scheme = if link_type == LinkType::Email { "mailto:" } else { "" };
            Event::InlineHtml(link(scheme, &dest_url, &title).into())
        }
        // External images would reveal readers to their host; a link lets the reader choose.
        Tag::Image { dest_url, title, .. } => Event::InlineHtml(link("", &dest_url, &title).into()),
        Tag::HtmlBlock
        | Tag::FootnoteDefinition(_)
        | Tag::DefinitionList
        | Tag::DefinitionListTitle
        | Tag::DefinitionListDefinition
        | Tag::Superscript
        | Tag::Subscript
        | Tag::MetadataBlock(_) => return None,
    })
}

fn link(scheme: &str, address: &str, title: &str) -> String {
    let mut html = format!("<a href=\"{scheme}");
    // Writing to a string cannot fail.
    let _ = escape_href(&mut html, address);
    if !title.is_empty() {
        html.push_str("\" title=\"");
        let _ = escape_html(&mut html, title);
    }
    html.push_str("\" rel=\"nofollow ugc noopener\">");
    html
}

fn end(tag: TagEnd) -> Option<TagEnd> {
    match tag {
        TagEnd::Paragraph
        | TagEnd::Heading(_)
        | TagEnd::BlockQuote(_)
        | TagEnd::CodeBlock
        | TagEnd::List(_)
        | TagEnd::Item
        | TagEnd::Table
        | TagEnd::TableHead
        | TagEnd::TableRow
        | TagEnd::TableCell
        | TagEnd::Emphasis
        | TagEnd::Strong
        | TagEnd::Strikethrough
        | TagEnd::Link => Some(tag),
        TagEnd::Image => Some(TagEnd::Link),
        TagEnd::HtmlBlock
        | TagEnd::FootnoteDefinition
        | TagEnd::DefinitionList
        | TagEnd::DefinitionListTitle
        | TagEnd::DefinitionListDefinition
        | TagEnd::Superscript
        | TagEnd::Subscript
        | TagEnd::MetadataBlock(_) => None,
    }
}

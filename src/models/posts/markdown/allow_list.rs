//! The allow-list: which elements, attributes and links the HTML of a post consists of.

use pulldown_cmark::{Alignment, Event, LinkType, Tag, TagEnd};
use pulldown_cmark_escape::{escape_href, escape_html, escape_html_body_text};
use url::{ParseError, Url};

use super::node::{Class, Node, Reference};

/// The schemes of absolute links.
const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Whether a link may lead to this address. `Url` reads it as browsers do.
pub fn permits_link(address: &str) -> bool {
    match Url::parse(address) {
        Ok(url) => SCHEMES.contains(&url.scheme()),
        Err(error) => error == ParseError::RelativeUrlWithoutBase,
    }
}

/// Writes the nodes of a text as events that may become HTML. Markup passes only through here: what it
/// does not name is not part of any post.
pub struct AllowList {
    /// Distinguishes the ids of this text's footnotes from those of others on the same page.
    scope: String,
    /// How the columns of the table are aligned, and in which column it is.
    alignments: Vec<Alignment>,
    column: usize,
    cell: &'static str,
}

impl AllowList {
    pub fn new(scope: String) -> AllowList {
        AllowList { scope, alignments: Vec::new(), column: 0, cell: "td" }
    }

    /// The node in the form in which it may become HTML; `None` if it must not.
    pub fn permit<'a>(&mut self, node: Node<'a>) -> Option<Event<'a>> {
        let scope = &self.scope;
        Some(match node {
            Node::Markdown(event) => return self.event(event),
            Node::Heading { level, id } => {
                html(format!("<div class=\"heading\" dir=\"auto\"><{level} id=\"h-{id}\">"))
            }
            // Beside the heading, whose name it takes: within it, it would be part of that name.
            Node::HeadingEnd { level, id } => html(format!(
                "</{level}><a href=\"#h-{id}\" aria-labelledby=\"h-{id}\">#</a></div>\n"
            )),
            Node::Code(class, code) => html(span(class, &code)),
            Node::Reference(Reference { note, nth }) => html(format!(
                "<sup><a href=\"#fn-{scope}{note}\" id=\"fnref-{scope}{note}-{nth}\" \
                 aria-label=\"Footnote {note}\">{note}</a></sup>"
            )),
            Node::Notes => html(
                "<div class=\"footnotes\" role=\"group\" aria-label=\"Footnotes\" dir=\"auto\">\n<ol>\n"
                    .to_owned(),
            ),
            Node::Note(note) => html(format!("<li id=\"fn-{scope}{note}\">")),
            Node::Back(Reference { note, nth: 1 }) => html(format!(
                " <a href=\"#fnref-{scope}{note}-1\" aria-label=\"Back to the text\">↩\u{fe0e}</a>"
            )),
            Node::Back(Reference { note, nth }) => html(format!(
                " <a href=\"#fnref-{scope}{note}-{nth}\" aria-label=\"Back to place {nth} in the \
                 text\">↩\u{fe0e}{nth}</a>"
            )),
            Node::NoteEnd => html("</li>\n".to_owned()),
            Node::NotesEnd => html("</ol>\n</div>\n".to_owned()),
        })
    }

    fn event<'a>(&mut self, event: Event<'a>) -> Option<Event<'a>> {
        match event {
            Event::Text(_) | Event::Code(_) | Event::SoftBreak | Event::HardBreak | Event::Rule => {
                Some(event)
            }
            // Raw HTML is shown as text.
            Event::Html(raw) | Event::InlineHtml(raw) => Some(Event::Text(raw)),
            Event::TaskListMarker(is_done) => Some(Event::InlineHtml(task(is_done).into())),
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => end(tag),
            Event::InlineMath(_) | Event::DisplayMath(_) | Event::FootnoteReference(_) => None,
        }
    }

    fn start<'a>(&mut self, tag: Tag<'a>) -> Option<Event<'a>> {
        Some(match tag {
            Tag::Paragraph | Tag::Item | Tag::Emphasis | Tag::Strong | Tag::Strikethrough => {
                Event::Start(tag)
            }
            // Markers and bars stand on the side where the text begins.
            Tag::BlockQuote(_) => Event::InlineHtml("<blockquote dir=\"auto\">\n".into()),
            Tag::List(None) => Event::InlineHtml("<ul dir=\"auto\">\n".into()),
            Tag::List(Some(1)) => Event::InlineHtml("<ol dir=\"auto\">\n".into()),
            Tag::List(Some(first)) => html(format!("<ol start=\"{first}\" dir=\"auto\">\n")),
            Tag::Heading { level, .. } => Event::Start(Tag::Heading {
                level,
                id: None,
                classes: Vec::new(),
                attrs: Vec::new(),
            }),
            // Elements that scroll sideways must be reachable by keyboard (WCAG 2.1.1).
            Tag::CodeBlock(_) => Event::InlineHtml("<pre tabindex=\"0\" dir=\"ltr\"><code>".into()),
            Tag::Table(alignments) => {
                self.alignments = alignments;
                Event::InlineHtml(
                    "<div class=\"scroll\" role=\"group\" aria-label=\"Table\" tabindex=\"0\" \
                     dir=\"auto\"><table>"
                        .into(),
                )
            }
            Tag::TableHead | Tag::TableRow => {
                self.cell = if tag == Tag::TableHead { "th" } else { "td" };
                self.column = 0;
                Event::Start(tag)
            }
            Tag::TableCell => self.cell(),
            Tag::Link { link_type, dest_url, title, .. } => {
                let scheme = if link_type == LinkType::Email { "mailto:" } else { "" };
                html(link(scheme, &dest_url, &title))
            }
            // External images would reveal readers to their host; a link lets the reader choose.
            Tag::Image { dest_url, title, .. } => html(link("", &dest_url, &title)),
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

    /// By a class: the content security policy allows no inline styles.
    fn cell<'a>(&mut self) -> Event<'a> {
        let alignment = self.alignments.get(self.column).copied().unwrap_or(Alignment::None);
        self.column += 1;
        let class = match alignment {
            Alignment::None => return Event::Start(Tag::TableCell),
            Alignment::Left => "left",
            Alignment::Center => "center",
            Alignment::Right => "right",
        };
        html(format!("<{} class=\"{class}\">", self.cell))
    }
}

fn html<'a>(html: String) -> Event<'a> {
    Event::InlineHtml(html.into())
}

/// A class stands for a color.
fn span(class: Class, code: &str) -> String {
    let class = match class {
        Class::Comment => "c",
        Class::Text => "s",
        Class::Keyword => "k",
        Class::Number => "n",
        Class::Type => "t",
        Class::Name => "p",
        Class::Inserted => "i",
        Class::Deleted => "d",
    };
    let mut html = format!("<span class=\"{class}\">");
    // Writing to a string cannot fail.
    let _ = escape_html_body_text(&mut html, code);
    html.push_str("</span>");
    html
}

/// The box of a task, which only its author can check, by an edit.
fn task(is_done: bool) -> &'static str {
    match is_done {
        true => "<input type=\"checkbox\" disabled=\"\" checked=\"\" aria-label=\"Done\"> ",
        false => "<input type=\"checkbox\" disabled=\"\" aria-label=\"To do\"> ",
    }
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

fn end<'a>(tag: TagEnd) -> Option<Event<'a>> {
    Some(match tag {
        TagEnd::Table => Event::InlineHtml("</tbody></table></div>\n".into()),
        TagEnd::Paragraph
        | TagEnd::Heading(_)
        | TagEnd::BlockQuote(_)
        | TagEnd::CodeBlock
        | TagEnd::List(_)
        | TagEnd::Item
        | TagEnd::TableHead
        | TagEnd::TableRow
        | TagEnd::TableCell
        | TagEnd::Emphasis
        | TagEnd::Strong
        | TagEnd::Strikethrough
        | TagEnd::Link => Event::End(tag),
        TagEnd::Image => Event::End(TagEnd::Link),
        TagEnd::HtmlBlock
        | TagEnd::FootnoteDefinition
        | TagEnd::DefinitionList
        | TagEnd::DefinitionListTitle
        | TagEnd::DefinitionListDefinition
        | TagEnd::Superscript
        | TagEnd::Subscript
        | TagEnd::MetadataBlock(_) => return None,
    })
}

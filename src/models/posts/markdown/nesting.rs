//! Bounds on nesting: in the source before it is parsed, and in the events before they become HTML.

use pulldown_cmark::{Event, Tag, TagEnd};

use super::allow_list;

/// How many quotes, lists and inline elements may be inside each other; deeper ones are left out, and
/// their text stays. Parsers of HTML, in browsers too, walk the open elements for each new one.
const MAX_DEPTH: usize = 32;

/// An upper bound of how often the parser compares a line with an open container: the number of
/// lines times the deepest nesting that the beginning of any line allows.
pub fn comparisons(markdown: &str) -> usize {
    let (mut lines, mut deepest) = (0, 0);
    for line in markdown.split(['\n', '\r']) {
        lines += 1;
        deepest = deepest.max(depth_of_prefix(line));
    }
    lines * deepest
}

/// How many containers a line can open or continue: one for each marker, and one for every two
/// columns of indentation.
fn depth_of_prefix(line: &str) -> usize {
    let (mut markers, mut columns) = (0, 0);
    let mut rest = line.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b' ' => columns += 1,
            b'\t' => columns += 4,
            b'>' => markers += 1,
            b'-' | b'+' | b'*' | b'.' | b')' if matches!(after, [] | [b' ' | b'\t', ..]) => {
                markers += 1;
            }
            b'0'..=b'9' => {}
            b'[' => match after_label(after) {
                Some(after) => {
                    markers += 1;
                    rest = after;
                }
                None => break,
            },
            _ => break,
        }
    }
    markers + columns / 2
}

/// What follows `^label]:`, which begins a footnote.
fn after_label(text: &[u8]) -> Option<&[u8]> {
    let mut label = text.strip_prefix(b"^")?;
    loop {
        label = match label {
            [b'\\', _, rest @ ..] => rest,
            [b']', b':', rest @ ..] => return Some(rest),
            [] | [b'[' | b']', ..] => return None,
            [_, rest @ ..] => rest,
        };
    }
}

/// Leaves out elements that are nested too deeply, links inside links, and links to addresses that
/// are not allowed; their text stays. Opening and closing tags stay balanced.
pub fn flatten<'a>(events: impl Iterator<Item = Event<'a>>) -> impl Iterator<Item = Event<'a>> {
    let mut open = Open::default();
    events.filter_map(move |event| match event {
        Event::Start(tag) => open.start(tag),
        Event::End(tag) => open.end(tag),
        other => Some(other),
    })
}

/// The elements that are open, from the outside in.
#[derive(Default)]
struct Open {
    elements: Vec<Element>,
    depth: usize,
    in_link: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    LeftOut,
    Kept,
    /// Kept, and counted in the depth.
    Counted,
}

impl Open {
    fn start<'a>(&mut self, tag: Tag<'a>) -> Option<Event<'a>> {
        let element = match &tag {
            // An item follows its list.
            Tag::Item if self.elements.last() == Some(&Element::LeftOut) => Element::LeftOut,
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                let kept =
                    !self.in_link && self.depth < MAX_DEPTH && allow_list::permits_link(dest_url);
                self.in_link |= kept;
                if kept { Element::Counted } else { Element::LeftOut }
            }
            Tag::BlockQuote(_)
            | Tag::List(_)
            | Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough => {
                if self.depth < MAX_DEPTH {
                    Element::Counted
                } else {
                    Element::LeftOut
                }
            }
            _ => Element::Kept,
        };
        self.elements.push(element);
        self.depth += usize::from(element == Element::Counted);
        match (element, &tag) {
            // Keeps the words of adjacent items apart.
            (Element::LeftOut, Tag::Item) => Some(Event::SoftBreak),
            (Element::LeftOut, _) => None,
            _ => Some(Event::Start(tag)),
        }
    }

    fn end<'a>(&mut self, tag: TagEnd) -> Option<Event<'a>> {
        let element = self.elements.pop().unwrap_or(Element::Kept);
        self.depth -= usize::from(element == Element::Counted);
        if element == Element::LeftOut {
            return None;
        }
        if matches!(tag, TagEnd::Link | TagEnd::Image) {
            self.in_link = false;
        }
        Some(Event::End(tag))
    }
}

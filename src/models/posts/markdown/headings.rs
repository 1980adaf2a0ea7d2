//! Headings: their levels, and the ids by which links lead to them.

use std::collections::{HashMap, HashSet};

use pulldown_cmark::{Event, HeadingLevel, Tag, TagEnd};

use super::node::Node;

/// Longest id without its prefix, in characters.
const MAX_SLUG: usize = 60;

/// A page already has a title, so the highest heading used becomes level two.
pub fn lower(events: &mut [Event<'_>]) {
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

/// Gives each heading an id made of its text.
pub fn identify(nodes: &mut [Node<'_>]) {
    let mut ids = Ids::default();
    // The place and the level of the heading that is open, and what it says so far.
    let mut open: Option<(usize, HeadingLevel, String)> = None;
    for place in 0..nodes.len() {
        match &nodes[place] {
            Node::Markdown(Event::Start(Tag::Heading { level, .. })) => {
                open = Some((place, *level, String::new()));
            }
            Node::Markdown(Event::Text(text) | Event::Code(text)) => {
                if let Some((_, _, words)) = &mut open {
                    words.push_str(text);
                }
            }
            Node::Markdown(Event::SoftBreak | Event::HardBreak) => {
                if let Some((_, _, words)) = &mut open {
                    words.push(' ');
                }
            }
            Node::Markdown(Event::End(TagEnd::Heading(_))) => {
                let Some((start, level, words)) = open.take() else { continue };
                let id = ids.unique(slug(&words));
                nodes[start] = Node::Heading { level, id: id.clone() };
                nodes[place] = Node::HeadingEnd { level, id };
            }
            _ => {}
        }
    }
}

/// The letters and digits of all languages in lower case, and a hyphen for each gap.
fn slug(words: &str) -> String {
    let mut slug = String::new();
    let mut length = 0;
    let mut is_gap = false;
    for c in words.chars().flat_map(char::to_lowercase) {
        // Vowel signs and accents that are characters of their own belong to a letter.
        let belongs = c.is_alphanumeric() || (length > 0 && is_mark(c));
        if !belongs {
            is_gap = length > 0;
            continue;
        }
        if length >= MAX_SLUG {
            break;
        }
        if std::mem::take(&mut is_gap) {
            slug.push('-');
        }
        slug.push(c);
        length += 1;
    }
    if slug.is_empty() { "section".to_owned() } else { slug }
}

fn is_mark(c: char) -> bool {
    !c.is_ascii() && unicode_normalization::char::is_combining_mark(c)
}

#[derive(Default)]
struct Ids {
    taken: HashSet<String>,
    /// The number that was last given to headings of one text.
    last: HashMap<String, usize>,
}

impl Ids {
    /// The same, or with a number. Numbers that are taken are passed once: the next heading of this text
    /// goes on behind them.
    fn unique(&mut self, slug: String) -> String {
        if self.taken.insert(slug.clone()) {
            return slug;
        }
        let last = self.last.entry(slug.clone()).or_insert(1);
        loop {
            *last += 1;
            let id = format!("{slug}-{last}");
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

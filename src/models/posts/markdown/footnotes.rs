//! Footnotes: they stand below the text, in the order in which it refers to them.

use std::collections::HashMap;

use pulldown_cmark::{Event, Tag, TagEnd};

use super::node::{Node, Reference};

/// Most links back from one footnote.
const MAX_BACK: usize = 9;

/// Moves the footnotes out of a text, by their labels. Of several with one label, the first counts.
pub fn take<'a>(events: Vec<Event<'a>>) -> (Vec<Event<'a>>, HashMap<String, Vec<Event<'a>>>) {
    let mut notes = HashMap::new();
    let mut text = Vec::with_capacity(events.len());
    // The footnotes that are open, from the outside in, and what surrounds each.
    let mut open: Vec<(String, Vec<Event<'a>>)> = Vec::new();
    for event in events {
        match event {
            Event::Start(Tag::FootnoteDefinition(label)) => {
                open.push((key(&label), std::mem::take(&mut text)));
            }
            Event::End(TagEnd::FootnoteDefinition) => {
                let Some((label, around)) = open.pop() else { continue };
                let note = std::mem::replace(&mut text, around);
                notes.entry(label).or_insert(note);
            }
            other => text.push(other),
        }
    }
    (text, notes)
}

/// Labels differ in more than case.
fn key(label: &str) -> String {
    label.to_lowercase()
}

/// Numbers the references, and adds the footnotes that are referred to, each once; those that only they
/// refer to follow.
pub fn number<'a>(
    text: Vec<Event<'a>>,
    mut notes: HashMap<String, Vec<Event<'a>>>,
) -> Vec<Node<'a>> {
    let mut numbers = Numbers::default();
    let mut nodes = numbers.refer(text, &notes);
    if numbers.order.is_empty() {
        return nodes;
    }
    let mut written = Vec::new();
    while let Some(label) = numbers.order.get(written.len()).cloned() {
        let Some(note) = notes.get_mut(&label).map(std::mem::take) else { break };
        written.push(numbers.refer(note, &notes));
    }
    nodes.push(Node::Notes);
    for (place, mut note) in written.into_iter().enumerate() {
        let number = place + 1;
        let count = numbers.references.get(place).copied().unwrap_or_default().min(MAX_BACK);
        let back = (1..=count).map(|nth| Node::Back(Reference { note: number, nth }));
        nodes.push(Node::Note(number));
        // At the end of its last line.
        let last = note.pop();
        match last {
            Some(Node::Markdown(Event::End(TagEnd::Paragraph))) => {
                nodes.extend(note.into_iter().chain(back).chain(last));
            }
            _ => nodes.extend(note.into_iter().chain(last).chain(back)),
        }
        nodes.push(Node::NoteEnd);
    }
    nodes.push(Node::NotesEnd);
    nodes
}

/// The numbers that footnotes get in the order of the references to them.
#[derive(Default)]
struct Numbers {
    by_label: HashMap<String, usize>,
    order: Vec<String>,
    /// How many references there are to each.
    references: Vec<usize>,
}

impl Numbers {
    /// A reference to nothing stays as it was typed.
    fn refer<'a>(
        &mut self,
        events: Vec<Event<'a>>,
        notes: &HashMap<String, Vec<Event<'a>>>,
    ) -> Vec<Node<'a>> {
        let referred = |event| match event {
            Event::FootnoteReference(label) => match notes.contains_key(&key(&label)) {
                true => Node::Reference(self.next(key(&label))),
                false => Node::Markdown(Event::Text(format!("[^{label}]").into())),
            },
            other => Node::Markdown(other),
        };
        events.into_iter().map(referred).collect()
    }

    fn next(&mut self, label: String) -> Reference {
        let place = *self.by_label.entry(label.clone()).or_insert_with(|| {
            self.order.push(label);
            self.references.push(0);
            self.order.len() - 1
        });
        self.references[place] += 1;
        Reference { note: place + 1, nth: self.references[place] }
    }
}

//! What a text consists of on its way to HTML: events of the parser, and what is made of them.

use pulldown_cmark::{Event, HeadingLevel};

/// A piece of a text. The allow-list says what each becomes in HTML.
#[derive(Debug)]
pub enum Node<'a> {
    Markdown(Event<'a>),
    /// A heading that can be linked to.
    Heading {
        level: HeadingLevel,
        id: String,
    },
    HeadingEnd {
        level: HeadingLevel,
        id: String,
    },
    /// A part of a code block that has a color.
    Code(Class, String),
    /// A number in the text that leads to a footnote.
    Reference(Reference),
    /// The footnotes, below the text.
    Notes,
    Note(usize),
    /// What leads from a footnote back to where it is referred to.
    Back(Reference),
    NoteEnd,
    NotesEnd,
}

/// One of the places that refer to a footnote. Both numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    pub note: usize,
    /// Which of the references to the same footnote.
    pub nth: usize,
}

/// What a part of code is. Each has a color; the rest has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    Comment,
    Text,
    Keyword,
    Number,
    /// A type, or the name of an element.
    Type,
    /// A key, an attribute, a variable.
    Name,
    Inserted,
    Deleted,
}

//! What a language looks like: its comments, strings and words.

/// How code is divided.
#[derive(Clone, Copy)]
pub enum Grammar {
    Lexer(&'static Language),
    /// HTML and XML.
    Markup,
    Diff,
}

/// A language in which comments, strings and words tell most.
pub struct Language {
    /// As they stand behind a fence, in lower case.
    pub names: &'static [&'static str],
    pub line_comments: &'static [&'static str],
    pub block_comments: &'static [(&'static str, &'static str)],
    /// The longest opening first.
    pub quotes: &'static [Quote],
    /// These three are sorted.
    pub keywords: &'static [&'static str],
    pub constants: &'static [&'static str],
    pub types: &'static [&'static str],
    pub keys: KeySign,
    /// What makes a name of the word that follows, as `@` does; the longest first.
    pub signs: &'static [&'static str],
    /// What words consist of besides letters, digits and underscores.
    pub in_words: &'static str,
    /// Whether types begin with capital letters.
    pub has_types: bool,
    pub ignores_case: bool,
    /// Whether a line comment needs a space before it.
    pub spaced_comments: bool,
}

/// How a string begins and ends.
pub struct Quote {
    pub open: &'static str,
    pub close: &'static str,
    /// Whether a backslash escapes the quotation mark.
    pub escapes: bool,
    pub spans_lines: bool,
    /// Whether it holds one letter: in Rust, `'a` is something else.
    pub is_letter: bool,
    /// Whether no letter can stand before it, as in "don't".
    pub starts_word: bool,
}

/// What makes a key of the word or string before it.
#[derive(Clone, Copy)]
pub enum KeySign {
    No,
    Colon,
    ColonAndSpace,
    Equals,
}

impl KeySign {
    pub fn follow(self, after: &str) -> bool {
        let sign = match self {
            KeySign::No => return false,
            KeySign::Colon | KeySign::ColonAndSpace => ':',
            KeySign::Equals => '=',
        };
        let after = after.trim_start_matches([' ', '\t']).strip_prefix(sign);
        after.is_some_and(|after| {
            !matches!(self, KeySign::ColonAndSpace)
                || after.is_empty()
                || after.starts_with([' ', '\n'])
        })
    }
}

const fn quote(open: &'static str, close: &'static str) -> Quote {
    Quote { open, close, escapes: true, spans_lines: false, is_letter: false, starts_word: false }
}

pub const TEXT: Quote = quote("\"", "\"");
pub const TEXT_OF_LINES: Quote = Quote { spans_lines: true, ..TEXT };
pub const LONG_TEXT: Quote = Quote { spans_lines: true, ..quote("\"\"\"", "\"\"\"") };
pub const QUOTE: Quote = Quote { starts_word: true, ..quote("'", "'") };
pub const PREFIXED_QUOTE: Quote = quote("'", "'");
pub const LONG_QUOTE: Quote = Quote { spans_lines: true, ..quote("'''", "'''") };
pub const RAW_QUOTE: Quote = Quote { spans_lines: true, escapes: false, ..QUOTE };
pub const LETTER: Quote = Quote { is_letter: true, ..QUOTE };
pub const TEMPLATE: Quote = Quote { spans_lines: true, ..quote("`", "`") };
/// Of Rust.
pub const RAW_TEXT: Quote =
    Quote { spans_lines: true, escapes: false, starts_word: true, ..quote("r#\"", "\"#") };

/// A language that has nothing of all this.
pub const PLAIN: Language = Language {
    names: &[],
    line_comments: &[],
    block_comments: &[],
    quotes: &[],
    keywords: &[],
    constants: &[],
    types: &[],
    keys: KeySign::No,
    signs: &[],
    in_words: "",
    has_types: false,
    ignores_case: false,
    spaced_comments: false,
};

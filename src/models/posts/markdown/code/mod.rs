//! The code of well-known languages in colors: which part of it is a comment, a string, a keyword.

mod grammar;
mod languages;
mod lexer;
mod markup;

use pulldown_cmark::{CodeBlockKind, Event, Tag};

use self::grammar::Grammar;
use self::languages::LANGUAGES;
use super::node::{Class, Node};

/// A part of code, or what stands between two of them.
type Token<'c> = (Option<Class>, &'c str);

/// Larger blocks are not colored, in bytes.
const MAX_BLOCK: usize = 32 * 1024;
/// How much HTML the colors of a text may take: so much, and a multiple of the text.
const BUDGET: usize = 16 * 1024;
const BUDGET_FACTOR: usize = 3;
/// What a color takes, in bytes of HTML.
const COST: usize = "<span class=\"k\"></span>".len();

/// Colors the code blocks of a text whose language is known, in this order, until the budget is spent.
pub fn color<'a>(nodes: Vec<Node<'a>>, length: usize) -> Vec<Node<'a>> {
    let mut budget = BUDGET + BUDGET_FACTOR * length;
    let mut colored = Vec::with_capacity(nodes.len());
    let mut nodes = nodes.into_iter();
    while let Some(node) = nodes.next() {
        let known = grammar(&node);
        colored.push(node);
        let Some(known) = known else { continue };
        let mut code = String::new();
        let mut last = None;
        for node in nodes.by_ref() {
            match node {
                Node::Markdown(Event::Text(text)) => code.push_str(&text),
                other => {
                    last = Some(other);
                    break;
                }
            }
        }
        let tokens = if code.len() <= MAX_BLOCK { tokens(known, &code) } else { Vec::new() };
        let cost = COST * tokens.iter().filter(|(class, _)| class.is_some()).count();
        if tokens.is_empty() || cost > budget {
            colored.push(Node::Markdown(Event::Text(code.into())));
        } else {
            budget -= cost;
            colored.extend(tokens.into_iter().map(|(class, part)| match class {
                Some(class) => Node::Code(class, part.to_owned()),
                None => Node::Markdown(Event::Text(part.to_owned().into())),
            }));
        }
        colored.extend(last);
    }
    colored
}

/// By the first word behind the fence.
fn grammar(node: &Node<'_>) -> Option<Grammar> {
    let Node::Markdown(Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info)))) = node else {
        return None;
    };
    let name = info.split([' ', ',', '{']).next().unwrap_or_default();
    by_name(&name.trim_start_matches('.').to_ascii_lowercase())
}

/// By a name in lower case.
fn by_name(name: &str) -> Option<Grammar> {
    match name {
        "html" | "xml" | "svg" | "xhtml" => Some(Grammar::Markup),
        "diff" | "patch" => Some(Grammar::Diff),
        _ => {
            let known = LANGUAGES.iter().find(|language| language.names.contains(&name));
            known.map(Grammar::Lexer)
        }
    }
}

/// The parts of the code, in order; together, they are the code.
fn tokens<'c>(grammar: Grammar, code: &'c str) -> Vec<Token<'c>> {
    match grammar {
        Grammar::Lexer(language) => lexer::tokens(language, code),
        Grammar::Markup => markup::tokens(code),
        Grammar::Diff => markup::diff(code),
    }
}

#[cfg(test)]
mod tests;

//! Parsing Rust source for the tests of the structure: imports and declared types.

use std::collections::{BTreeMap, BTreeSet};

/// The files of `src`, by module path: `models/posts/vote.rs` is `models::posts::vote`, and
/// `models/posts/mod.rs` is `models::posts`. `lib.rs` and `main.rs` keep their names.
pub type Sources = BTreeMap<String, String>;

/// The module path of a file, relative to `src`.
pub fn module(file: &str) -> String {
    file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::")
}

/// Without comments, the contents of strings and characters, and `#[cfg(test)]` modules.
pub fn code(text: &str) -> String {
    without_tests(&without_text(text))
}

fn without_text(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let at = |i: usize| letters.get(i).copied().unwrap_or('\0');
    let mut code = String::new();
    let mut i = 0;
    while i < letters.len() {
        let is_word = i > 0 && is_word(at(i - 1));
        if at(i) == '/' && at(i + 1) == '/' {
            while i < letters.len() && at(i) != '\n' {
                i += 1;
            }
        } else if at(i) == '/' && at(i + 1) == '*' {
            let mut depth = 0;
            loop {
                match (at(i), at(i + 1)) {
                    ('/', '*') => (depth, i) = (depth + 1, i + 2),
                    ('*', '/') => (depth, i) = (depth - 1, i + 2),
                    _ => i += 1,
                }
                if depth == 0 || i >= letters.len() {
                    break;
                }
            }
        } else if !is_word && raw_string(&letters[i..]).is_some() {
            i += raw_string(&letters[i..]).unwrap();
            code.push_str("\"\"");
        } else if at(i) == '"' {
            i += 1;
            while i < letters.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            i += 1;
            code.push_str("\"\"");
        } else if at(i) == '\'' && (at(i + 1) == '\\' || at(i + 2) == '\'') {
            // A character; anything else after an apostrophe is a lifetime.
            i += if at(i + 1) == '\\' { 3 } else { 2 };
            while i < letters.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
            code.push_str("' '");
        } else {
            code.push(at(i));
            i += 1;
        }
    }
    code
}

/// The length of the raw string that begins here.
fn raw_string(letters: &[char]) -> Option<usize> {
    let prefix = match letters {
        ['r', ..] => 1,
        ['b', 'r', ..] => 2,
        _ => return None,
    };
    let hashes = letters[prefix..].iter().take_while(|c| **c == '#').count();
    let start = prefix + hashes + 1;
    if letters.get(start - 1) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let rest = letters[start..].windows(end.len()).position(|window| window == end)?;
    Some(start + rest + end.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn without_tests(code: &str) -> String {
    let Some(start) = code.find("#[cfg(test)]") else { return code.to_owned() };
    let rest = &code[start..];
    // To the end of the block, or of a declaration without one.
    let end = match (rest.find('{'), rest.find(';')) {
        (Some(open), semicolon) if semicolon.is_none_or(|at| open < at) => {
            let mut depth = 0;
            rest.char_indices()
                .skip_while(|(i, _)| *i < open)
                .find_map(|(i, c)| {
                    depth += i32::from(c == '{') - i32::from(c == '}');
                    (depth == 0).then_some(i + 1)
                })
                .unwrap_or(rest.len())
        }
        (_, Some(semicolon)) => semicolon + 1,
        _ => rest.len(),
    };
    format!("{}{}", &code[..start], without_tests(&rest[end..]))
}

/// All paths in the code that begin with `crate`, `self` or `super`, with groups expanded:
/// `use crate::a::{b, c::D}` has `crate::a::b` and `crate::a::c::D`. Naming a child module
/// directly, as in `pub use client::Client`, is not an import.
pub fn paths(code: &str) -> BTreeSet<Vec<String>> {
    let tokens = tokens(code);
    let mut paths = BTreeSet::new();
    let mut i = 0;
    while i < tokens.len() {
        let is_start = matches!(tokens[i].as_str(), "crate" | "self" | "super")
            && tokens.get(i + 1).is_some_and(|next| next == "::")
            && (i == 0 || tokens[i - 1] != "::");
        if is_start {
            i = tree(&tokens, i, &[], &mut paths);
        } else {
            i += 1;
        }
    }
    paths
}

/// Words, `::`, and everything else character by character.
pub fn tokens(code: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut letters = code.chars().peekable();
    while let Some(c) = letters.next() {
        if is_word(c) {
            let mut word = c.to_string();
            while let Some(next) = letters.next_if(|next| is_word(*next)) {
                word.push(next);
            }
            tokens.push(word);
        } else if c == ':' && letters.next_if_eq(&':').is_some() {
            tokens.push("::".to_owned());
        } else if !c.is_whitespace() {
            tokens.push(c.to_string());
        }
    }
    tokens
}

/// Reads a path, or a group of them, that begins at `i`; returns where it ends.
fn tree(
    tokens: &[String],
    mut i: usize,
    prefix: &[String],
    paths: &mut BTreeSet<Vec<String>>,
) -> usize {
    let (start, mut path) = (i, prefix.to_vec());
    loop {
        match tokens.get(i).map(String::as_str) {
            Some("{") => {
                i += 1;
                while tokens.get(i).is_some_and(|token| token != "}") {
                    i = if tokens[i] == "," { i + 1 } else { tree(tokens, i, &path, paths) };
                }
                return i + 1;
            }
            Some(word) if word.starts_with(is_word) || word == "*" => {
                path.push(word.to_owned());
                i += 1;
            }
            // Not a path: `Vec::<…>`.
            _ => break,
        }
        if tokens.get(i).is_none_or(|token| token != "::") {
            break;
        }
        i += 1;
    }
    // `… as name`, in a group.
    if tokens.get(i).is_some_and(|token| token == "as") {
        i += 2;
    }
    paths.insert(path);
    i.max(start + 1)
}

/// The modules that each module imports: every path, resolved to the deepest file that exists.
pub fn imports(sources: &Sources) -> BTreeMap<String, BTreeSet<String>> {
    let resolve = |from: &str, path: &[String]| -> Option<String> {
        let mut place: Vec<&str> = Vec::new();
        let mut rest = path;
        match rest.first().map(String::as_str)? {
            "crate" => rest = &rest[1..],
            _ if is_root(from) => rest = &rest[1..],
            _ => {
                place = from.split("::").collect();
                while let Some(first) = rest.first() {
                    match first.as_str() {
                        "self" => {}
                        "super" => drop(place.pop()),
                        _ => break,
                    }
                    rest = &rest[1..];
                }
            }
        }
        place.extend(rest.iter().map(String::as_str));
        while !place.is_empty() {
            let module = place.join("::");
            if sources.contains_key(&module) {
                return Some(module);
            }
            place.pop();
        }
        // An item of the root itself, such as `crate::rocket`.
        let is_binary = matches!(from.split("::").next(), Some("main"));
        Some(if is_binary { "main" } else { "lib" }.to_owned())
    };
    sources
        .iter()
        .map(|(from, text)| {
            let paths = paths(&code(text));
            let targets = paths.iter().filter_map(|path| resolve(from, path));
            (from.clone(), targets.filter(|to| to != from).collect())
        })
        .collect()
}

fn is_root(module: &str) -> bool {
    matches!(module, "lib" | "main")
}

/// A shortest circle of imports, its first module repeated at the end.
pub fn circle(imports: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    let mut shortest: Option<Vec<String>> = None;
    for start in imports.keys() {
        let mut paths = vec![vec![start.clone()]];
        let mut seen = BTreeSet::new();
        while let Some(path) = (!paths.is_empty()).then(|| paths.remove(0)) {
            if shortest.as_ref().is_some_and(|known| known.len() <= path.len() + 1) {
                break;
            }
            for next in imports.get(path.last().unwrap()).into_iter().flatten() {
                let longer = [&path[..], std::slice::from_ref(next)].concat();
                if next == start {
                    shortest = Some(longer);
                    break;
                }
                if seen.insert(next.clone()) {
                    paths.push(longer);
                }
            }
        }
    }
    shortest
}

/// The public types that a file declares.
pub fn public_types(code: &str) -> Vec<String> {
    let tokens = tokens(code);
    let mut types = Vec::new();
    for window in tokens.windows(3) {
        if window[0] == "pub" && matches!(window[1].as_str(), "struct" | "enum" | "trait" | "type")
        {
            types.push(window[2].clone());
        }
    }
    types
}

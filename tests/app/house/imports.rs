//! Imports point one way: down the layers, and never in a circle.

use std::collections::BTreeMap;
use std::fs;

use super::source::{Sources, circle, code, imports, module, public_types, tokens};
use super::{files, root};

/// From the top. A layer imports only the layers below it.
const FLOORS: [&str; 11] = [
    "main",
    "cli",
    "lib",
    "config",
    "routes",
    "web",
    "jobs",
    "models",
    "db",
    "error",
    "validation",
];

fn sources() -> Sources {
    let src = root().join("src");
    files(&src, "rs")
        .iter()
        .map(|path| {
            let file = path.strip_prefix(&src).unwrap().to_str().unwrap();
            (module(file), fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn floor(module: &str) -> Option<usize> {
    let first = module.split("::").next().unwrap();
    FLOORS.iter().position(|floor| *floor == first)
}

#[test]
fn imports_point_one_way() {
    let sources = sources();
    let mut upward = Vec::new();
    for (from, targets) in imports(&sources) {
        if floor(&from).is_none() {
            upward.push(format!("{from} stands on no floor: {}", FLOORS.join(", ")));
        }
        let above = targets.iter().filter(|to| floor(to) < floor(&from));
        upward.extend(above.map(|to| format!("{from} imports {to}, which stands above it")));
    }
    assert!(upward.is_empty(), "{}", upward.join("\n"));

    let mut strangers = Vec::new();
    for (module, text) in &sources {
        let tokens = tokens(&code(text));
        for (i, token) in tokens.iter().enumerate() {
            // The trait of rocket_db_pools connects the database to Rocket.
            let is_pool = token == "rocket_db_pools"
                || i > 1 && tokens[i - 2] == "rocket_db_pools" && tokens[i - 1] == "::";
            let is_call = tokens.get(i + 1).is_some_and(|next| next == "(");
            let is_stranger = match module.split("::").next().unwrap() {
                "models" | "validation" | "error" => token.starts_with("rocket"),
                "db" => token.starts_with("rocket") && !is_pool,
                "routes" | "web" => token == "sqlx" || token == "sql" && is_call,
                _ => false,
            };
            if is_stranger {
                strangers.push(format!("{module} has {token}"));
            }
        }
    }
    strangers.dedup();
    assert!(strangers.is_empty(), "{}", strangers.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut imports = imports(&sources());
    let mut circles = Vec::new();
    while let Some(circle) = circle(&imports) {
        circles.push(circle.join(" → "));
        // Without its last step, other circles may remain.
        let [.., from, to] = circle.as_slice() else { unreachable!() };
        imports.get_mut(from).unwrap().remove(to);
    }
    assert!(circles.is_empty(), "these files import each other:\n{}", circles.join("\n"));
}

#[test]
fn no_two_public_types_share_a_name() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (module, text) in sources() {
        for name in public_types(&code(&text)) {
            places.entry(name).or_default().push(module.clone());
        }
    }
    // A module's own `Result` is a convention of the language.
    places.retain(|name, modules| modules.len() > 1 && name != "Result");
    assert!(places.is_empty(), "{places:#?}");
}

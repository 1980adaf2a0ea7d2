//! README and `.env.example` list every option, and no others.

use std::collections::BTreeSet;
use std::fs;

use super::source::{code, tokens};
use super::{files, root};
use crate::support::internals::RateLimits;

/// The fields of the struct `Options` below `src/config`, as environment variables.
pub fn options() -> BTreeSet<String> {
    let texts = files(&root().join("src/config"), "rs");
    let fields = texts.iter().find_map(|path| fields(&fs::read_to_string(path).unwrap()));
    let fields = fields.expect("a struct Options below src/config");
    fields.iter().map(|field| format!("POSTLY_{}", field.to_uppercase())).collect()
}

fn fields(text: &str) -> Option<Vec<String>> {
    let tokens = tokens(&code(text));
    let start = tokens.windows(3).position(|window| window == ["struct", "Options", "{"])?;
    let end = start + tokens[start..].iter().position(|token| token == "}")?;
    let pairs = tokens[start..end].windows(2);
    Some(pairs.filter(|pair| pair[1] == ":").map(|pair| pair[0].clone()).collect())
}

pub fn named_in(file: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join(file)).unwrap();
    text.split(|c: char| !c.is_ascii_uppercase() && c != '_')
        .filter(|word| word.starts_with("POSTLY_") && *word != "POSTLY_")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_option_is_explained_and_no_other() {
    let options = options();
    assert!(options.contains("POSTLY_SECRET_KEY"), "{options:?}");
    for file in ["README.md", ".env.example"] {
        assert_eq!(named_in(file), options, "{file} on the left, src/config on the right");
    }
}

/// Without the second, all clients of the proxy would count as one address.
#[test]
fn the_proxy_configurations_name_what_postly_needs_behind_them() {
    let needed = ["POSTLY_PUBLIC_URL", "POSTLY_TRUSTED_PROXIES"].map(str::to_owned);
    for file in ["deploy/nginx.conf", "deploy/Caddyfile"] {
        assert_eq!(named_in(file), BTreeSet::from(needed.clone()), "{file}");
    }
}

#[test]
fn fields_are_read_out_of_the_struct() {
    let text = "struct Other { no: u8 } /// Explained: twice.\n #[derive(Deserialize)] struct Options \
         { #[serde(default = \"x::y\")] /// A: b.\n a_b: Option<String>, pub c: BTreeMap<String, u8>, }";
    assert_eq!(fields(text).unwrap(), ["a_b", "c"]);
}

#[test]
fn the_table_of_limits_is_the_one_in_the_code() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let start = readme.find("| limit | default |").expect("README.md has the table of limits");
    let rows: Vec<(String, String)> = readme[start..]
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            (cells[1].trim_matches('`').to_owned(), cells[2].trim_matches('`').to_owned())
        })
        .collect();
    let limits = RateLimits::default().all().into_iter();
    let limits: Vec<_> = limits.map(|limit| (limit.name.to_owned(), limit.to_string())).collect();
    assert_eq!(rows, limits);
}

//! Tests of the source parser with small made-up trees.

use super::source::{Sources, circle, code, imports, module, paths, public_types};

fn tree_of(files: &[(&str, &str)]) -> Sources {
    files.iter().map(|(file, text)| (module(file), (*text).to_owned())).collect()
}

fn imports_of(files: &[(&str, &str)], from: &str) -> Vec<String> {
    imports(&tree_of(files))[from].iter().cloned().collect()
}

#[test]
fn paths_are_found_in_groups_and_in_code() {
    let code = "use crate::a::{self, b::{C, D as E}, f}; fn g() { super::h::i(); self::j::K::<crate::l::M>::n() }";
    let found: Vec<String> = paths(code).iter().map(|path| path.join("::")).collect();
    assert_eq!(
        found,
        [
            "crate::a::b::C",
            "crate::a::b::D",
            "crate::a::f",
            "crate::a::self",
            "crate::l::M",
            "self::j::K",
            "super::h::i"
        ]
    );
}

#[test]
fn comments_strings_and_tests_import_nothing() {
    let text = "// crate::a\n/* crate::a /* crate::a */ crate::a */ const A: &str = \"crate::a \\\" \
         crate::a\"; const B: &str = r#\"\"crate::a\"\"#; const C: char = '\"'; fn d<'a>(_: &'a u8) {} \
         use crate::b::B; #[cfg(test)] mod tests { use crate::a::A; mod c {} } use crate::c;";
    let found: Vec<String> = paths(&code(text)).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["crate::b::B", "crate::c"]);
}

#[test]
fn a_path_leads_to_the_deepest_file_that_exists() {
    let files = [
        ("lib.rs", "pub mod models; pub use models::post;"),
        ("models/mod.rs", "pub mod post; pub use self::post::Post;"),
        ("models/post/mod.rs", "pub mod edit; use super::user::User; use self::edit::Edit;"),
        (
            "models/post/edit.rs",
            "use super::super::user; use super::Post; use crate::models::user::User;",
        ),
        ("models/user.rs", "use crate::site; use std::fmt;"),
    ];
    assert_eq!(imports_of(&files, "models"), ["models::post"]);
    assert_eq!(imports_of(&files, "models::post"), ["models::post::edit", "models::user"]);
    assert_eq!(imports_of(&files, "models::post::edit"), ["models::post", "models::user"]);
    assert_eq!(imports_of(&files, "models::user"), ["lib"]);
    assert_eq!(imports_of(&files, "lib"), [""; 0], "a declaration is not an import");
}

#[test]
fn circles_are_found_and_trees_have_none() {
    let files = [
        ("a.rs", "use crate::b::B;"),
        ("b.rs", "use crate::c::C;"),
        ("c.rs", "fn d() { crate::a::e() }"),
        ("f.rs", "use crate::a::A;"),
    ];
    let found = circle(&imports(&tree_of(&files))).unwrap();
    assert_eq!(found, ["a", "b", "c", "a"]);
    assert_eq!(circle(&imports(&tree_of(&files[..2]))), None);
}

#[test]
fn public_types_are_those_that_others_can_name() {
    let code = "pub struct A; pub(crate) struct B; struct C; pub enum D {} pub type E = u8; pub trait F {} pub fn g() {}";
    assert_eq!(public_types(code), ["A", "D", "E", "F"]);
}

//! The structure of the code base: imports, migrations, doors, permissions, documents.

mod backfills;
mod configuration;
mod deployment;
mod document;
mod document_texts;
mod doors;
mod errors;
mod imports;
mod limits;
mod migrations;
pub mod permissions;
mod source;
mod source_tests;
mod templates;
mod upgrade;

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files with this extension below a folder.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

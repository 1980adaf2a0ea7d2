//! `postly move`: a site goes from one database to another, with everything.

mod data;
mod interrupted;
mod moved_site;
mod refusals;

use serde_json::Value;

use crate::support::binary::{Output, Site, run, wait_for};
use crate::support::{PASSWORD, database};

/// Moves a site to another URL.
fn relocate(site: &Site, to: &str, flags: &[&str]) -> Output {
    run(site.postly().args(["move", "--to", to]).args(flags), "")
}

/// A site on a new SQLite file, with the current schema.
fn on_sqlite() -> Site {
    let site = Site::sqlite();
    assert!(site.run(&["migrate"], "").status.success());
    site
}

/// An empty target on the engine under test; for SQLite, the path is that of `site`.
fn target(site: &Site) -> String {
    if database::is_postgres() {
        wait_for(database::empty_postgres())
    } else {
        format!("sqlite:{}", site.path("moved/postly.db").display())
    }
}

/// The tables that a move has printed, each with the number of its rows and their hash.
fn tables(output: &Output) -> Vec<(String, u64, String)> {
    assert!(output.status.success(), "{}", output.text);
    let mut tables: Vec<_> = output
        .stdout
        .lines()
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            (cells[0].to_owned(), cells[1].parse().unwrap(), cells[2].to_owned())
        })
        .collect();
    tables.sort();
    tables
}

/// It says why, in one line after the name of the database.
fn refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", output.text);
    let lines: Vec<&str> =
        output.text.lines().filter(|line| line.starts_with("postly: ")).collect();
    assert!(lines.len() == 1 && lines[0].contains(why), "{why}: {}", output.text);
    assert!(output.stdout.is_empty(), "{}", output.stdout);
}

fn login(name: &str) -> Value {
    serde_json::json!({"username": name, "password": PASSWORD})
}

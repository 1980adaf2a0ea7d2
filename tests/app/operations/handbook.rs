//! The commands of docs/operations.md, run as they stand there.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::house::root;
use crate::support::binary::{Server, Site, Starting, run};
use crate::support::database::{self, is_postgres};

/// A block of commands, and the headings above it.
struct Block {
    section: String,
    subsection: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let text = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let (mut section, mut subsection) = (String::new(), String::new());
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            (section, subsection) = (heading.to_owned(), String::new());
        } else if let Some(heading) = line.strip_prefix("### ") {
            subsection = heading.to_owned();
        } else if line.trim() == "```sh" {
            let inside: Vec<&str> =
                lines.by_ref().take_while(|line| line.trim() != "```").collect();
            let (section, subsection) = (section.clone(), subsection.clone());
            blocks.push(Block { section, subsection, text: inside.join("\n") });
        }
    }
    blocks
}

/// What cannot be run in a test, by its beginning, and why.
const NOT_RUN: [(&str, &str); 2] = [
    ("cargo build --release", "takes too long, and would install the program on this machine"),
    ("sed -i 's/127.0.0.1:8000;", "needs systemd; reliability::rolling does the same"),
];

/// A folder with a site, as an operator has it.
struct Operator {
    site: Site,
    server: Option<(Server, String)>,
    new_database: String,
    restored: String,
}

impl Operator {
    fn new() -> Operator {
        let site = if is_postgres() { Site::empty() } else { Site::unconfigured() };
        fs::create_dir(site.path("bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_postly"), site.path("bin/postly")).unwrap();
        fs::create_dir(site.path("copies")).unwrap();
        Operator {
            site,
            server: None,
            new_database: String::new(),
            restored: database::unused_name(),
        }
    }

    fn shell(&self, text: &str) -> Command {
        let mut path = vec![self.site.path("bin")];
        path.extend(database::postgres_programs());
        path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap()));
        let mut command = self.site.command("bash");
        command
            .args(["-euo", "pipefail", "-c", text])
            .env("PATH", std::env::join_paths::<_, PathBuf>(path).unwrap())
            .env("HOME", self.site.path(""))
            .env("NEW_DATABASE_URL", &self.new_database);
        if let Some((server, _)) = &self.server {
            command.env("ROCKET_PORT", server.url.rsplit(':').next().unwrap());
        }
        command
    }

    fn start(&mut self) {
        let log = self.site.path("postly.log");
        let mut command = self.site.postly();
        command
            .env("RUST_LOG", "info")
            .env("POSTLY_LOG_FORMAT", "json")
            .env("POSTLY_METRICS_ADDRESS", "127.0.0.1:0");
        let server = Starting::logging_to(&mut command, &log).ready();
        let said = fs::read_to_string(&log).unwrap();
        let (_, url) = said.split_once("metrics are at http://").unwrap();
        let metrics = url.split('/').next().unwrap().to_owned();
        self.server = Some((server, metrics));
    }

    /// Runs a block, with the ports that were free instead of those of the page.
    fn run(&mut self, block: &Block) {
        let mut text = block.text.replace("postly_restored", &self.restored);
        match block.section.as_str() {
            "Monitor" if self.server.is_none() => self.start(),
            "Monitor" => {}
            _ => self.server = None,
        }
        if let Some((server, metrics)) = &self.server {
            text = text.replace("http://127.0.0.1:8000", &server.url);
            text = text.replace("127.0.0.1:9464", metrics);
        }
        if text.contains("before-upgrade-from") {
            let copy = "data/postly.db.before-upgrade-from-0015-20261128T170000Z";
            fs::copy(self.site.path("copies/monday.db"), self.site.path(copy)).unwrap();
        }
        let mut command = self.shell(&text);
        if block.section == "Move" {
            // From the file that the test has made for it, and back to another one.
            let source = format!("sqlite:{}", self.site.path("source/postly.db").display());
            command.env("DATABASE_URL", source);
        }
        let output = run(&mut command, "");
        assert!(output.status.success(), "{text}\n{}", output.text);
    }
}

fn is_for_this_engine(block: &Block) -> bool {
    match block.subsection.as_str() {
        "On SQLite" => !is_postgres(),
        "On PostgreSQL" => is_postgres(),
        // A move needs both engines; copies from before upgrades exist on SQLite.
        _ if block.section == "Move" => is_postgres(),
        _ => !(is_postgres() && block.text.contains("before-upgrade-from")),
    }
}

#[test]
fn every_command_of_the_handbook_works() {
    let blocks = blocks();
    assert!(blocks.len() > 15, "{}", blocks.len());
    let mut operator = Operator::new();
    if is_postgres() {
        operator.new_database = database::unused();
        let source = format!("sqlite:{}", operator.site.path("source/postly.db").display());
        let mut command = operator.site.postly();
        let made = run(command.arg("migrate").env("DATABASE_URL", source), "");
        assert!(made.status.success(), "{}", made.text);
    }
    let mut left_out = Vec::new();
    for block in &blocks {
        match NOT_RUN.iter().find(|(start, _)| block.text.starts_with(start)) {
            Some((start, _)) => left_out.push(*start),
            None if is_for_this_engine(block) => operator.run(block),
            None => {}
        }
    }
    assert_eq!(left_out, NOT_RUN.map(|(start, _)| start), "not on the page any more");
}

//! An SQLite file that disappears under the server: nothing is acknowledged that would be lost.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::binary::{Caller, Server, Site, Starting, eventually};

/// A site with its log in a file, and someone who posts.
fn start(site: &Site) -> (Server, Caller) {
    let log = site.path("log");
    let mut command = site.postly();
    command.env("RUST_LOG", "info").env("POSTLY_LOG_FORMAT", "json");
    let server = Starting::logging_to(&mut command, &log).ready();
    let ann = server.newcomer("ann");
    (server, ann)
}

/// The lines of the log with this message.
fn logged(log: &Path, message: &str) -> Vec<Value> {
    let text = fs::read_to_string(log).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["fields"]["message"] == message).collect()
}

fn is_refused(ann: &Caller) {
    for _ in 0..3 {
        let draft = json!({"title": "lost", "content": "lost"});
        let refused = ann.ask("POST", "/posts", Some(draft));
        assert_eq!((refused.status, &refused.json["code"]), (503, &json!("unavailable")));
    }
    assert_eq!(ann.get("/readyz").unwrap().status, 503);
    assert_eq!(ann.get("/healthz").unwrap().status, 200);
}

#[test]
fn a_file_that_was_deleted_or_replaced_takes_no_more_writes() {
    let site = Site::new();
    if !site.is_sqlite() {
        return; // The files belong to PostgreSQL.
    }
    let (file, aside, log) = (site.path("postly.db"), site.path("aside.db"), site.path("log"));
    let (server, ann) = start(&site);
    ann.posts("before");

    fs::rename(&file, &aside).unwrap();
    is_refused(&ann);
    fs::copy(&aside, &file).unwrap(); // Another file with the same contents.
    is_refused(&ann);
    fs::rename(&aside, &file).unwrap();
    eventually("it is ready again", || ann.get("/readyz").unwrap().status == 200);
    ann.posts("after");
    eventually("the end is logged", || !logged(&log, "the database is back").is_empty());
    let began = logged(&log, "the database is gone");
    assert_eq!(began.len(), 1, "{began:?}");
    // The first to notice may also be a reader that opens another connection.
    let words = began[0]["fields"]["error"].as_str().unwrap();
    assert!(words.contains("was deleted") || words.contains("unable to open"), "{words}");
    let ended = logged(&log, "the database is back");
    assert_eq!(ended.len(), 1);
    assert!(ended[0]["fields"]["failed_requests"].as_u64().unwrap() >= 5, "{ended:?}");

    // Gone for good: what was acknowledged is in the file that was kept aside.
    fs::rename(&file, &aside).unwrap();
    is_refused(&ann);
    drop(server);
    assert!(!file.exists(), "no empty database takes its place");
}

#[test]
fn a_deleted_write_ahead_log_is_noticed() {
    let site = Site::new();
    if !site.is_sqlite() {
        return;
    }
    let (_server, ann) = start(&site);
    ann.posts("before");
    fs::remove_file(site.path("postly.db-wal")).unwrap();
    is_refused(&ann);
}

//! An SQLite file that disappears under the server: nothing is acknowledged that would be lost.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::PASSWORD;
use crate::support::binary::{Caller, Server, Site, Starting, eventually, wait_for};
use crate::support::database::is_postgres;
use crate::support::internals::sql;

/// A site with its log in a file, and someone who posts.
fn start(site: &Site) -> (Server, Caller) {
    start_by(site, site.postly())
}

fn start_by(site: &Site, mut command: Command) -> (Server, Caller) {
    let server = serve(site, &mut command);
    let ann = server.newcomer("ann");
    (server, ann)
}

fn serve(site: &Site, command: &mut Command) -> Server {
    command.env("RUST_LOG", "info").env("POSTLY_LOG_FORMAT", "json");
    Starting::logging_to(command, &site.path("log")).ready()
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

fn cannot_register(caller: &Caller) {
    let bob = json!({"username": "bob", "password": PASSWORD});
    let refused = caller.ask("POST", "/auth/register", Some(bob));
    assert_eq!((refused.status, &refused.json["code"]), (503, &json!("unavailable")));
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

/// A file that is copied over the database has its inode.
#[test]
fn a_file_that_was_overwritten_takes_no_more_writes() {
    if is_postgres() {
        return;
    }
    for with in [Overwriting::Older, Overwriting::Empty, Overwriting::Foreign] {
        let site = Site::new();
        let (file, log) = (site.path("postly.db"), site.path("log"));
        let before = fs::read(&file).unwrap();
        let (_server, ann) = start(&site);
        // More than the write-ahead log holds, so that the file itself is changed.
        while fs::read(&file).unwrap() == before {
            ann.ask("POST", "/posts", Some(json!({"title": "x", "content": "x".repeat(90_000)})));
        }
        let bytes = match with {
            Overwriting::Older => before,
            Overwriting::Empty => Vec::new(),
            Overwriting::Foreign => b"no database".repeat(1_000),
        };
        fs::write(&file, bytes).unwrap();
        // Noticed without a request that needs the database.
        assert_eq!(ann.get("/readyz").unwrap().status, 503);
        cannot_register(&ann);
        assert_eq!(ann.get("/healthz").unwrap().status, 200);
        let message = "the database is damaged; stop Postly and restore a backup";
        assert_eq!(logged(&log, message).len(), 1);
    }
}

enum Overwriting {
    Older,
    Empty,
    Foreign,
}

/// Damage that a reader meets ends writing, which could make it worse.
#[test]
fn a_damaged_file_takes_no_more_writes() {
    let site = Site::new();
    if !site.is_sqlite() {
        return;
    }
    let (server, ann) = start(&site);
    let post = ann.posts("before");
    drop(server);
    let file = site.path("postly.db");
    let page = wait_for(async {
        let db = site.db().await;
        let leaf = "SELECT pageno FROM dbstat WHERE name = 'posts' AND pagetype = 'leaf' LIMIT 1";
        let (page,) = sql(leaf).one::<(i64,)>(&db).await.unwrap();
        db.close().await; // Moves everything from the write-ahead log into the file.
        usize::try_from(page).unwrap()
    });
    let mut bytes = fs::read(&file).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0xA5);
    fs::write(&file, bytes).unwrap();
    let server = serve(&site, &mut site.postly());
    let ann = ann.at(&server);
    assert_eq!(ann.get("/readyz").unwrap().status, 200);
    assert_eq!(ann.ask("GET", &format!("/posts/{post}"), None).status, 503);
    assert_eq!(ann.get("/readyz").unwrap().status, 503);
    is_refused(&ann);
    cannot_register(&ann); // Which meets no damage.
    assert_eq!(ann.ask("GET", "/me", None).status, 200, "what is not damaged can be read");
    let message = "the database is damaged; stop Postly and restore a backup";
    let said = logged(&site.path("log"), message);
    assert_eq!(said.len(), 1);
    assert!(said[0]["fields"]["error"].as_str().unwrap().contains("malformed"), "{said:?}");
}

/// Root may write to any file, so it is another user who serves the site.
#[test]
fn a_file_that_was_made_read_only_is_noticed_before_anybody_writes() {
    const NOBODY: u32 = 65534;
    let site = Site::new();
    if !site.is_sqlite() {
        return;
    }
    let mut command = site.postly();
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        fs::copy(env!("CARGO_BIN_EXE_postly"), site.path("postly")).unwrap();
        command = site.command(site.path("postly").to_str().unwrap());
        command.uid(NOBODY).gid(NOBODY);
        for path in [site.folder.path(), &site.path("postly"), &site.path("postly.db")] {
            chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
        }
    }
    let (_server, ann) = start_by(&site, command);
    ann.posts("before");
    fs::set_permissions(site.path("postly.db"), PermissionsExt::from_mode(0o444)).unwrap();
    assert_eq!(ann.get("/readyz").unwrap().status, 200, "reading goes on");
    let said = logged(&site.path("log"), "the database is read-only");
    assert_eq!(said.len(), 1, "{said:?}");
    let draft = json!({"title": "lost", "content": "lost"});
    assert_eq!(ann.ask("POST", "/posts", Some(draft)).status, 503);
    assert_eq!(ann.ask("GET", "/posts", None).status, 200);
}

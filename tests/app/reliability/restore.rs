//! `postly restore`: puts a sound copy in the place of the database, keeps what it replaces, and
//! refuses everything else.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::PASSWORD;
use crate::support::binary::{Output, Site, run, wait_for};
use crate::support::internals::sql;

/// It says why, in one line.
fn refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", output.text);
    assert_eq!(output.text.trim().lines().count(), 1, "{}", output.text);
    assert!(output.text.contains(why), "{}", output.text);
}

/// The files of a folder.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let paths = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.is_file());
    files.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}

/// The database that was replaced.
fn replaced(site: &Site) -> std::path::PathBuf {
    let start = site.path("postly.db.replaced-").display().to_string();
    let names = contents(site.folder.path()).into_keys();
    let kept: Vec<String> =
        names.filter(|name| name.starts_with(&start) && name.ends_with('Z')).collect();
    assert_eq!(kept.len(), 1, "{kept:?}");
    kept[0].clone().into()
}

fn change(site: &Site, statement: &'static str) {
    wait_for(async {
        let db = site.db().await;
        sql(statement).execute(db.writer()).await.unwrap();
        db.close().await;
    });
}

#[test]
fn a_copy_is_put_back_while_no_server_runs() {
    let site = Site::new();
    if !site.is_sqlite() {
        refused(&site.run(&["restore", "copy.dump"], ""), "pg_restore --exit-on-error");
        return;
    }
    let mut server = site.start();
    let ann = server.newcomer("ann");
    let early = ann.posts("Early");
    assert!(site.run(&["backup", "copy.db"], "").status.success());
    let late = ann.posts("Late");

    let why = "uses the database";
    refused(&site.run(&["restore", "copy.db"], ""), why);
    assert_eq!(ann.ask("GET", &format!("/posts/{late}"), None).status, 200);
    ann.posts("Later still");
    // Killed: what it has acknowledged lies in the write-ahead log.
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    assert_ne!(site.path("postly.db-wal").metadata().unwrap().len(), 0);
    let copy = std::fs::read(site.path("copy.db")).unwrap();

    let done = site.run(&["restore", "copy.db"], "");
    assert!(done.status.success(), "{}", done.text);
    assert_eq!(std::fs::read(site.path("copy.db")).unwrap(), copy, "the copy stays as it is");
    assert!(!site.path("postly.db-last-backup").exists());
    for file in contents(site.folder.path()).keys() {
        let mode = Path::new(file).metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, if file.ends_with("log") { mode & 0o077 } else { 0 }, "{file}");
        assert!(!file.contains("-wal") && !file.contains("-shm"), "{file}");
    }
    let kept = replaced(&site);
    assert!(done.stdout.contains(&*kept.file_name().unwrap().to_string_lossy()), "{}", done.stdout);

    let again = site.start();
    let ann = ann.at(&again);
    assert_eq!(ann.ask("GET", &format!("/posts/{early}"), None).status, 200);
    assert_eq!(ann.ask("GET", &format!("/posts/{late}"), None).status, 404);
    assert_eq!(ann.posts("After the restoration"), late, "as if those had never been");
    let before = Site::copy_of(&kept);
    let server = before.start();
    let list = ann.at(&server).ask("GET", "/posts", None).json;
    assert_eq!(list["items"].as_array().unwrap().len(), 3, "{list}");
}

#[test]
fn a_damaged_database_and_its_log_are_set_aside() {
    let site = Site::new();
    if !site.is_sqlite() {
        return;
    }
    let mut server = site.start();
    let ann = server.newcomer("ann");
    let post = ann.posts("Early");
    assert!(site.run(&["backup", "copy.db"], "").status.success());
    for n in 0..50 {
        ann.posts(&format!("Post {n}"));
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let log = std::fs::read(site.path("postly.db-wal")).unwrap();
    std::fs::write(site.path("postly.db"), "no database".repeat(1_000)).unwrap();

    let done = site.run(&["restore", "copy.db"], "");
    assert!(done.status.success(), "{}", done.text);
    let kept = replaced(&site).display().to_string();
    assert_eq!(std::fs::read(format!("{kept}-wal")).unwrap(), log, "it belongs to the old one");
    let again = site.start();
    let list = ann.at(&again).ask("GET", "/posts", None).json;
    assert_eq!(list["items"][0]["id"], post);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "the old log was not applied: {list}");
}

#[test]
fn what_is_no_sound_copy_of_this_site_is_not_restored() {
    let site = Site::new();
    if !site.is_sqlite() {
        return;
    }
    assert!(site.run(&["user", "add", "ann"], PASSWORD).status.success());
    assert!(site.run(&["backup", "sound.db"], "").status.success());
    let sound = std::fs::read(site.path("sound.db")).unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(site.path(name), bytes).unwrap();
    write("text.db", "no database".repeat(1_000).as_bytes());
    write("empty.db", b"");
    let mut damaged = sound.clone();
    let middle = damaged.len() / 2;
    damaged[middle - 8_192..middle].fill(0xA5);
    write("damaged.db", &damaged);
    write("short.db", &sound[..sound.len() - 8_192]);
    for (name, statement) in [
        ("foreign.db", "DROP TABLE _sqlx_migrations"),
        ("newer.db", "UPDATE _sqlx_migrations SET version = 9007 WHERE version = 7"),
        ("different.db", "UPDATE _sqlx_migrations SET checksum = x'00' WHERE version = 7"),
    ] {
        let other = Site::copy_of(&site.path("sound.db"));
        change(&other, statement);
        std::fs::copy(other.path("postly.db"), site.path(name)).unwrap();
    }
    let before = contents(site.folder.path());
    for (file, why) in [
        ("nowhere.db", "there is no file nowhere.db"),
        ("postly.db", "postly.db is the database itself"),
        ("text.db", "text.db is not an SQLite database"),
        ("empty.db", "empty.db is empty"),
        ("damaged.db", "damaged"),
        ("short.db", "damaged"),
        ("foreign.db", "belongs to another program"),
        ("newer.db", "which is newer"),
        ("different.db", "its migrations differ"),
    ] {
        refused(&site.run(&["restore", file], ""), why);
        let mut after = contents(site.folder.path());
        after.remove(&site.path("postly.lock").display().to_string());
        let mut before = before.clone();
        before.remove(&site.path("postly.lock").display().to_string());
        assert_eq!(after, before, "{file}");
    }
    // No file can grow beyond this; see `full_disk`.
    let mut command = site.command("/bin/sh");
    let script = "trap '' XFSZ; exec prlimit --fsize=20000 \"$0\" restore sound.db";
    command.args(["-c", script, env!("CARGO_BIN_EXE_postly")]).env("PATH", "/usr/bin:/bin");
    refused(&run(&mut command, ""), "sound.db was not restored; is the disk full?");

    // An older one is, and is migrated at the start; there need not be a database.
    let other = Site::copy_of(&site.path("sound.db"));
    change(&other, "DELETE FROM backfills");
    std::fs::copy(other.path("postly.db"), site.path("older.db")).unwrap();
    std::fs::remove_file(site.path("postly.db")).unwrap();
    let done = site.run(&["restore", "older.db"], "");
    assert!(done.status.success(), "{}", done.text);
    assert!(done.stdout.contains("will be migrated at the start"), "{}", done.stdout);
    assert!(!done.stdout.contains("is kept as"), "{}", done.stdout);
    site.start();
    assert!(site.run(&["user", "list"], "").stdout.contains("ann"));
}

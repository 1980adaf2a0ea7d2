//! `postly backup`: a copy made under load is a complete site; no file is overwritten.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use crate::support::binary::{Output, Site, run, wait_for};
use crate::support::internals::sql;

#[test]
fn a_backup_under_load_holds_everything_acknowledged_before_it() {
    let site = Site::new();
    let server = site.start();
    let ann = server.newcomer("ann");
    let copy = site.folder.path().join("copies/today.db");
    std::fs::create_dir(copy.parent().unwrap()).unwrap();

    let backed_up = AtomicBool::new(false);
    let (acknowledge, acknowledged) = mpsc::channel();
    let (output, before) = std::thread::scope(|scope| {
        for writer in 0..4 {
            let (ann, acknowledge, backed_up) = (&ann, acknowledge.clone(), &backed_up);
            scope.spawn(move || {
                for n in 0.. {
                    if backed_up.load(Ordering::SeqCst) {
                        break;
                    }
                    let _ = acknowledge.send(ann.posts(&format!("{writer}-{n}")));
                }
            });
        }
        // While all writers are busy.
        let mut before: Vec<i64> = acknowledged.iter().take(40).collect();
        before.extend(acknowledged.try_iter());
        let output = run(site.postly().arg("backup").arg(&copy), "");
        backed_up.store(true, Ordering::SeqCst);
        (output, before)
    });
    if !site.is_sqlite() {
        assert_eq!(output.status.code(), Some(1));
        assert!(output.text.contains("pg_dump"), "{}", output.text);
        assert!(!copy.exists());
        return;
    }
    assert!(output.status.success(), "{}", output.text);
    assert!(output.text.is_empty(), "cron would mail it: {}", output.text);
    // The writers continued in the meantime; the copy may or may not have their last posts.
    assert_ne!(acknowledged.try_iter().count(), 0);
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // The folder contains the copy and nothing else.
    assert_eq!(copy.parent().unwrap().read_dir().unwrap().count(), 1);

    let restored = Site::copy_of(&copy);
    let second = restored.start();
    let ann = ann.at(&second);
    for id in before {
        assert_eq!(ann.ask("GET", &format!("/posts/{id}"), None).status, 200, "post {id}");
    }
    // It is a working site: she is still logged in, and can post.
    ann.posts("after the restoration");
    wait_for(async {
        let db = restored.db().await;
        let (verdict,) = sql("PRAGMA integrity_check").one::<(String,)>(&db).await.unwrap();
        assert_eq!(verdict, "ok");
    });
}

/// It says why, in one line.
fn refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", output.text);
    assert_eq!(output.text.trim().lines().count(), 1, "{}", output.text);
    assert!(output.text.contains(why), "{}", output.text);
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = folder.read_dir().unwrap();
    entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_backup_on_a_full_disk_says_so_and_leaves_nothing() {
    let site = Site::empty();
    if !site.is_sqlite() {
        return;
    }
    assert!(site.run(&["migrate"], "").status.success());
    let copies = site.path("copies");
    std::fs::create_dir(&copies).unwrap();
    // No file can grow beyond this; see `full_disk`.
    let mut command = site.command("/bin/sh");
    let script = "trap '' XFSZ; exec prlimit --fsize=20000 \"$0\" backup copies/copy.db";
    command.args(["-c", script, env!("CARGO_BIN_EXE_postly")]).env("PATH", "/usr/bin:/bin");
    refused(&run(&mut command, ""), "copies/copy.db cannot be written; is the disk full?");
    assert_eq!(names(&copies), [""; 0]);
}

#[test]
fn what_is_no_database_is_not_copied() {
    let site = Site::new();
    if !site.is_sqlite() {
        return;
    }
    std::fs::write(site.path("postly.db"), "no database".repeat(1_000)).unwrap();
    refused(&site.run(&["backup", "copy.db"], ""), "postly.db is not an SQLite database");
    assert!(!site.path("copy.db").exists());
}

#[test]
fn a_backup_overwrites_nothing_and_leaves_nothing_half_done() {
    let site = Site::empty();
    let migrated = site.run(&["migrate"], "");
    assert!(migrated.status.success(), "{}", migrated.text);
    let folder = site.folder.path();
    let there = folder.join("there.db");
    std::fs::write(&there, "precious").unwrap();
    std::os::unix::fs::symlink(folder.join("nowhere"), folder.join("link.db")).unwrap();
    for (file, why) in [
        ("there.db", "there.db exists already, and a backup overwrites nothing"),
        ("link.db", "link.db exists already, and a backup overwrites nothing"),
        ("no/such/copy.db", "no/such/copy.db cannot be created: there is no folder no/such"),
        ("there.db/copy.db", "there.db/copy.db cannot be created: there.db is not a folder"),
        // Not even root can write there.
        ("/sys/copy.db", "/sys/copy.db cannot be created: this user cannot write to /sys"),
    ] {
        let why = if site.is_sqlite() { why } else { "on PostgreSQL, use pg_dump" };
        refused(&site.run(&["backup", file], ""), why);
    }
    assert_eq!(std::fs::read_to_string(&there).unwrap(), "precious");
    assert!(!folder.join("nowhere").exists());

    // A missing site is not created just to be copied.
    if site.is_sqlite() {
        let mut command = site.postly();
        command.env("DATABASE_URL", "sqlite:elsewhere/postly.db").args(["backup", "copy.db"]);
        refused(&run(&mut command, ""), "there is no database at ");
        assert!(!folder.join("elsewhere").exists() && !folder.join("copy.db").exists());
    }
}

#[test]
fn a_damaged_database_is_not_called_a_sound_backup() {
    let site = Site::new();
    if !site.is_sqlite() {
        return; // PostgreSQL has pg_dump; the tests above check that Postly refuses.
    }
    let server = site.start();
    let ann = server.newcomer("ann");
    for n in 0..50 {
        ann.posts(&format!("Post {n}"));
    }
    drop(server);
    let page = wait_for(async {
        let db = site.db().await;
        // A page of an index would not do: the copy has its own.
        let leaf = "SELECT pageno FROM dbstat WHERE name = 'posts' AND pagetype = 'leaf' LIMIT 1";
        let (page,) = sql(leaf).one::<(i64,)>(&db).await.unwrap();
        db.close().await; // Moves everything from the write-ahead log into the file.
        page as usize
    });
    let path = site.folder.path().join("postly.db");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(page - 1) * 4096..page * 4096].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    refused(&site.run(&["backup", "copy.db"], ""), "is damaged, so there is no backup");
    let names = names(site.folder.path());
    let leftover = names.iter().find(|name| name.starts_with('.') || *name == "copy.db");
    assert_eq!(leftover, None);
}

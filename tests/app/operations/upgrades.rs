//! `postly migrate --plan`, and the copies that are kept from before upgrades.

use std::collections::BTreeSet;
use std::fs::File;
use std::os::unix::fs::PermissionsExt;

use crate::support::binary::{Site, Starting, eventually, run, wait_for};
use crate::support::internals::sql;

fn change(site: &Site, statement: &'static str) {
    wait_for(async {
        let db = site.db().await;
        sql(statement).execute(db.writer()).await.unwrap();
        db.close().await;
    });
}

/// Then `migrate` has something to do, which it can do.
const FORGET_BACKFILLS: &str = "DELETE FROM backfills";

/// The names of the files in the folder of a site that begin so.
fn files(site: &Site, start: &str) -> BTreeSet<String> {
    let entries = site.folder.path().read_dir().unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(start)).collect()
}

#[test]
fn the_plan_of_a_migration_says_what_would_run_and_changes_nothing() {
    let site = Site::unconfigured();
    let planned = site.run(&["migrate", "--plan"], "");
    assert_eq!(planned.status.code(), Some(3), "{}", planned.text);
    assert!(planned.stdout.contains("would be created by:\n0001 users\n"), "{}", planned.stdout);
    assert!(files(&site, "").is_empty());

    let site = Site::empty();
    for _ in 0..2 {
        let planned = site.run(&["migrate", "--plan"], "");
        assert_eq!(planned.status.code(), Some(3), "{}", planned.text);
        assert!(planned.stdout.contains("would be created"), "nothing was: {}", planned.stdout);
    }
    assert!(site.run(&["migrate"], "").status.success());
    let planned = site.run(&["migrate", "--plan"], "");
    assert_eq!(planned.status.code(), Some(0), "{}", planned.text);
    assert_eq!(planned.stdout, "The database is up to date.\n");

    change(&site, FORGET_BACKFILLS);
    change(
        &site,
        "DELETE FROM _sqlx_migrations WHERE version = (SELECT max(version) FROM _sqlx_migrations)",
    );
    let before = files(&site, "");
    let planned = site.run(&["migrate", "--plan"], "");
    assert_eq!(planned.status.code(), Some(3), "{}", planned.text);
    // In the order in which they run.
    let lines: Vec<&str> = planned.stdout.lines().collect();
    let at = |text: &str| lines.iter().position(|line| line.contains(text));
    assert!(at("backfill: post-search") < at("backfill: email-keys-1"), "{}", planned.stdout);
    assert!(at("backfill: email-keys-1") < at("00"), "{}", planned.stdout);
    assert_eq!(lines.iter().filter(|line| line.starts_with("00")).count(), 1, "{lines:?}");
    assert_eq!(lines.iter().any(|line| line.contains("A copy of")), site.is_sqlite());
    let again = site.run(&["migrate", "--plan"], "");
    assert_eq!((again.stdout, files(&site, "")), (planned.stdout, before));

    change(&site, "UPDATE _sqlx_migrations SET version = 9007 WHERE version = 7");
    for refused in [site.run(&["migrate", "--plan"], ""), site.refuses_to_serve()] {
        assert_eq!(refused.status.code(), Some(1), "{}", refused.text);
        assert!(refused.text.contains("which is newer"), "{}", refused.text);
        assert_eq!(refused.text.trim().lines().count(), 1, "{}", refused.text);
    }
}

const COPY: &str = "postly.db.before-upgrade-from-";

#[test]
fn before_an_upgrade_the_file_is_copied_and_three_copies_are_kept() {
    let site = Site::new();
    if !site.is_sqlite() {
        assert!(site.run(&["migrate"], "").status.success());
        assert!(files(&site, COPY).is_empty());
        return;
    }
    assert!(site.run(&["migrate"], "").status.success());
    assert!(files(&site, COPY).is_empty(), "it was up to date");
    let older = ["0001-20250101T000000Z", "0002-20250102T000000Z", "0003-20250103T000000Z"];
    let others = ["0001-mine", "0001-20250101T000000Z.bak", "x-20250101T000000Z"];
    for name in older.iter().chain(&others) {
        std::fs::write(site.path(&format!("{COPY}{name}")), "").unwrap();
    }
    change(&site, FORGET_BACKFILLS);
    let migrated = site.run(&["migrate"], "");
    assert!(migrated.status.success(), "{}", migrated.text);
    let mut kept = files(&site, COPY);
    for name in others {
        assert!(kept.remove(&format!("{COPY}{name}")), "{name} is not one of Postly's");
    }
    assert!(!kept.contains(&format!("{COPY}{}", older[0])), "{kept:?}");
    assert_eq!(kept.len(), 3, "{kept:?}");
    let copy = site.path(kept.last().unwrap());
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // It is the site from before: the same version can be started on it.
    let restored = Site::copy_of(&copy);
    assert_eq!(restored.run(&["migrate", "--plan"], "").status.code(), Some(3));

    // An upgrade that fails does not displace the copies of earlier ones.
    let newest = "DELETE FROM _sqlx_migrations WHERE version = \
                  (SELECT max(version) FROM _sqlx_migrations)";
    change(&site, newest);
    let earlier: BTreeSet<String> = files(&site, COPY);
    for _ in 0..5 {
        assert!(!site.refuses_to_serve().status.success(), "its tables exist already");
    }
    let kept = files(&site, COPY);
    assert_eq!(earlier.difference(&kept).count(), 1, "{earlier:?} {kept:?}");
    assert_eq!(kept.len(), earlier.len(), "{earlier:?} {kept:?}");
}

#[test]
fn without_its_copy_an_upgrade_does_not_begin() {
    let site = Site::new();
    if !site.is_sqlite() {
        return;
    }
    change(&site, FORGET_BACKFILLS);
    let limited = |command: &str| {
        // No file can grow beyond this; see `full_disk`.
        let mut shell = site.command("/bin/sh");
        let script = format!("trap '' XFSZ; exec prlimit --fsize=40000 \"$0\" {command}");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_postly")]).env("PATH", "/usr/bin:/bin");
        shell
    };
    for command in ["migrate", "serve"] {
        let refused = run(&mut limited(command), "");
        assert_eq!(refused.status.code(), Some(1), "{}", refused.text);
        let said = refused.text.contains("was not migrated, since no copy of it could be kept");
        assert!(said && refused.text.contains("POSTLY_UPGRADE_COPIES=0"), "{}", refused.text);
        assert_eq!(refused.text.trim().lines().count(), 1, "{}", refused.text);
        assert_eq!(site.run(&["migrate", "--plan"], "").status.code(), Some(3));
        assert!(files(&site, COPY).is_empty() && files(&site, ".postly").is_empty());
    }
    let mut without = site.postly();
    let migrated = run(without.env("POSTLY_UPGRADE_COPIES", "0").arg("migrate"), "");
    assert!(migrated.status.success(), "{}", migrated.text);
    assert!(files(&site, COPY).is_empty());
}

/// Such as one that migrates the file, restores it or moves it elsewhere.
#[test]
fn a_server_waits_for_another_process_and_says_so() {
    let site = Site::unconfigured();
    assert!(site.run(&["migrate"], "").status.success());
    let lock = File::options().write(true).open(site.path("data/postly.lock")).unwrap();
    lock.lock().unwrap();
    let log = site.path("log");
    let server = Starting::logging_to(&mut site.postly(), &log);
    eventually("it says what it waits for", || {
        std::fs::read_to_string(&log).unwrap().contains("waiting for another Postly")
    });
    drop(lock);
    server.ready();
}

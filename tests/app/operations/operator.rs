//! What the operator is told, and what the commands leave alone.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::PASSWORD;
use crate::support::binary::{Site, Starting, eventually, run, wait_for};
use crate::support::internals::sql;

/// The commands that neither create a database nor bring one up to date.
const OTHERS: [&[&str]; 4] =
    [&["audit", "verify"], &["user", "list"], &["user", "promote", "ann"], &["keys", "rotate"]];

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let bytes = if path.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            (path.display().to_string(), bytes)
        })
        .collect()
}

#[test]
fn a_command_makes_no_database_that_it_was_only_asked_to_read() {
    for command in OTHERS {
        let site = Site::unconfigured();
        let refused = site.run(command, "");
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {}", refused.text);
        assert!(refused.text.contains("there is no database at "), "{}", refused.text);
        assert!(refused.text.contains("data/postly.db"), "{}", refused.text);
        assert!(contents(site.folder.path()).is_empty(), "{command:?}");
    }
    let empty = Site::empty();
    let refused = empty.run(&["audit", "verify"], "");
    assert_eq!(refused.status.code(), Some(1), "{}", refused.text);
    assert!(refused.text.contains("there is no database at "), "{}", refused.text);
    assert!(empty.run(&["migrate"], "").status.success());
    let verified = empty.run(&["audit", "verify"], "");
    assert!(verified.status.success() && verified.text.contains("Database: "), "{}", verified.text);
    assert!(!verified.stdout.contains("Database: "), "scripts read standard output");
}

/// Somebody who has two sites must see which one a command is about to change.
#[test]
fn every_command_names_its_database() {
    let commands: [&[&str]; 8] = [
        &["migrate"],
        &["demo", "--posts", "1"],
        &["user", "add", "ann"],
        &["user", "list"],
        &["user", "unlock", "ann"],
        &["user", "set-password", "ann"],
        &["user", "delete", "ann"],
        &["audit", "verify"],
    ];
    for site in [Site::unconfigured(), Site::empty()] {
        let name = site.database_name();
        for command in commands {
            let done = site.run(command, PASSWORD);
            assert!(done.status.success(), "{command:?}: {}", done.text);
            let line = done.text.lines().find(|line| line.starts_with("Database: "));
            let line = line.unwrap_or_else(|| panic!("{command:?}: {}", done.text));
            assert!(line.ends_with(&name), "{command:?}: {line}");
            assert!(!done.stdout.contains("Database: "), "scripts read standard output");
        }
    }
    let rotated = Site::unconfigured();
    assert!(rotated.run(&["migrate"], "").status.success());
    let rotated = rotated.run(&["keys", "rotate"], "");
    assert!(rotated.text.contains("Database: ") && rotated.status.success(), "{}", rotated.text);
    let serving = Site::unconfigured();
    let log = serving.path("log");
    let server = Starting::logging_to(&mut serving.postly(), &log).ready();
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("data/postly.db"), "{text}");
    drop(server);
}

#[test]
fn a_database_of_another_version_is_named_and_left_alone() {
    let site = Site::new();
    let change = |statement: &'static str| {
        wait_for(async {
            let db = site.db().await;
            sql(statement).execute(db.writer()).await.unwrap();
            db.close().await;
        });
    };
    let before = "UPDATE _sqlx_migrations SET version = version + 9000 WHERE version = 7";
    change(before);
    for command in [OTHERS[0], OTHERS[1], &["migrate"], &["user", "add", "ann"]] {
        let files = contents(site.folder.path());
        let refused = site.run(command, PASSWORD);
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {}", refused.text);
        assert!(
            refused.text.contains("another version of Postly, which is newer"),
            "{}",
            refused.text
        );
        assert_eq!(contents(site.folder.path()), files, "{command:?}");
    }
    change("UPDATE _sqlx_migrations SET version = 7 WHERE version = 9007");
    change("DELETE FROM backfills");
    for command in [OTHERS[0], OTHERS[1], &["user", "add", "ann"]] {
        let files = contents(site.folder.path());
        let refused = site.run(command, PASSWORD);
        assert_eq!(refused.status.code(), Some(1), "{command:?}: {}", refused.text);
        assert!(refused.text.contains("run `postly migrate`"), "{}", refused.text);
        assert_eq!(contents(site.folder.path()), files, "{command:?}");
    }
    let migrated = site.run(&["migrate"], "");
    assert!(migrated.status.success(), "{}", migrated.text);
    assert!(site.run(&["audit", "verify"], "").status.success());
}

#[test]
fn files_are_their_owners_whatever_the_umask() {
    let site = Site::unconfigured();
    let loose = |program: &str| {
        let mut command = site.command("/bin/sh");
        command.args(["-c", &format!("umask 000; exec \"$0\" {program}")]);
        command.arg(env!("CARGO_BIN_EXE_postly"));
        command
    };
    let added = run(&mut loose("user add ann"), PASSWORD);
    assert!(added.status.success(), "{}", added.text);
    let mode = |name: &str| site.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("data"), 0o700);
    assert_eq!(mode("data/postly.db"), 0o600);

    // Files of an older version are closed, and the operator is told.
    let open = |name: &str, mode| {
        std::fs::set_permissions(site.path(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    open("data/postly.db", 0o644);
    open("data", 0o755);
    let log = site.path("log");
    let server = Starting::logging_to(&mut loose("serve"), &log).ready();
    for entry in site.path("data").read_dir().unwrap() {
        let entry = entry.unwrap().path();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.display());
    }
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("could read data/postly.db (mode 0644)"), "{text}");
    assert!(text.contains("chmod 700 data"), "{text}");
    drop(server);
}

#[test]
fn nothing_above_the_working_folder_configures_it() {
    let site = Site::unconfigured();
    std::fs::write(site.path(".env"), "DATABASE_URL=mysql://above\n").unwrap();
    let below = site.path("below");
    std::fs::create_dir(&below).unwrap();
    let mut command = site.postly();
    let migrated = run(command.current_dir(&below).arg("migrate"), "");
    assert!(migrated.status.success(), "{}", migrated.text);

    std::fs::write(below.join(".env"), "A=b\nPOSTLY_SECRET_KEY=canary secret \"x\n").unwrap();
    let refused = run(site.postly().current_dir(&below).arg("migrate"), "");
    assert!(refused.text.contains("line 2 is not NAME=value"), "{}", refused.text);
    assert!(!refused.text.contains("canary"), "{}", refused.text);
}

#[test]
fn no_password_in_a_url_is_repeated() {
    let site = Site::unconfigured();
    for (name, value) in [
        ("POSTLY_PUBLIC_URL", "https://ann:canary@posts.example"),
        ("DATABASE_URL", "postgres://ann:canary@127.0.0.1:1/none"),
        ("DATABASE_URL", "postgres://ann:canary@127.0.0.1:port/none"),
        ("DATABASE_URL", "postgres://127.0.0.1:1/none?pasword=canary"),
        ("POSTLY_MAIL_URL", "smtp://ann:canary@host:port"),
        // The configuration takes these for a number and a list.
        ("POSTLY_SECRET_KEY", "7766554433221100"),
        ("POSTLY_MAIL_URL", "7766554433221100"),
        ("DATABASE_URL", "7766554433221100"),
        ("DATABASE_URL", "[\"canary\"]"),
    ] {
        let mut command = site.postly();
        command.env("RUST_LOG", "trace").env("POSTLY_SECRET_KEY", crate::support::SECRET);
        let refused = run(command.env(name, value), "");
        assert_eq!(refused.status.code(), Some(1), "{value}: {}", refused.text);
        assert!(!refused.text.contains("canary"), "{}", refused.text);
        assert!(!refused.text.contains("776655"), "{}", refused.text);
        let is_checked = !value.starts_with("postgres://127.0.0.1:1/none") && !value.contains('@');
        assert!(refused.text.contains(name) || !is_checked, "{}", refused.text);
    }
}

#[test]
fn no_level_of_the_log_tells_a_token_or_a_password() {
    let site = Site::unconfigured();
    let log = site.path("log");
    let mut command = site.postly();
    command
        .env("RUST_LOG", "trace,rocket=trace,hyper=trace,sqlx=trace")
        .env("POSTLY_PUBLIC_URL", crate::support::ORIGIN);
    let server = Starting::logging_to(&mut command, &log).ready();
    let ann = server.newcomer("ann");
    ann.posts("Tides");
    assert_eq!(ann.get("/verify-email?token=canary-link").unwrap().status, 303);
    let token = ann.token.clone().unwrap();
    let cookie = ann.cookie().unwrap();
    eventually("the last request is logged", || {
        std::fs::read_to_string(&log).unwrap().contains("/verify-email")
    });
    drop(server);
    let text = std::fs::read_to_string(&log).unwrap();
    for secret in [&token, &cookie, PASSWORD, "canary-link", "Bearer "] {
        assert!(!text.contains(secret), "{secret:.30} in the log");
    }
}

#[test]
fn a_taken_port_names_its_variable() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let refused = run(Site::unconfigured().postly().env("ROCKET_PORT", &port), "");
    assert_eq!(refused.status.code(), Some(1), "{}", refused.text);
    let said = refused.text.contains(&port) && refused.text.contains("ROCKET_PORT");
    assert!(said && refused.text.contains("taken"), "{}", refused.text);
}

#[test]
fn a_hangup_is_survived_and_an_untrusted_proxy_is_told_of_once() {
    let site = Site::unconfigured();
    let log = site.path("log");
    let mut command = site.command("/usr/bin/prlimit");
    command.args(["--nofile=256:1000", env!("CARGO_BIN_EXE_postly")]);
    let server = Starting::logging_to(&mut command, &log).ready();
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.id())).unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().filter(|word| *word == "1000").count(), 2, "{files}");

    server.signal("HUP");
    let said = |what: &str| std::fs::read_to_string(&log).unwrap().matches(what).count();
    eventually("SIGHUP is logged", || said("SIGHUP") == 1);
    for _ in 0..3 {
        let ask = ureq::get(format!("{}/healthz", server.url));
        let answer = ask.header("X-Forwarded-For", "192.0.2.1").call().unwrap();
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(said("POSTLY_TRUSTED_PROXIES=127.0.0.1"), 1);
}

#[test]
fn connections_that_cannot_be_accepted_are_logged_once() {
    let site = Site::unconfigured();
    let log = site.path("log");
    let mut command = site.command("/usr/bin/prlimit");
    command.args(["--nofile=64:64", env!("CARGO_BIN_EXE_postly")]);
    let server = Starting::logging_to(&mut command, &log).ready();
    let address = server.url.strip_prefix("http://").unwrap();
    let text = || std::fs::read_to_string(&log).unwrap();
    let connections: Vec<_> =
        (0..100).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
    eventually("it is said", || text().contains("raise the limit"));
    drop(connections);
    eventually("it serves again", || {
        server.nobody().get("/healthz").is_ok_and(|a| a.status == 200)
    });
    assert_eq!(text().matches("cannot be accepted").count(), 1, "{}", text());
    assert!(!text().contains("accept error"), "{}", text());
}

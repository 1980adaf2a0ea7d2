//! `postly doctor` finds what is wrong, and mends what can be mended safely.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::support::PASSWORD;
use crate::support::binary::{Output, Site, Starting, eventually, run, wait_for};
use crate::support::database::is_postgres;
use crate::support::internals::{Db, sql};
use crate::support::mail_server::MailServer;

fn examine(site: &Site, arguments: &[&str], options: &[(&str, &str)]) -> Output {
    let mut command = site.postly();
    run(command.arg("doctor").args(arguments).envs(options.iter().copied()), "")
}

/// A site with a person and a post; its server has stopped.
fn lived_in() -> Site {
    let site = Site::new();
    let server = site.start();
    let ann = server.newcomer("ann");
    ann.posts("On tides");
    let bob = server.newcomer("bob");
    assert_eq!(bob.ask("PUT", "/posts/1/vote", Some(json!({}))).status, 200);
    drop(server);
    site
}

async fn execute(db: &Db, statements: &[&'static str]) {
    for statement in statements {
        sql(statement).execute(db.writer()).await.unwrap_or_else(|e| panic!("{statement}: {e}"));
    }
}

fn says(output: &Output, code: i32, sentences: &[&str]) {
    assert_eq!(output.status.code(), Some(code), "{}", output.text);
    for sentence in sentences {
        assert!(output.stdout.contains(sentence), "{sentence}\nis not in\n{}", output.text);
    }
}

#[test]
fn a_site_that_is_well_is_called_so() {
    let site = Site::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let url = format!("http://127.0.0.1:{port}");
    let mail = wait_for(MailServer::start("take", 0));
    let mail_url = mail.url();
    let options = [
        ("POSTLY_PUBLIC_URL", url.as_str()),
        ("POSTLY_MAIL_URL", &mail_url),
        ("POSTLY_MAIL_FROM", "post@posts.example"),
    ];
    let mut command = site.postly();
    command.env("ROCKET_PORT", port.to_string()).envs(options);
    let _server = Starting::of(&mut command).ready();
    if site.is_sqlite() {
        let backup = site.run(&["backup", "copy.db"], "");
        assert!(backup.status.success(), "{}", backup.text);
    }
    // The first start has closed what others could read.
    let output = examine(&site, &[], &options);
    says(
        &output,
        0,
        &[
            "ok       The configuration is sound.",
            "ok       Only the owner of Postly’s files can read them.",
            "ok       The database is intact.",
            "ok       The schema of the database is the one of this version.",
            "ok       The numbers of posts and votes are right.",
            "ok       The search finds all posts, comments and people.",
            "ok       No job waits for too long, and none was given up in the last day.",
            "ok       No event of the audit log was changed or removed.",
            "ok       The clocks of this machine and of the database agree.",
            "ok       The mail server can be reached.",
            "ok       The site can be reached at its public address.",
        ],
    );
}

#[test]
fn what_is_wrong_is_told_and_mended() {
    let site = lived_in();
    wait_for(async {
        let db = site.db().await;
        execute(
            &db,
            &[
                "UPDATE posts SET votes = votes + 7",
                "UPDATE user_counts SET posts = 40",
                "INSERT INTO tags (name, posts, created_at) VALUES \
                 ('sea', 4, '2026-01-01T00:00:00+00:00')",
                "DELETE FROM post_search",
                "DELETE FROM user_search",
                "DELETE FROM post_words",
                "DELETE FROM name_search",
                "INSERT INTO jobs (kind, payload, created_at, run_at) VALUES \
                 ('mail', 'null', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00+00:00')",
            ],
        )
        .await;
        db.close().await;
    });
    let open = site.path("postly.db");
    if site.is_sqlite() {
        fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let sick = [
        "failed   Numbers of posts or votes are wrong (postly doctor --fix):",
        "- post 1",
        "- tag 1",
        "failed   The search does not find everything (postly doctor --fix):",
        "- 6 posts, comments and people",
        "failed   Jobs have been due for more than 15 minutes. Is a server running?",
        "- mail: due since 2026-01-01 00:00:00 UTC",
        "warning  No mail server is configured",
        "warning  The site cannot be reached at its public address from this machine:",
    ];
    // Looking changes nothing.
    for _ in 0..2 {
        let output = examine(&site, &[], &[]);
        says(&output, 2, &sick);
        if site.is_sqlite() {
            says(&output, 2, &["warning  Other users of this machine can read files", "postly.db"]);
        }
    }
    let mended = examine(&site, &["--fix"], &[]);
    says(
        &mended,
        2,
        &[
            "ok       Numbers of posts or votes were wrong, and are right now:",
            "ok       The search did not find everything, and does now:",
            "failed   Jobs have been due",
        ],
    );
    let after = examine(&site, &[], &[]);
    says(&after, 2, &["ok       The numbers", "ok       The search finds"]);
    if site.is_sqlite() {
        assert_eq!(open.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let server = site.start();
    let post = server.nobody().ask("GET", "/posts/1", None).json;
    assert_eq!(post["votes"], 1, "{post}");
    let mut ann = server.nobody();
    ann.log_in(json!({"username": "ann", "password": PASSWORD}));
    let dashboard = ann.ask("GET", "/dashboard", None).json;
    assert_eq!((&dashboard["posts"], &dashboard["votes"]), (&json!(1), &json!(1)), "{dashboard}");
}

#[test]
fn damage_to_the_data_and_to_the_audit_log_is_noticed() {
    let site = lived_in();
    wait_for(async {
        let db = site.db().await;
        let last = "UPDATE audit_events SET at = '2040-01-01T00:00:00+00:00' \
             WHERE id = (SELECT id FROM audit_head)";
        let append_only = if is_postgres() {
            "ALTER TABLE audit_events DISABLE TRIGGER USER"
        } else {
            "DROP TRIGGER audit_events_stay"
        };
        execute(&db, &[append_only, last]).await;
        if is_postgres() {
            let invalid = "UPDATE pg_index SET indisvalid = false \
                 WHERE indexrelid = 'votes_post_id'::regclass";
            execute(&db, &[invalid]).await;
        }
        db.close().await;
    });
    if site.is_sqlite() {
        // The beginning of the page that holds the post.
        let path = site.path("postly.db");
        let mut bytes = fs::read(&path).unwrap();
        let page = 4096;
        let at = bytes.windows(8).position(|part| part == b"On tides").unwrap();
        let start = at / page * page;
        bytes[start..start + 8].fill(0xff);
        fs::write(&path, bytes).unwrap();
    }
    let output = examine(&site, &[], &[]);
    says(
        &output,
        2,
        &[
            "failed   The database is damaged. Stop Postly and restore a backup.",
            "failed   The audit log was changed:",
            "was changed\n",
            "warning  An event lies in the future",
        ],
    );
}

#[test]
fn a_mail_server_that_cannot_be_used_is_told() {
    let site = Site::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("smtp://127.0.0.1:{nobody}");
    let options = [("POSTLY_MAIL_URL", url.as_str()), ("POSTLY_MAIL_FROM", "post@posts.example")];
    let output = examine(&site, &[], &options);
    says(&output, 2, &["failed   The mail server cannot be used:"]);
    // Something that is not Postly answers there, and is not trusted.
    let mail = wait_for(MailServer::start("take", 0));
    let other = format!("https://127.0.0.1:{}", mail.port);
    let output = examine(&site, &[], &[("POSTLY_PUBLIC_URL", &other)]);
    says(&output, 1, &["warning  The site cannot be reached at its public address"]);
}

#[test]
fn without_a_configuration_or_a_database_it_says_so() {
    let site = Site::unconfigured();
    let wrong = examine(&site, &[], &[("POSTLY_PUBLIC_URL", "posts.example")]);
    says(&wrong, 2, &["failed   POSTLY_PUBLIC_URL must be"]);
    let missing = examine(&site, &[], &[]);
    says(&missing, 2, &["failed   there is no database at"]);
    assert!(!site.path("data/postly.db").exists(), "it created one");
}

/// What a server examines, it must go on to hold: a process that closes a file of its database loses
/// its locks on it, and then nobody notices that it is running.
#[test]
fn a_server_that_examined_itself_still_keeps_others_out() {
    let site = Site::new();
    if !site.is_sqlite() {
        return; // PostgreSQL has no locks on files.
    }
    assert!(site.run(&["backup", "copy.db"], "").status.success());
    assert!(site.run(&["user", "add", "root", "--admin"], PASSWORD).status.success());
    let server = site.start();
    let mut root = server.nobody();
    root.log_in(json!({"username": "root", "password": PASSWORD}));
    let refused = |when: &str| {
        let restored = site.run(&["restore", "copy.db"], "");
        assert!(restored.text.contains("a running Postly"), "{when}: {}", restored.text);
    };
    refused("before");
    assert_eq!(root.ask("POST", "/admin/checkup", Some(json!({}))).status, 204);
    eventually("the examination is finished", || {
        root.ask("GET", "/admin/checkup", None).json["running"] == false
    });
    refused("after");
}

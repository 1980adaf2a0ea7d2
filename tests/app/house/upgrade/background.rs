//! After an upgrade, the audit log is unbroken, and mails that waited are sent.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::json;

use super::Old;
use crate::support::ORIGIN;

#[rocket::async_test]
async fn the_audit_is_unbroken_and_still_holds_the_end_that_was_noted() {
    let old = Old::restore().await;
    let end = old.secret("audit_end");
    let run = |arguments: &[&str]| old.command().args(arguments).output().unwrap();
    let refused = run(&["audit", "verify", "--expect", end]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("run `postly migrate`"), "{said}");
    assert!(run(&["migrate"]).status.success());
    let verify = || {
        let done = run(&["audit", "verify", "--expect", end]);
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
        said
    };
    assert!(verify().starts_with("44 events, none changed or missing."), "{}", verify());
    let app = old.upgrade().await;
    let ann = app.log_in("ann").await;
    assert!(verify().starts_with("46 events"), "two log-ins were added: {}", verify());
    let about_gus = ann.api().get("/admin/audit?q=gus").await.json();
    let kinds = about_gus["items"].as_array().unwrap().iter().map(|event| &event["kind"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["user.deleted", "login", "registered"]);
    let own = ann.api().get("/me/events").await.json();
    let first = own["items"].as_array().unwrap().last().unwrap();
    assert_eq!((&first["kind"], &first["id"]), (&json!("registered"), &json!(1)));
}

/// A server that is killed at the end of the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Checks the e-mails that are sent rather than the table where they wait, which may change.
#[rocket::async_test]
async fn mails_that_waited_are_sent() {
    let old = Old::restore().await;
    let mails = old.folder.path().join("mails");
    let serving = old
        .command()
        .env("ROCKET_PORT", "0")
        .env("POSTLY_MAIL_URL", format!("file:{}", mails.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut server = Server(serving.unwrap());
    let log = BufReader::new(server.0.stderr.take().unwrap());
    let (said, lines) = channel();
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            let _ = said.send(line);
        }
    });
    let sent = || -> Vec<String> {
        let files = std::fs::read_dir(&mails).into_iter().flatten();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    };
    // It logs a line for each e-mail that it has written, so the log shows when to look again.
    while sent().len() < 5 {
        lines.recv_timeout(Duration::from_secs(60)).expect("all five waiting e-mails are sent");
    }
    drop(server);
    let mut seen: Vec<(String, &str)> = sent()
        .iter()
        .map(|mail| {
            let to = mail.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
            let links = ["/password-reset/new?token=", "/verify-email?token="];
            let link = links.into_iter().find(|link| mail.contains(&format!("{ORIGIN}{link}")));
            (to.to_owned(), link.unwrap_or_default())
        })
        .collect();
    seen.sort();
    let expected = [
        ("ann@mail.example", "/password-reset/new?token="),
        ("bob@mail.example", ""),
        ("erin@mail.example", "/verify-email?token="),
        ("finn@mail.example", ""),
        ("finn@new.example", "/verify-email?token="),
    ];
    assert_eq!(seen, expected.map(|(to, link)| (to.to_owned(), link)));
}

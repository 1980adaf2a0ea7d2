//! E-mail delivery: servers that misbehave, no server at all, and limits.

use crate::support::App;
use crate::support::internals::{now, pending_mails, sql};
use crate::support::mail_server::{MailServer, register, request_reset};
use serde_json::json;

mod addresses;
mod attempts;
mod refusals;
mod tls;

#[rocket::async_test]
async fn a_server_that_hangs_or_hangs_up_delays_nobody_and_loses_nothing() {
    for mode in ["hang", "drop"] {
        let bad = MailServer::start(mode, 0).await;
        let app = bad.site().await;
        app.user("ann").await;
        assert_eq!(request_reset(&app, "ann@mail.example").await.status, 204);
        assert_eq!(register(&app, "bob", "bob@mail.example").await.status, 201);
        let response = bad.next().await;
        assert!(response["connected"] == true || response["dropped"] == true, "{response}");
        assert_eq!(request_reset(&app, "ann@mail.example").await.status, 204, "nobody has to wait");
        assert_eq!(pending_mails(&app.db).await.unwrap(), 3, "{mode}: nothing is lost");
        let port = bad.port;
        drop(bad);
        all_failed_once(&app).await;
        let good = MailServer::start("take", port).await;
        retry_now(&app).await;
        let later = app.another().await;
        let mut to = [good.mail().await.0, good.mail().await.0];
        to.sort();
        assert_eq!(to, ["ann@mail.example", "bob@mail.example"], "{mode}");
        // Ann's first request was replaced by her second one: one mail has a link that works.
        while pending_mails(&app.db).await.unwrap() > 0 {
            rocket::tokio::task::yield_now().await;
        }
        drop(later);
    }
}

/// Waits until an attempt of every waiting e-mail has failed.
pub async fn all_failed_once(app: &App) {
    let untried = async || {
        sql("SELECT count(*) FROM jobs WHERE kind = 'mail' AND finished_at IS NULL \
             AND last_error IS NULL")
        .scalar::<i64>(&app.db)
        .await
        .unwrap()
    };
    while untried().await > 0 {
        rocket::tokio::task::yield_now().await;
    }
}

/// Makes the next attempt of every waiting e-mail due now instead of waiting for it.
pub async fn retry_now(app: &App) {
    sql("UPDATE jobs SET run_at = $1, last_error = NULL WHERE finished_at IS NULL")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
}

#[rocket::async_test]
async fn without_a_server_mails_are_kept_in_files_and_the_pages_say_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let folder_of_mails = folder.path().join("outbox");
    let url = format!("file:{}", folder_of_mails.display());
    let app = App::with(&[("mail_url", &url)]).await;
    let ann = app.user("ann").await;
    for path in ["/password-reset", "/register", "/me/email"] {
        let reader = if path == "/me/email" { &ann } else { &app.nobody() };
        let page = reader.page().get(path).await;
        assert!(page.body.contains("This site can’t send e-mail"), "{path}");
    }
    let taken = register(&app, "eve", "ann@mail.example").await;
    assert_eq!(taken.status, 409, "without a mail server, an address is accepted unconfirmed");
    request_reset(&app, "ann@mail.example").await;
    while pending_mails(&app.db).await.unwrap() > 0 {
        rocket::tokio::task::yield_now().await;
    }
    let files: Vec<_> =
        std::fs::read_dir(&folder_of_mails).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let reset = &files[0];
    let mail = std::fs::read_to_string(reset).unwrap();
    assert!(mail.contains("Subject: Set a new password") && mail.contains("To: ann@mail.example"));
    assert_eq!(reset.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let moved = ann.api().put("/me/email", json!({"email": "new@mail.example"})).await;
    assert_eq!((moved.status, &moved.json()["email"]), (200, &json!("new@mail.example")));
}

#[rocket::async_test]
async fn registering_fills_nobodys_post_box() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    for i in 0..8 {
        assert_eq!(register(&app, &format!("p{i}"), "victim@mail.example").await.status, 201);
    }
    request_reset(&app, "victim@mail.example").await;
    register(&app, "last", "last@mail.example").await;
    // In any order: several are under way at once.
    let mut to = Vec::new();
    for _ in 0..6 {
        to.push(server.mail().await.0);
    }
    while pending_mails(&app.db).await.unwrap() > 0 {
        rocket::tokio::task::yield_now().await;
    }
    assert_eq!(server.seen(), Vec::<serde_json::Value>::new());
    to.sort();
    assert_eq!(to, [&["last@mail.example"][..], &["victim@mail.example"; 5]].concat());
}

//! E-mail delivery: servers that misbehave, no server at all, and limits.

use crate::support::App;
use crate::support::internals::{now, pending_mails, sql};
use crate::support::mail_server::{MailServer, register, request_reset};
use serde_json::json;

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
        let good = MailServer::start("take", port).await;
        // Makes the next attempt due now instead of waiting for it.
        let due = async || {
            sql("UPDATE jobs SET run_at = $1, claimed_until = NULL")
                .bind(now())
                .execute(app.db.writer())
                .await
                .unwrap();
        };
        let later = app.another().await;
        due().await;
        let mut to = Vec::new();
        for _ in 0..3 {
            to.push(good.mail().await.0);
        }
        to.sort();
        assert_eq!(to, ["ann@mail.example", "ann@mail.example", "bob@mail.example"], "{mode}");
        drop(later);
    }
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
        let page = ann.page().get(path).await;
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
    let mut mails = 0;
    while server.mail().await.0 != "last@mail.example" {
        mails += 1;
    }
    assert_eq!(mails, 5);
}

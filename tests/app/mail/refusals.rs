//! E-mails that the server does not accept: for good (5xx), or for now (4xx).

use serde_json::{Value, json};

use super::{all_failed_once, retry_now};
use crate::support::internals::{pending_mails, sql};
use crate::support::mail_server::{MailServer, register};
use crate::support::{App, PASSWORD};

/// Waits until no e-mail is left to be sent.
async fn all_done(app: &App) {
    while pending_mails(&app.db).await.unwrap() > 0 {
        rocket::tokio::task::yield_now().await;
    }
}

#[rocket::async_test]
async fn what_is_refused_for_good_is_not_tried_again_and_the_account_says_so() {
    for (mode, reason) in [
        ("refuse-recipient", "the server said 550 5.1.1 … no such user"),
        ("refuse-text", "the server said 554 5.7.1 looks like spam"),
    ] {
        let bad = MailServer::start(mode, 0).await;
        let app = bad.site().await;
        register(&app, "ann", "ann@mail.example").await;
        all_failed_once(&app).await;
        let (attempts, failed, error): (i64, bool, String) =
            sql("SELECT attempts, failed, last_error FROM jobs WHERE kind = 'mail'")
                .one(&app.db)
                .await
                .unwrap();
        assert_eq!((attempts, failed, error.as_str()), (1, true, reason));
        let ann = app.log_in("ann").await;
        let me = ann.api().get("/me").await.json();
        assert_eq!(
            (&me["mail_failed_to"], &me["mail_failed_reason"]),
            (&json!("ann@mail.example"), &json!(reason))
        );
        let page = ann.page().get("/me").await.body;
        assert!(
            page.contains("could not deliver e-mail to ann@mail.example") && page.contains(reason)
        );

        // A later e-mail to the same address is accepted.
        let port = bad.port;
        drop(bad);
        let good = MailServer::start("take", port).await;
        assert_eq!(ann.page().post("/me/email/verification", &[]).await.status, 303);
        good.mail().await;
        all_done(&app).await;
        assert_eq!(ann.api().get("/me").await.json()["mail_failed_to"], Value::Null);
        assert!(!ann.page().get("/me").await.body.contains("could not deliver"));
    }
}

#[rocket::async_test]
async fn a_note_about_an_address_goes_with_the_address() {
    let bad = MailServer::start("refuse-recipient", 0).await;
    let app = bad.site().await;
    register(&app, "ann", "typo@mail.example").await;
    all_done(&app).await;
    let ann = app.log_in("ann").await;
    assert_eq!(ann.api().get("/me").await.json()["mail_failed_to"], "typo@mail.example");
    let port = bad.port;
    drop(bad);
    let _hanging = MailServer::start("hang", port).await;
    ann.api().post("/auth/sudo", json!({"password": PASSWORD})).await;
    let changed = ann.api().put("/me/email", json!({"email": "ann@mail.example"})).await;
    assert_eq!((changed.status, &changed.json()["mail_failed_to"]), (200, &Value::Null));
}

#[rocket::async_test]
async fn what_is_refused_for_now_is_tried_again() {
    let busy = MailServer::start("delay", 0).await;
    let app = busy.site().await;
    register(&app, "ann", "ann@mail.example").await;
    all_failed_once(&app).await;
    let (failed, error): (bool, String) =
        sql("SELECT failed, last_error FROM jobs WHERE kind = 'mail'").one(&app.db).await.unwrap();
    assert_eq!((failed, error.as_str()), (false, "the server said 451 4.7.1 try again later"));
    let ann = app.log_in("ann").await;
    assert_eq!(ann.api().get("/me").await.json()["mail_failed_to"], Value::Null);
    let port = busy.port;
    drop(busy);
    let good = MailServer::start("take", port).await;
    retry_now(&app).await;
    let _later = app.another().await;
    assert_eq!(good.mail().await.0, "ann@mail.example");
}

#[rocket::async_test]
async fn what_was_refused_for_two_days_is_given_up_and_said() {
    let busy = MailServer::start("delay", 0).await;
    let app = busy.site().await;
    register(&app, "ann", "ann@mail.example").await;
    all_failed_once(&app).await;
    sql("UPDATE jobs SET attempts = 49 WHERE kind = 'mail'")
        .execute(app.db.writer())
        .await
        .unwrap();
    retry_now(&app).await;
    let _later = app.another().await;
    all_done(&app).await;
    let me = app.log_in("ann").await.api().get("/me").await.json();
    assert_eq!(me["mail_failed_reason"], "the server said 451 4.7.1 try again later");
}

/// Otherwise a refusal would tell whether an address has an account.
#[rocket::async_test]
async fn a_refusal_about_a_taken_address_looks_like_any_other() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    let port = server.port;
    drop(server);
    let _bad = MailServer::start("refuse-recipient", port).await;
    register(&app, "eve", "ANN@mail.example").await;
    register(&app, "bob", "BOB@mail.example").await;
    all_done(&app).await;
    let mut notes = Vec::new();
    for name in ["eve", "bob"] {
        let me = app.log_in(name).await.api().get("/me").await.json();
        assert_eq!(me["mail_failed_to"], me["pending_email"]);
        notes.push(me["mail_failed_reason"].clone());
    }
    assert_eq!(notes[0], notes[1]);
    let ann = app.log_in("ann").await.api().get("/me").await.json();
    assert_eq!(ann["mail_failed_to"], Value::Null);
}

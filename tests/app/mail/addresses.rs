//! Addresses with other letters than ASCII.

use serde_json::{Value, json};

use crate::support::internals::{BACKFILLS, pending_mails, sql};
use crate::support::mail_server::{MailServer, link_token, register, request_reset};
use crate::support::{App, PASSWORD};

const UNICODE: &str = "ann@bücher.example";
const ASCII: &str = "ann@xn--bcher-kva.example";

async fn log_in(app: &App, email: &str) -> Value {
    let login = json!({"email": email, "password": PASSWORD});
    let tokens = app.nobody().api().post("/auth/login", login).await;
    if tokens.status != 200 {
        return json!(tokens.status);
    }
    let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
    app.nobody().with_token(&token).api().get("/me").await.json()["username"].clone()
}

#[rocket::async_test]
async fn two_spellings_of_a_domain_are_one_address() {
    let app = App::with(&[("mail_url", "file:/nonexistent")]).await;
    assert_eq!(register(&app, "ann", UNICODE).await.status, 201);
    for same in [ASCII, "ANN@BÜCHER.example", "ann@bu\u{308}cher.example"] {
        assert_eq!(register(&app, "eve", same).await.status, 409, "{same}");
        assert_eq!(log_in(&app, same).await, "ann", "{same}");
    }
}

#[rocket::async_test]
async fn mail_goes_to_the_domain_in_ascii() {
    let server = MailServer::start_with("take", 0, json!({"hideSMTPUTF8": true})).await;
    let app = server.site().await;
    register(&app, "ann", UNICODE).await;
    let (to, mail) = server.mail().await;
    // Without SMTPUTF8 only ASCII can be sent; the server of the test decodes what it reports.
    assert_eq!(to, UNICODE);
    assert!(mail.contains(&format!("To: {ASCII}")), "{mail}");
    let body = json!({"token": link_token(&mail)});
    assert_eq!(app.nobody().api().post("/auth/verify-email", body).await.status, 204);
    request_reset(&app, ASCII).await;
    let (to, mail) = server.mail().await;
    assert!(to == UNICODE && mail.contains("Set a new password"), "{to}");
}

#[rocket::async_test]
async fn other_letters_before_the_at_need_a_server_that_takes_them() {
    for (hidden, accepted) in [(false, true), (true, false)] {
        let options = json!({"hideSMTPUTF8": hidden});
        let server = MailServer::start_with("take", 0, options).await;
        let app = server.site().await;
        register(&app, "ann", "jürgen@mail.example").await;
        while pending_mails(&app.db).await.unwrap() > 0 {
            rocket::tokio::task::yield_now().await;
        }
        let me = app.log_in("ann").await.api().get("/me").await.json();
        if accepted {
            assert_eq!(server.mail().await.0, "jürgen@mail.example");
            assert_eq!(me["mail_failed_to"], Value::Null);
        } else {
            assert_eq!(me["mail_failed_to"], "jürgen@mail.example");
            assert!(me["mail_failed_reason"].as_str().unwrap().contains("SMTPUTF8"), "{me}");
        }
    }
}

#[rocket::async_test]
async fn older_accounts_are_found_by_both_spellings_and_none_is_lost() {
    let app = App::new().await;
    for (name, email) in
        [("ann", UNICODE), ("eve", "eve@bücher.example"), ("bob", "bob@mail.example")]
    {
        assert_eq!(register(&app, name, email).await.status, 201);
    }
    let set = async |name: &str, email: &str| {
        sql("UPDATE users SET email = $1, email_key = $1 WHERE username = $2")
            .bind(email)
            .bind(name)
            .execute(app.db.writer())
            .await
            .unwrap();
    };
    // As older versions stored them: two accounts for one address.
    set("ann", UNICODE).await;
    set("bob", ASCII).await;
    set("eve", "eve@bücher.example").await;
    sql("DELETE FROM backfills").execute(app.db.writer()).await.unwrap();
    app.db.migrate(BACKFILLS).await.unwrap();
    let keys: Vec<(String, String)> =
        sql("SELECT username, email_key FROM users ORDER BY id").all(&app.db).await.unwrap();
    let expected = [("ann", UNICODE), ("eve", "eve@xn--bcher-kva.example"), ("bob", ASCII)];
    assert_eq!(keys, expected.map(|(name, key)| (name.to_owned(), key.to_owned())));
    for (typed, name) in [
        (UNICODE, "ann"),
        (ASCII, "bob"),
        ("eve@bücher.example", "eve"),
        ("eve@xn--bcher-kva.example", "eve"),
    ] {
        assert_eq!(log_in(&app, typed).await, name, "{typed}");
    }
    assert_eq!(register(&app, "zoe", UNICODE).await.status, 409);
}

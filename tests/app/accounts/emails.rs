//! E-mail addresses: confirming and changing them, with a real mail server.

use rocket::futures::future::{join, join_all};
use rocket::http::Method::{Get, Post, Put};
use serde_json::json;

use crate::support::internals::{now, sha256, sql};
use crate::support::mail_server::{MailServer, link_token, register, request_reset};
use crate::support::permission::{MEMBERS_PAGE, Permission, api_only, both, page_only};
use crate::support::{App, ORIGIN, PASSWORD, Response};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/me/email", MEMBERS_PAGE),
        both(Put, "/me/email", [(303, 401), (303, 200), (303, 200), (303, 200)])
            .with(&[("email", "new@mail.example")]),
        // Theirs are confirmed already.
        both(Post, "/me/email/verification", [(303, 401), (409, 409), (409, 409), (409, 409)]),
        // The link does not exist.
        page_only(Get, "/verify-email", [404; 4]),
        page_only(Post, "/verify-email", [422; 4]),
        api_only(Post, "/auth/verify-email", [401; 4]),
    ]
}

#[rocket::async_test]
async fn an_address_is_confirmed_through_its_mail() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    let created = register(&app, "ann", "ann@mail.example").await;
    assert_eq!(created.status, 201);
    let account = created.json();
    assert_eq!(account["pending_email"], "ann@mail.example");
    assert_eq!((&account["email"], &account["email_verified"]), (&json!(null), &json!(false)));
    let (to, mail) = server.mail().await;
    assert_eq!(to, "ann@mail.example");
    assert!(mail.contains("Subject: Confirm your e-mail address"), "{mail}");
    assert!(mail.contains("From: Postly <post@postly.test>") && mail.contains("Hello ann,"));
    assert!(mail.contains("Content-Type: text/plain") && mail.contains("Content-Type: text/html"));
    let token = link_token(&mail);
    assert_eq!(token.len(), 43, "256 bits");
    assert!(mail.contains(&format!("{ORIGIN}/verify-email?token={token}")));
    let login = json!({"email": "ann@mail.example", "password": PASSWORD});
    let early = app.nobody().api().post("/auth/login", login.clone()).await;
    assert_eq!(early.status, 401, "an address takes effect once it is confirmed");

    // A browser opens the link, perhaps one without the session.
    let opened = app.nobody().page().get(&format!("/verify-email?token={token}")).await;
    assert_eq!((opened.status, opened.header("location")), (303, Some("/verify-email")));
    let cookie = opened.cookie("postly_link_verify").unwrap();
    assert_eq!(cookie, token);
    let form =
        app.nobody().with_cookie("postly_link_verify", &cookie).page().get("/verify-email").await;
    assert!(form.status == 200 && !form.body.contains(&token));
    assert_eq!(
        app.log_in("ann").await.api().get("/me").await.json()["email_verified"],
        false,
        "opening it confirms nothing"
    );
    let done = app
        .nobody()
        .with_cookie("postly_link_verify", &cookie)
        .page()
        .post("/verify-email", &[])
        .await;
    assert_eq!((done.status, done.cookie("postly_link_verify").as_deref()), (303, Some("")));
    let me = app.log_in("ann").await.api().get("/me").await.json();
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("ann@mail.example"), &json!(true)));
    assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 200);
    let again = app
        .nobody()
        .with_cookie("postly_link_verify", &cookie)
        .page()
        .post("/verify-email", &[])
        .await;
    assert_eq!(again.status, 422, "it works once");
    let used = app.nobody().api().post("/auth/verify-email", json!({"token": token})).await;
    assert_eq!(used.status, 401);
}

#[rocket::async_test]
async fn registering_with_a_taken_address_is_answered_alike_and_its_owner_is_mailed() {
    let server = MailServer::start("take", 0).await;
    let app = server.site_with(&[("email_required", "true")]).await;
    let none = json!({"username": "ann", "password": PASSWORD});
    let refused = app.nobody().api().post("/auth/register", none).await;
    assert_eq!((refused.status, refused.field_errors()), (422, vec!["email".to_owned()]));
    register(&app, "ann", "ann@mail.example").await;
    let token = link_token(&server.mail().await.1);
    app.nobody().api().post("/auth/verify-email", json!({"token": token})).await;

    let taken = register(&app, "eve", "ANN@mail.example").await;
    let fresh = register(&app, "bob", "bob@mail.example").await;
    let strip = |response: &Response| {
        let mut account = response.json();
        for field in ["id", "username", "pending_email", "created_at"] {
            account[field] = json!("");
        }
        (response.status, account)
    };
    assert_eq!(strip(&taken), strip(&fresh));
    // In any order: several are under way at once.
    let mut mails = [server.mail().await, server.mail().await];
    mails.sort();
    let [(to, mail), (other, confirm)] = mails;
    assert_eq!(to, "ann@mail.example", "as it was confirmed, not as it was entered");
    assert!(mail.contains("already registered") && !mail.contains("token="), "{mail}");
    assert!(mail.contains("Hello ann,") && !mail.contains("eve"), "{mail}");
    assert!(other == "bob@mail.example" && confirm.contains("Confirm"), "{confirm}");
    let form = [("username", "eva"), ("email", "ann@mail.example"), ("password", PASSWORD)];
    let page = app.nobody().page().post("/register", &form).await;
    assert_eq!((page.status, page.header("location")), (303, Some("/")));
}

#[rocket::async_test]
async fn another_address_is_confirmed_first_and_the_old_one_is_told() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    let ann = app.user("ann").await;
    sql("UPDATE sessions SET proved_at = NULL").execute(app.db.writer()).await.unwrap();
    let new = json!({"email": "new@mail.example"});
    assert_eq!(
        ann.api().put("/me/email", new.clone()).await.status,
        401,
        "the password is required first"
    );
    ann.api().post("/auth/sudo", json!({"password": PASSWORD})).await;
    let asked = ann.api().put("/me/email", new).await;
    assert_eq!((asked.status, &asked.json()["pending_email"]), (200, &json!("new@mail.example")));
    assert_eq!(asked.json()["email"], "ann@mail.example", "until the new one is confirmed");
    let mut mails = [server.mail().await, server.mail().await];
    mails.sort();
    assert!(mails[0].0 == "ann@mail.example" && mails[0].1.contains("about to change"));
    assert!(mails[0].1.contains("new@mail.example") && !mails[0].1.contains("token="));
    assert_eq!(mails[1].0, "new@mail.example");
    let body = json!({"token": link_token(&mails[1].1)});
    assert_eq!(app.nobody().api().post("/auth/verify-email", body).await.status, 204);
    assert_eq!(ann.api().get("/me").await.json()["email"], "new@mail.example");
    let (to, mail) = server.mail().await;
    assert!(to == "ann@mail.example" && mail.contains("has changed"), "{mail}");
}

/// Both lock the person first, then the links: on PostgreSQL they would deadlock otherwise.
#[rocket::async_test]
async fn confirmations_and_changes_at_the_same_time_do_not_block_each_other() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let token = ann.token.as_deref().unwrap();
    for round in 0..12 {
        let tokens: Vec<String> = (0..3).map(|n| format!("link {round} {n}")).collect();
        for token in &tokens {
            sql("INSERT INTO link_tokens (hash, user_id, purpose, email, expires_at) \
                 VALUES ($1, $2, 'verify', 'ann@mail.example', $3)")
            .bind(sha256(token))
            .bind(ann.id)
            .bind(now() + chrono::Duration::minutes(1))
            .execute(app.db.writer())
            .await
            .unwrap();
        }
        let everywhere: Vec<_> = (0..3)
            .map(|n| app.nobody().with_token(token).from(&format!("10.1.{round}.{n}")))
            .collect();
        let confirmations = join_all(everywhere.iter().zip(&tokens).map(|(ann, token)| {
            let body = json!({"token": token});
            async move { ann.api().post("/auth/verify-email", body).await.status }
        }));
        let changes = join_all(everywhere.iter().enumerate().map(|(n, ann)| {
            let body = json!({"email": format!("ann{n}@mail.example")});
            async move { ann.api().put("/me/email", body).await.status }
        }));
        let (confirmed, changed) = join(confirmations, changes).await;
        assert!(confirmed.iter().all(|status| matches!(status, 204 | 401)), "{confirmed:?}");
        assert_eq!(changed, [200; 3]);
    }
}

#[rocket::async_test]
async fn posting_can_wait_for_a_confirmed_address() {
    let server = MailServer::start("take", 0).await;
    let app = server.site_with(&[("posting_needs_verified_email", "true")]).await;
    register(&app, "ann", "ann@mail.example").await;
    let ann = app.log_in("ann").await;
    let draft = json!({"title": "T", "content": "C"});
    let early = ann.api().post("/posts", draft.clone()).await;
    assert_eq!(early.status, 403);
    assert!(early.body.contains("Confirm your e-mail address"));
    let page = ann.page().post("/posts", &[("title", "Typed"), ("content", "Long work")]).await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("Long work"), "the input is kept");
    let token = link_token(&server.mail().await.1);
    assert_eq!(ann.page().post("/me/email/verification", &[]).await.status, 303);
    let newer = link_token(&server.mail().await.1);
    let verify = async |token: &str| {
        app.nobody().api().post("/auth/verify-email", json!({"token": token})).await.status
    };
    assert_eq!((verify(&token).await, verify(&newer).await), (401, 204));
    assert_eq!(ann.api().post("/posts", draft).await.status, 201);
    assert_eq!(ann.api().post("/me/email/verification", json!({})).await.status, 409);
}

#[rocket::async_test]
async fn links_opened_side_by_side_keep_their_own_secrets() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    register(&app, "bob", "bob@mail.example").await;
    let verify = link_token(&server.mail().await.1);
    request_reset(&app, "ann@mail.example").await;
    let reset = link_token(&server.mail().await.1);
    let opened = app.nobody().page().get(&format!("/verify-email?token={verify}")).await;
    let first = opened.cookie("postly_link_verify").unwrap();
    let browser = app.nobody().with_cookie("postly_link_verify", &first);
    let opened = browser.page().get(&format!("/password-reset/new?token={reset}")).await;
    assert_eq!(opened.cookie("postly_link_verify"), None, "it is left alone");
    let second = opened.cookie("postly_link_reset").unwrap();
    let new = [("password", "seven marble lanterns drift")];
    let by_reset = app.nobody().with_cookie("postly_link_reset", &second);
    assert_eq!(by_reset.page().post("/password-reset/new", &new).await.status, 303);
    assert_eq!(browser.page().post("/verify-email", &[]).await.status, 303);
}

#[rocket::async_test]
async fn without_a_link_or_log_in_the_page_says_so_before_it_is_filled_in() {
    let app = App::new().await;
    for (path, cookie, leads_to) in [
        ("/verify-email", "postly_link_verify", "href=\"/me\""),
        ("/password-reset/new", "postly_link_reset", "href=\"/password-reset\""),
        ("/login/code", "postly_login", "href=\"/login\""),
    ] {
        let form = format!("action=\"{path}\"");
        let wrong = app.nobody().with_cookie(cookie, "unknown");
        for page in [app.nobody().page().get(path).await, wrong.page().get(path).await] {
            assert_eq!(page.status, 404, "{path}");
            assert!(!page.body.contains(&form) && page.body.contains(leads_to), "{}", page.body);
            assert!(page.body.contains("role=\"alert\""), "{path}");
        }
    }
}

//! Forgotten passwords, with a real mail server.

use rocket::futures::future::join_all;
use rocket::http::Method::{Get, Post};
use rocket::http::{ContentType, Header};
use serde_json::json;

use crate::support::internals::{now, sha256, sql};
use crate::support::mail_server::{MailServer, link_token, request_reset};
use crate::support::permission::{Permission, api_only, page_only};
use crate::support::{App, ORIGIN, PASSWORD, Phone, Response, send};

const NEW: &str = "seven marble lanterns drift";

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/password-reset", [200; 4]),
        page_only(Post, "/password-reset", [303; 4]).with(&[("email", "new@mail.example")]),
        api_only(Post, "/auth/password-reset", [204; 4]).with(&[("email", "new@mail.example")]),
        // The link does not exist.
        page_only(Get, "/password-reset/new", [404; 4]),
        page_only(Post, "/password-reset/new", [422; 4]).with(UNKNOWN),
        api_only(Post, "/auth/password-reset/new", [401; 4]).with(UNKNOWN),
    ]
}

const UNKNOWN: &[(&str, &str)] = &[("token", "unknown"), ("password", PASSWORD)];

#[rocket::async_test]
async fn a_forgotten_password_is_reset_once_and_everything_ends() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    let ann = app.user("ann").await;
    let draft = json!({"name": "x", "scopes": "account"});
    let program = ann.api().post("/me/tokens", draft).await.json();
    let program = app.nobody().with_token(program["token"].as_str().unwrap());
    let form = [("email", "ann@mail.example")];
    let asked = app.nobody().page().post("/password-reset", &form).await;
    assert_eq!((asked.status, asked.header("location")), (303, Some("/login")));
    let (to, mail) = server.mail().await;
    assert!(to == "ann@mail.example" && mail.contains("Subject: Set a new password"));
    let token = link_token(&mail);
    let opened = app.nobody().page().get(&format!("/password-reset/new?token={token}")).await;
    assert_eq!(opened.header("location"), Some("/password-reset/new"));
    for _ in 0..3 {
        let page = app
            .nobody()
            .with_cookie("postly_link_reset", &token)
            .page()
            .get("/password-reset/new")
            .await;
        assert!(
            page.status == 200 && !page.body.contains(&token),
            "opening the link does not consume it"
        );
    }
    let weak = [("password", "short")];
    let refused = app
        .nobody()
        .with_cookie("postly_link_reset", &token)
        .page()
        .post("/password-reset/new", &weak)
        .await;
    assert_eq!(refused.status, 422, "a rejected password does not consume the link");
    assert_eq!(ann.page().get("/me").await.status, 200);
    let good = [("password", NEW)];
    let done = app
        .nobody()
        .with_cookie("postly_link_reset", &token)
        .page()
        .post("/password-reset/new", &good)
        .await;
    assert_eq!((done.status, done.header("location")), (303, Some("/login")));
    assert_eq!(done.cookie("postly"), None, "it does not log in");
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert_eq!(program.api().get("/me").await.status, 401);
    let login = |password: &str| json!({"username": "ann", "password": password});
    assert_eq!(app.nobody().api().post("/auth/login", login(PASSWORD)).await.status, 401);
    assert_eq!(app.nobody().api().post("/auth/login", login(NEW)).await.status, 200);
    assert!(server.mail().await.1.contains("Your password has changed"), "the owner is notified");
    let again = json!({"token": token, "password": NEW});
    assert_eq!(app.nobody().api().post("/auth/password-reset/new", again).await.status, 401);
}

#[rocket::async_test]
async fn of_twenty_parallel_resets_one_works() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    request_reset(&app, "ann@mail.example").await;
    let token = link_token(&server.mail().await.1);
    let all = join_all((0..20).map(|i| {
        let nobody = app.nobody().from(&format!("192.0.2.{i}"));
        let body = json!({"token": token, "password": format!("{NEW} {i}")});
        async move { nobody.api().post("/auth/password-reset/new", body).await.status }
    }))
    .await;
    let count = |status| all.iter().filter(|s| **s == status).count();
    assert_eq!((count(204), count(401)), (1, 19), "{all:?}");
}

#[rocket::async_test]
async fn a_newer_link_voids_the_older_and_time_voids_both() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    request_reset(&app, "ann@mail.example").await;
    let older = link_token(&server.mail().await.1);
    request_reset(&app, "ann@mail.example").await;
    let newer = link_token(&server.mail().await.1);
    let reset = async |token: &str| {
        let body = json!({"token": token, "password": NEW});
        app.nobody().api().post("/auth/password-reset/new", body).await.status
    };
    assert_eq!(reset(&older).await, 401);
    let kept: Vec<(String,)> =
        sql("SELECT hash FROM link_tokens WHERE ended_at IS NULL").all(&app.db).await.unwrap();
    assert_eq!(kept, [(sha256(&newer),)], "only the hash is stored");
    let verify = json!({"token": newer});
    let crossed = app.nobody().api().post("/auth/verify-email", verify).await;
    assert_eq!(crossed.status, 401, "a link is for one purpose");
    let as_access = app.nobody().with_token(&newer);
    assert_eq!(as_access.api().get("/me").await.status, 401, "and is not an access token");
    sql("UPDATE link_tokens SET expires_at = $1")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(reset(&newer).await, 401);
    let access = app.log_in("ann").await.token.unwrap();
    assert_eq!(reset(&access).await, 401, "an access token is not a link token");
}

#[rocket::async_test]
async fn links_follow_the_configuration_not_the_request() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    let headers = vec![
        ContentType::JSON.into(),
        Header::new("Host", "evil.example"),
        Header::new("X-Forwarded-Host", "evil.example"),
        Header::new("X-Forwarded-Proto", "https"),
    ];
    let body = json!({"email": "ann@mail.example"}).to_string();
    let path = "/api/v1/auth/password-reset";
    assert_eq!(send(&app, Post, path, headers, Some(body)).await.status, 204);
    let (_, mail) = server.mail().await;
    assert!(
        mail.contains(&format!("{ORIGIN}/password-reset/new?token=")) && !mail.contains("evil")
    );
}

#[rocket::async_test]
async fn asking_for_a_reset_tells_nothing_about_who_is_here() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    let strip = |response: Response| (response.status, response.body, response.headers.len());
    let unknown = strip(request_reset(&app, "zoe@mail.example").await);
    let known = strip(request_reset(&app, "ann@mail.example").await);
    assert_eq!(unknown, known);
    assert_eq!(server.mail().await.0, "ann@mail.example", "the unknown address got no e-mail");
    // An inbox cannot be flooded either, and the response does not reveal the limit.
    for _ in 0..8 {
        assert_eq!(request_reset(&app, "ann@mail.example").await.status, 204);
    }
    let (sent,): (i64,) = sql("SELECT count FROM throttles WHERE key LIKE 'mails:%' AND count > 5")
        .one(&app.db)
        .await
        .unwrap();
    assert_eq!(sent, 9);
    for bad in ["", "nowhere", "a@b\r\nBcc: x@mail.example"] {
        assert_eq!(request_reset(&app, bad).await.status, 422, "{bad:?}");
    }
}

#[rocket::async_test]
async fn a_reset_goes_to_the_address_as_it_is_kept() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    // The same to us, but perhaps somebody else's mailbox.
    for spelt in ["ANN@Mail.example", "\u{ff41}nn@mail.example"] {
        assert_eq!(request_reset(&app, spelt).await.status, 204);
        assert_eq!(server.mail().await.0, "ann@mail.example", "{spelt}");
    }
}

/// Both lock the person first, then the links: on PostgreSQL they would deadlock otherwise.
#[rocket::async_test]
async fn resets_and_changes_at_the_same_time_do_not_block_each_other() {
    let app = App::new().await;
    app.user("ann").await;
    for round in 0..12 {
        let ann = app.log_in("ann").await;
        let (user,): (i64,) = sql("SELECT id FROM users").one(&app.db).await.unwrap();
        let tokens: Vec<String> = (0..3).map(|n| format!("link {round} {n}")).collect();
        for token in &tokens {
            sql("INSERT INTO link_tokens (hash, user_id, purpose, email, expires_at) \
                 VALUES ($1, $2, 'reset', 'ann@mail.example', $3)")
            .bind(sha256(token))
            .bind(user)
            .bind(now() + chrono::Duration::minutes(1))
            .execute(app.db.writer())
            .await
            .unwrap();
        }
        let resets = join_all(tokens.iter().enumerate().map(|(n, token)| {
            let nobody = app.nobody().from(&format!("10.1.{round}.{n}"));
            let body = json!({"token": token, "password": PASSWORD});
            async move { nobody.api().post("/auth/password-reset/new", body).await.status }
        }));
        let changes = join_all((0..3).map(|_| {
            let change = json!({"current": PASSWORD, "password": PASSWORD});
            let ann = &ann;
            async move { ann.api().put("/me/password", change).await.status }
        }));
        let (resets, changes) = rocket::futures::future::join(resets, changes).await;
        assert!(resets.iter().all(|status| matches!(status, 204 | 401)), "{resets:?}");
        assert!(changes.iter().all(|status| matches!(status, 204 | 401 | 422)), "{changes:?}");
    }
}

#[rocket::async_test]
async fn a_new_password_by_mail_does_not_replace_the_second_factor() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    let ann = app.user("ann").await;
    let (_, codes) = Phone::set_up(&ann).await;
    assert!(server.mail().await.1.contains("Subject: Two-factor log-in is on"));
    request_reset(&app, "ann@mail.example").await;
    let body = json!({"token": link_token(&server.mail().await.1), "password": NEW});
    assert_eq!(app.nobody().api().post("/auth/password-reset/new", body).await.status, 204);
    let log_in = async |code: Option<&str>| {
        let login = json!({"username": "ann", "password": NEW, "code": code});
        app.nobody().api().post("/auth/login", login).await
    };
    let half = log_in(None).await;
    assert_eq!((half.status, half.field_errors()), (401, vec!["code".to_owned()]));
    assert_eq!(log_in(Some(&codes[0])).await.status, 200);
}

#[rocket::async_test]
async fn a_link_works_for_half_an_hour_and_says_so() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    let before = now();
    request_reset(&app, "ann@mail.example").await;
    assert!(server.mail().await.1.contains("30 minutes"));
    let (end,): (chrono::DateTime<chrono::Utc>,) =
        sql("SELECT expires_at FROM link_tokens").one(&app.db).await.unwrap();
    let half_an_hour = chrono::Duration::minutes(30);
    assert!(end >= before + half_an_hour && end <= now() + half_an_hour, "{end}");
}

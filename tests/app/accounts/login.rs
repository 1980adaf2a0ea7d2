//! Logging in and out.

use rocket::http::Method::{Get, Post};
use rocket::http::{ContentType, Header};
use serde_json::json;

use crate::support::internals::sql;
use crate::support::permission::{Permission, api_only, page_only};
use crate::support::{App, ORIGIN, PASSWORD, encode, send};

const LOGIN: &[(&str, &str)] = &[("username", "aa"), ("password", PASSWORD)];

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/login", [200, 303, 303, 303]),
        page_only(Post, "/login", [303; 4]).with(LOGIN),
        api_only(Post, "/auth/login", [200; 4]).with(LOGIN),
        page_only(Post, "/logout", [303; 4]),
        api_only(Post, "/auth/logout", [401, 204, 204, 204]),
    ]
}

#[rocket::async_test]
async fn people_log_in_by_name_or_e_mail() {
    let app = App::new().await;
    app.user("ann").await;
    for login in [
        json!({"username": "ann", "password": PASSWORD}),
        json!({"username": "ANN", "password": PASSWORD}),
        json!({"email": "Ann@mail.example", "password": PASSWORD}),
        json!({"username": "ann@mail.example", "password": PASSWORD}),
    ] {
        let tokens = app.nobody().api().post("/auth/login", login.clone()).await;
        assert_eq!(tokens.status, 200, "{login}");
        assert_eq!(tokens.json()["token_type"], "Bearer");
    }
    let form = [("username", "ann@mail.example"), ("password", PASSWORD), ("next", "/posts/new")];
    let page = app.nobody().page().post("/login", &form).await;
    assert_eq!((page.status, page.header("location")), (303, Some("/posts/new")));
}

#[rocket::async_test]
async fn unknown_and_wrong_are_answered_alike() {
    let app = App::new().await;
    app.user("ann").await;
    let strip = |body: &str| {
        let mut problem: serde_json::Value = serde_json::from_str(body).unwrap();
        problem["request_id"] = json!("");
        problem
    };
    let login = |name: &str| json!({"username": name, "password": "some other long words"});
    let wrong = app.nobody().api().post("/auth/login", login("ann")).await;
    let unknown = app.nobody().api().post("/auth/login", login("zoe")).await;
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert!(wrong.header("www-authenticate").is_some());
    assert_eq!(strip(&wrong.body), strip(&unknown.body));

    let form = [("username", "ann"), ("password", "some other long words")];
    let page = app.nobody().page().post("/login", &form).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("Wrong username, e-mail or password"));
    assert!(page.body.contains("value=\"ann\""), "the name is kept");
    assert!(page.cookie("postly").is_none());
}

#[rocket::async_test]
async fn after_log_in_only_places_of_this_site_are_gone_to() {
    let app = App::new().await;
    app.user("ann").await;
    for evil in ["//evil.example", "/\\evil.example", "javascript:alert(1)", "https://evil.example"]
    {
        let form = [("username", "ann"), ("password", PASSWORD), ("next", evil)];
        let page = app.nobody().page().post("/login", &form).await;
        assert_eq!((page.status, page.header("location")), (303, Some("/")), "{evil}");
    }
}

#[rocket::async_test]
async fn logging_out_ends_every_copy_of_the_token() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    assert_eq!(ann.api().get("/me").await.status, 200);
    assert_eq!(ann.api().post("/auth/logout", json!({})).await.status, 204);
    let replayed = ann.api().get("/me").await;
    assert_eq!(replayed.status, 401);
    assert!(replayed.header("www-authenticate").unwrap().starts_with("Bearer"));
    assert_eq!(
        ann.api().get("/posts").await.status,
        401,
        "an invalid token is an error, not an anonymous request"
    );

    assert_eq!(ann.page().get("/me").await.status, 200, "the other session stays open");
    let out = ann.page().post("/logout", &[]).await;
    assert_eq!((out.status, out.cookie("postly").as_deref()), (303, Some("")));
    assert_eq!(out.header("clear-site-data"), Some("\"cache\""));
    let replayed = ann.page().get("/me").await;
    assert_eq!((replayed.status, replayed.header("location")), (303, Some("/login?next=%2Fme")));
    assert_eq!(ann.page().get("/").await.status, 200, "public pages stay open");
}

#[rocket::async_test]
async fn nobody_is_told_to_be_logged_out_while_the_database_is_gone() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    app.db.close().await;
    let page = ann.page().post("/logout", &[]).await;
    assert_eq!((page.status, page.header("retry-after")), (503, Some("5")));
    assert_eq!(page.cookie("postly"), None, "the cookie is kept for another try");
    assert!(!page.body.contains("You are logged out") && page.cookie("postly_flash").is_none());
    assert_eq!(ann.api().post("/auth/logout", json!({})).await.status, 503);
}

#[rocket::async_test]
async fn logging_in_again_rotates_the_session() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = [("username", "ann"), ("password", PASSWORD)];
    let again = ann.page().post("/login", &form).await;
    assert_ne!(again.cookie("postly"), ann.cookie);
    assert_eq!(ann.page().get("/me").await.status, 303, "the previous session has ended");
}

#[rocket::async_test]
async fn hashes_from_elsewhere_still_log_in_and_are_upgraded() {
    let app = App::new().await;
    app.user("ann").await;
    let foreign = bcrypt::hash("an old plain password", 4).unwrap();
    let set = async |hash: &str| {
        sql("UPDATE users SET password_hash = $1")
            .bind(hash)
            .execute(app.db.writer())
            .await
            .unwrap()
    };
    set(&foreign).await;
    let login = json!({"username": "ann", "password": "an old plain password"});
    assert_eq!(app.nobody().api().post("/auth/login", login.clone()).await.status, 200);
    let (kept,): (String,) = sql("SELECT password_hash FROM users").one(&app.db).await.unwrap();
    assert!(kept.starts_with("$postly-hs384$2b$"), "{kept}");
    assert_eq!(app.nobody().api().post("/auth/login", login.clone()).await.status, 200);
    set("corrupt").await;
    assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 401);
}

#[rocket::async_test]
async fn a_huge_password_at_log_in_is_simply_wrong() {
    let app = App::new().await;
    app.user("ann").await;
    let login = json!({"username": "ann", "password": PASSWORD.repeat(30_000)});
    assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 401);
}

#[rocket::async_test]
async fn an_empty_site_has_no_account_to_log_in_to() {
    let app = App::new().await;
    let (people,): (i64,) = sql("SELECT count(*) FROM users").one(&app.db).await.unwrap();
    assert_eq!(people, 0);
    for name in ["admin", "root", "postly"] {
        for password in ["admin", "password", "postly"] {
            let login = encode(&[("username", name), ("password", password)]);
            let headers = vec![Header::new("Origin", ORIGIN), ContentType::Form.into()];
            let response = send(&app, Post, "/login", headers, Some(login)).await;
            assert!(matches!(response.status, 422 | 429), "{name}");
        }
    }
}

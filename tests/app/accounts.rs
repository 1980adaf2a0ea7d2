//! Registering, logging in and out, me, dashboard.

use crate::support::{App, PASSWORD};
use postly::db::sql;
use rocket::futures::future::join_all;
use serde_json::json;

#[rocket::async_test]
async fn registering_makes_an_ordinary_account_whatever_else_is_sent() {
    let app = App::new().await;
    let made = app
        .nobody()
        .api()
        .post(
            "/auth/register",
            json!({"username": " Ann ", "password": PASSWORD,
            "email": "ann@mail.example", "role": "admin", "id": 77}),
        )
        .await;
    assert_eq!(made.status, 201);
    assert_eq!(made.header("location"), Some("/api/v1/users/Ann"));
    let account = made.json();
    assert_eq!(account["username"], "Ann");
    assert_eq!(account["role"], "user");
    assert_eq!(account["id"], 1);
    assert!(!made.body.contains("password"), "{}", made.body);

    let form = [("username", "bob"), ("password", PASSWORD), ("role", "admin"), ("email", "")];
    let page = app.nobody().page().post("/register", &form).await;
    assert_eq!((page.status, page.header("location")), (303, Some("/")));
    let bob = crate::support::Person { cookie: page.cookie("postly"), ..app.nobody() };
    let me = bob.page().get("/me").await;
    assert!(me.body.contains("<dd>user</dd>") && me.body.contains("bob"), "{}", me.body);
}

#[rocket::async_test]
async fn an_invalid_registration_comes_back_with_what_was_typed() {
    let app = App::new().await;
    let bad = json!({"username": "a b", "email": "nowhere", "password": "short"});
    let refused = app.nobody().api().post("/auth/register", bad).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.complaints(), ["username", "email", "password"]);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));

    let form = [("username", "a b"), ("email", "nowhere"), ("password", "hunter2hunter2!")];
    let page = app.nobody().page().post("/register", &form).await;
    assert_eq!(page.status, 422);
    for part in ["value=\"a b\"", "value=\"nowhere\"", "id=\"username-error\"", "href=\"#email\""] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    assert!(!page.body.contains("hunter2"), "a password came back");
    let nothing = app.nobody().api().post("/auth/register", json!({})).await;
    assert_eq!((nothing.status, nothing.complaints().len()), (422, 2));
}

#[rocket::async_test]
async fn a_taken_name_is_a_conflict_in_any_spelling() {
    let app = App::new().await;
    app.user("ann").await;
    for name in ["ann", "ANN", " ann ", "ａｎｎ"] {
        let again = json!({"username": name, "password": PASSWORD});
        let refused = app.nobody().api().post("/auth/register", again).await;
        assert_eq!((refused.status, refused.complaints()), (409, vec!["username".to_owned()]));
        let form = [("username", name), ("password", PASSWORD)];
        let page = app.nobody().page().post("/register", &form).await;
        assert_eq!(page.status, 409);
        assert!(page.body.contains("taken"));
    }
    let mail = json!({"username": "bob", "email": "ANN@mail.example", "password": PASSWORD});
    let refused = app.nobody().api().post("/auth/register", mail).await;
    assert_eq!((refused.status, refused.complaints()), (409, vec!["email".to_owned()]));
}

#[rocket::async_test]
async fn fifty_at_once_make_one_account() {
    let app = App::new().await;
    let spellings = ["eve", "EVE", "Eve ", "ｅｖｅ", "eVe"];
    let everywhere: Vec<_> =
        (0..50).map(|i| app.nobody().from(&format!("192.0.2.{}", i / 10))).collect();
    let all = join_all(everywhere.iter().enumerate().map(|(i, nobody)| {
        let newcomer = json!({"username": spellings[i % 5], "password": PASSWORD});
        async move { nobody.api().post("/auth/register", newcomer).await }
    }))
    .await;
    let count = |status| all.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(409)), (1, 49));
    let (rows,): (i64,) = sql("SELECT count(*) FROM users").one(&app.db).await.unwrap();
    assert_eq!(rows, 1);
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
        let granted = app.nobody().api().post("/auth/login", login.clone()).await;
        assert_eq!(granted.status, 200, "{login}");
        assert_eq!(granted.json()["token_type"], "Bearer");
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
    assert!(page.body.contains("name or the password is wrong"));
    assert!(page.body.contains("value=\"ann\""), "the name typed is kept");
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
async fn the_oauth2_password_form_speaks_the_standard() {
    use crate::support::{encode, send};
    use rocket::http::{ContentType, Method};
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = async |fields: &[(&str, &str)]| {
        let headers = vec![ContentType::Form.into()];
        send(&app, Method::Post, "/api/v1/auth/token", headers, Some(encode(fields))).await
    };
    let granted =
        form(&[("grant_type", "password"), ("username", "ann"), ("password", PASSWORD)]).await;
    assert_eq!((granted.status, granted.header("cache-control")), (200, Some("no-store")));
    let token = granted.json()["access_token"].as_str().map(str::to_owned);
    let again = crate::support::Person { token, cookie: None, name: ann.name.clone(), ..ann };
    assert_eq!(again.api().get("/me").await.json()["username"], "ann");

    let wrong = [("grant_type", "password"), ("username", "ann"), ("password", "no")];
    for (fields, error) in [
        (&wrong[..], "invalid_grant"),
        (&[("grant_type", "client_credentials")][..], "unsupported_grant_type"),
        (&[("username", "ann"), ("password", PASSWORD)][..], "invalid_request"),
        (&[("grant_type", "password")][..], "invalid_request"),
    ] {
        let refused = form(fields).await;
        assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some(error)));
        assert_eq!(refused.header("cache-control"), Some("no-store"));
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
    assert_eq!(ann.api().get("/posts").await.status, 401, "a dead token is a mistake, not nobody");

    assert_eq!(ann.page().get("/me").await.status, 200, "the other session lives");
    let out = ann.page().post("/logout", &[]).await;
    assert_eq!((out.status, out.cookie("postly").as_deref()), (303, Some("")));
    let replayed = ann.page().get("/me").await;
    assert_eq!((replayed.status, replayed.header("location")), (303, Some("/login?next=%2Fme")));
    assert_eq!(ann.page().get("/").await.status, 200, "public pages stay open");
}

#[rocket::async_test]
async fn logging_in_again_rotates_the_session() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = [("username", "ann"), ("password", PASSWORD)];
    let again = ann.page().post("/login", &form).await;
    assert_ne!(again.cookie("postly"), ann.cookie);
    assert_eq!(ann.page().get("/me").await.status, 303, "the session before is dead");
}

#[rocket::async_test]
async fn me_and_dashboard_are_ones_own() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let bob = app.user("bob").await;
    ann.posts("Tides").await;
    bob.posts("Bread").await;
    let me = ann.api().get("/me").await.json();
    assert_eq!(
        (me["username"].as_str(), me["email"].as_str()),
        (Some("ann"), Some("ann@mail.example"))
    );
    let dashboard = ann.api().get("/dashboard").await.json();
    assert_eq!(dashboard["message"], "Welcome ann, this is your dashboard");
    assert_eq!(dashboard["items"].as_array().unwrap().len(), 1);
    let page = ann.page().get("/dashboard").await;
    assert!(page.body.contains("Welcome ann, this is your dashboard"));
    assert!(page.body.contains("Tides") && !page.body.contains("Bread"));
    for path in ["/me", "/dashboard"] {
        assert_eq!(app.nobody().api().get(path).await.status, 401);
        assert_eq!(app.nobody().page().get(path).await.status, 303);
    }
}

#[rocket::async_test]
async fn an_old_cookie_is_renewed_and_an_idle_session_ends() {
    use chrono::Duration;
    let app = App::new().await;
    let ann = app.user("ann").await;
    let age = async |by: Duration| {
        sql("UPDATE sessions SET last_used_at = $1")
            .bind(postly::db::now() - by)
            .execute(app.db.writer())
            .await
            .unwrap()
    };
    age(Duration::hours(23)).await;
    assert_eq!(ann.page().get("/me").await.status, 200);
    let (used,): (i64,) = sql("SELECT count(*) FROM sessions WHERE last_used_at > $1")
        .bind(postly::db::now() - Duration::minutes(1))
        .one(&app.db)
        .await
        .unwrap();
    assert_eq!(used, 1, "using a session keeps it alive");
    age(Duration::hours(25)).await;
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 401);
    let clean = ann.page().get("/").await;
    assert_eq!(clean.cookie("postly").as_deref(), Some(""), "the dead cookie is taken away");
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

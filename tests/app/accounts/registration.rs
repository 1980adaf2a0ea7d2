//! Registration.

use rocket::futures::future::join_all;
use rocket::http::Method::{Get, Post};
use serde_json::json;

use crate::support::internals::{Admin, BACKFILLS, Error, Registration, Role, create_user, sql};
use crate::support::permission::{Permission, api_only, page_only};
use crate::support::{App, PASSWORD, Person};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/register", [200, 303, 303, 303]),
        page_only(Post, "/register", [303; 4])
            .with(&[("username", "newcomer"), ("password", PASSWORD)]),
        api_only(Post, "/auth/register", [201; 4])
            .with(&[("username", "newcomer"), ("password", PASSWORD)]),
    ]
}

#[rocket::async_test]
async fn registering_makes_an_ordinary_account_whatever_else_is_sent() {
    let app = App::new().await;
    let created = app
        .nobody()
        .api()
        .post(
            "/auth/register",
            json!({"username": " Ann ", "password": PASSWORD,
            "email": "ann@mail.example", "role": "admin", "id": 77}),
        )
        .await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("location"), Some("/api/v1/users/Ann"));
    let account = created.json();
    assert_eq!(account["username"], "Ann");
    assert_eq!(account["role"], "user");
    assert_eq!(account["id"], 1);
    assert!(!created.body.contains("password"), "{}", created.body);

    let form = [("username", "bob"), ("password", PASSWORD), ("role", "admin"), ("email", "")];
    let page = app.nobody().page().post("/register", &form).await;
    assert_eq!((page.status, page.header("location")), (303, Some("/")));
    let bob = Person { cookie: page.cookie("postly"), ..app.nobody() };
    let me = bob.page().get("/me").await;
    assert!(me.body.contains("<dd>user</dd>") && me.body.contains("bob"), "{}", me.body);
}

#[rocket::async_test]
async fn an_invalid_registration_comes_back_with_what_was_typed() {
    let app = App::new().await;
    let bad = json!({"username": "a b", "email": "nowhere", "password": "short"});
    let refused = app.nobody().api().post("/auth/register", bad).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.field_errors(), ["username", "email", "password"]);
    assert_eq!(refused.header("content-type"), Some("application/problem+json"));

    let form = [("username", "a b"), ("email", "nowhere"), ("password", "hunter2hunter2!")];
    let page = app.nobody().page().post("/register", &form).await;
    assert_eq!(page.status, 422);
    for part in ["value=\"a b\"", "value=\"nowhere\"", "id=\"username-error\"", "href=\"#email\""] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    assert!(!page.body.contains("hunter2"), "the response contains a password");
    let nothing = app.nobody().api().post("/auth/register", json!({})).await;
    assert_eq!((nothing.status, nothing.field_errors().len()), (422, 2));
}

#[rocket::async_test]
async fn a_taken_name_is_a_conflict_in_any_spelling() {
    let app = App::new().await;
    app.user("ann").await;
    for name in ["ann", "ANN", " ann ", "ａｎｎ"] {
        let again = json!({"username": name, "password": PASSWORD});
        let refused = app.nobody().api().post("/auth/register", again).await;
        assert_eq!((refused.status, refused.field_errors()), (409, vec!["username".to_owned()]));
        let form = [("username", name), ("password", PASSWORD)];
        let page = app.nobody().page().post("/register", &form).await;
        assert_eq!(page.status, 409);
        assert!(page.body.contains("taken"));
    }
    let mail = json!({"username": "bob", "email": "ANN@mail.example", "password": PASSWORD});
    let refused = app.nobody().api().post("/auth/register", mail).await;
    assert_eq!((refused.status, refused.field_errors()), (409, vec!["email".to_owned()]));
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
    let count = |status| all.iter().filter(|response| response.status == status).count();
    assert_eq!((count(201), count(409)), (1, 49));
    let (rows,): (i64,) = sql("SELECT count(*) FROM users").one(&app.db).await.unwrap();
    assert_eq!(rows, 1);
}

#[rocket::async_test]
async fn a_name_that_looks_like_another_is_refused() {
    let app = App::new().await;
    for name in ["coco", "BOB", "maria"] {
        app.user(name).await;
    }
    // Cyrillic; Cyrillic capitals, which look Latin only as such; Latin r and n.
    for name in ["сосо", "СОСО", "ВОВ", "rnaria"] {
        let form = json!({"username": name, "password": PASSWORD});
        let refused = app.nobody().api().post("/auth/register", form).await;
        assert_eq!(refused.status, 409, "{name}");
        assert_eq!(refused.json()["errors"][0]["code"], "username.confusable", "{name}");
        let form = [("username", name), ("password", PASSWORD)];
        let page = app.nobody().page().post("/register", &form).await;
        assert!(page.status == 409 && page.body.contains("looks like somebody else"), "{name}");
        let form = Registration {
            username: Some(name.to_owned()),
            password: Some(PASSWORD.to_owned()),
            email: None,
        };
        let by_operator = create_user(app.site(), &Admin::operator(), &form, Role::User).await;
        assert!(matches!(by_operator, Err(Error::Taken(_))), "{name}");
    }
    for name in ["coco1", "Марина"] {
        let form = json!({"username": name, "password": PASSWORD});
        assert_eq!(app.nobody().api().post("/auth/register", form).await.status, 201, "{name}");
    }
}

#[rocket::async_test]
async fn of_parallel_registrations_of_names_that_look_alike_one_wins() {
    let app = App::new().await;
    let names = ["coco", "сосо"];
    let everywhere: Vec<_> =
        (0..20).map(|i| app.nobody().from(&format!("192.0.2.{}", i / 5))).collect();
    let all = join_all(everywhere.iter().enumerate().map(|(i, nobody)| {
        let newcomer = json!({"username": names[i % 2], "password": PASSWORD});
        async move { nobody.api().post("/auth/register", newcomer).await }
    }))
    .await;
    let count = |status| all.iter().filter(|response| response.status == status).count();
    assert_eq!((count(201), count(409)), (1, 19));
    let (rows,): (i64,) = sql("SELECT count(*) FROM users").one(&app.db).await.unwrap();
    assert_eq!(rows, 1);
}

#[rocket::async_test]
async fn accounts_whose_names_looked_alike_before_keep_working() {
    let app = App::new().await;
    for name in ["coco", "xoxo", "dodo"] {
        app.user(name).await;
    }
    for statement in [
        "UPDATE users SET username = 'сосо', username_key = 'сосо' WHERE username = 'xoxo'",
        "UPDATE users SET username = 'рора', username_key = 'рора' WHERE username = 'dodo'",
        "UPDATE users SET username_skeleton = NULL, username_skeleton_as_written = NULL",
        "DELETE FROM backfills WHERE name = 'username-skeletons'",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    app.db.migrate(BACKFILLS).await.unwrap();
    for name in ["coco", "сосо"] {
        let person = app.log_in(name).await;
        assert_eq!(person.api().get("/me").await.json()["username"], name);
        person.posts("Tides").await;
    }
    // What was registered before is compared with, too.
    let form = json!({"username": "popa", "password": PASSWORD});
    let refused = app.nobody().api().post("/auth/register", form).await;
    assert_eq!(refused.json()["errors"][0]["code"], "username.confusable");
}

#[rocket::async_test]
async fn reserved_and_invisible_names_are_refused() {
    let app = App::with(&[("reserved_names", "editor, news-desk")]).await;
    for (name, code) in [
        ("Admin", "username.reserved"),
        ("support", "username.reserved"),
        ("news-desk", "username.reserved"),
        ("ｍｅ", "username.reserved"),
        ("МЕ", "username.reserved"),
        ("rооt", "username.mixed_scripts"),
        ("\u{3164}\u{3164}", "username.malformed"),
        ("a\u{200b}nn", "username.malformed"),
    ] {
        let form = json!({"username": name, "password": PASSWORD});
        let refused = app.nobody().api().post("/auth/register", form).await;
        assert_eq!(refused.status, 422, "{name}");
        assert_eq!(refused.json()["errors"][0]["code"], code, "{name}");
        let form = [("username", name), ("password", PASSWORD), ("email", "")];
        assert_eq!(app.nobody().page().post("/register", &form).await.status, 422, "{name}");
    }
    let root = app.admin("root").await;
    assert_eq!(root.api().get("/me").await.status, 200, "the operator may use reserved names");
}

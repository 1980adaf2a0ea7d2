//! The first run: until there has ever been an admin, the link that the server prints creates one.

use std::os::unix::fs::PermissionsExt;

use rocket::futures::future::join_all;
use rocket::http::Method::{Get, Post};

use crate::support::binary::{Site as Installation, Starting};
use crate::support::internals::first_run_secret;
use crate::support::permission::{Permission, page_only};
use crate::support::{App, PASSWORD, Person};

/// In the matrix, the site has an admin.
pub fn permissions() -> Vec<Permission> {
    vec![page_only(Get, "/setup", [404; 4]), page_only(Post, "/setup", [404; 4])]
}

async fn opened(app: &App) -> Person<'_> {
    let secret = first_run_secret(app.site()).await.expect("the site waits for its first admin");
    let visitor = app.nobody();
    let moved = visitor.page().get(&format!("/setup?token={secret}")).await;
    assert_eq!((moved.status, moved.header("location")), (303, Some("/setup")));
    let cookie = moved.cookie("postly_link_setup").expect("the secret moves into a cookie");
    assert_eq!(cookie, secret);
    Person { other_cookie: Some(("postly_link_setup", cookie)), ..visitor }
}

const FORM: [(&str, &str); 5] = [
    ("site_name", "Harbour"),
    ("description", "Of boats."),
    ("registration", "closed"),
    ("username", "admin"),
    ("password", PASSWORD),
];

#[rocket::async_test]
async fn the_link_sets_the_site_up_once() {
    let app = App::new().await;
    let without = app.nobody().page().get("/setup").await;
    assert_eq!(without.status, 404);
    assert!(without.body.contains("setup-link") && !without.body.contains("name=\"password\""));
    assert_eq!(app.nobody().page().post("/setup", &FORM).await.status, 422, "no link, no admin");
    let visitor = opened(&app).await;
    let page = visitor.page().get("/setup").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("value=\"closed\" checked"), "the site is not on loopback");
    let done = visitor.page().post("/setup", &FORM).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/admin")), "{}", done.body);
    let root = Person { cookie: done.cookie("postly"), ..app.nobody() };
    let overview = root.page().get("/admin").await;
    assert_eq!(overview.status, 200, "logged in, with a confirmed password");
    assert!(overview.body.contains("· Harbour</title>") && overview.body.contains("Of boats."));
    let register = app.nobody().page().get("/register").await;
    assert!(!register.body.contains("name=\"password\""), "{}", register.body);
    for response in [visitor.page().get("/setup").await, visitor.page().post("/setup", &FORM).await]
    {
        assert_eq!(response.status, 404, "the page is gone for ever");
    }
    assert_eq!(first_run_secret(app.site()).await, None);
}

#[rocket::async_test]
async fn of_two_that_come_at_once_one_wins() {
    let app = App::new().await;
    let other = app.another().await;
    let (here, there) = (opened(&app).await, opened(&other).await);
    let mut second = FORM;
    second[3].1 = "root";
    let (pages, forms) = ([here.page(), there.page()], [FORM, second]);
    let both = pages.iter().zip(&forms).map(|(page, form)| page.post("/setup", form));
    let mut statuses: Vec<u16> = join_all(both).await.iter().map(|one| one.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
}

#[rocket::async_test]
async fn a_wrong_form_keeps_what_was_typed_and_a_wrong_link_opens_nothing() {
    let app = App::new().await;
    let visitor = opened(&app).await;
    let wrong = [
        ("site_name", ""),
        ("description", "Of <boats>."),
        ("username", "ad min"),
        ("password", "short"),
    ];
    let refused = visitor.page().post("/setup", &wrong).await;
    assert_eq!(refused.status, 422);
    for part in
        ["Give the site a name.", "Of &lt;boats&gt;.", "value=\"ad min\"", "Use at least 10"]
    {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
    assert!(!refused.body.contains("short\""), "the password is not shown again");
    let forged =
        Person { other_cookie: Some(("postly_link_setup", "x".repeat(43))), ..app.nobody() };
    assert_eq!(forged.page().get("/setup").await.status, 404);
    assert_eq!(forged.page().post("/setup", &FORM).await.status, 422);
    assert!(first_run_secret(app.site()).await.is_some(), "the site still waits");
}

#[rocket::async_test]
async fn any_admin_ends_it_whoever_makes_them() {
    let app = App::new().await;
    app.user("ann").await;
    assert!(first_run_secret(app.site()).await.is_some(), "people may be there already");
    app.admin("root").await;
    assert_eq!(first_run_secret(app.site()).await, None);
}

#[test]
fn the_server_prints_the_link_and_writes_it_to_a_private_file() {
    let site = Installation::new();
    let server = site.start();
    // Beside the SQLite file.
    let file = site.path(if site.is_sqlite() { "setup-link" } else { "data/setup-link" });
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let link = std::fs::read_to_string(&file).unwrap();
    assert!(link.contains("/setup?token="), "{link}");
    drop(server);
    let again = site.start();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), link, "a restart prints the same link");
    drop(again);
    let added = site.run(&["user", "add", "root", "--admin"], PASSWORD);
    assert!(added.status.success(), "{}", added.text);
    let _server = site.start();
    assert!(!file.exists(), "the link is removed when it no longer works");
}

#[test]
fn an_installation_that_nobody_watches_has_its_admin_from_a_file() {
    let site = Installation::new();
    std::fs::write(site.path("password"), format!("{PASSWORD}\n")).unwrap();
    let mut command = site.postly();
    command
        .env("POSTLY_SETUP_USERNAME", "root")
        .env("POSTLY_SETUP_PASSWORD_FILE", site.path("password"));
    let server = Starting::of(&mut command).ready();
    let mut root = server.nobody();
    root.log_in(serde_json::json!({"username": "root", "password": PASSWORD}));
    assert_eq!(root.ask("GET", "/admin", None).status, 200);
    assert!(!site.path("setup-link").exists() && !site.path("data/setup-link").exists());
    drop(server);
    std::fs::write(site.path("password"), "another password entirely\n").unwrap();
    let server = Starting::of(&mut command).ready();
    let mut root = server.nobody();
    root.log_in(serde_json::json!({"username": "root", "password": PASSWORD}));
}

//! Passwords: every byte counts; changing one's own password.

use rocket::http::Method::{Get, Put};
use serde_json::json;

use crate::support::mail_server::MailServer;
use crate::support::permission::{MEMBERS_DELETE, MEMBERS_PAGE, Permission, both, page_only};
use crate::support::{App, PASSWORD, Person};

const NEW: &str = "seven marble lanterns drift";

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/.well-known/change-password", [303; 4]),
        page_only(Get, "/me/password", MEMBERS_PAGE),
        both(Put, "/me/password", MEMBERS_DELETE)
            .with(&[("current", PASSWORD), ("password", PASSWORD)]),
    ]
}

#[rocket::async_test]
async fn password_managers_are_led_to_the_page() {
    let app = App::new().await;
    let found = app.nobody().page().get("/.well-known/change-password").await;
    assert_eq!((found.status, found.header("location")), (303, Some("/me/password")));
    let page = app.nobody().page().get("/me/password").await;
    assert_eq!(page.header("location"), Some("/login?next=%2Fme%2Fpassword"));
    let ann = app.user("ann").await;
    assert_eq!(ann.page().get("/me/password").await.status, 200);
}

#[rocket::async_test]
async fn every_byte_of_a_long_password_counts_at_both_doors() {
    let app = App::new().await;
    // 72 bytes, which is as far as bcrypt alone reads.
    let start = "violet otter paddles upstream, slowly, past seven marble lanterns afloat";
    assert_eq!(start.len(), 72);
    let umlauts = format!("{}otter-lanterns", "é".repeat(64));
    for (name, password) in [("ann", format!("{start}, east")), ("bob", umlauts)] {
        let form = json!({"username": name, "password": password});
        assert_eq!(app.nobody().api().post("/auth/register", form.clone()).await.status, 201);
        assert_eq!(app.nobody().api().post("/auth/login", form).await.status, 200);
        let cut: String = password.chars().take(password.chars().count() - 1).collect();
        let login = json!({"username": name, "password": cut});
        assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 401);
        let page = [("username", name), ("password", cut.as_str())];
        assert_eq!(app.nobody().page().post("/login", &page).await.status, 422);
        let page = [("username", name), ("password", password.as_str())];
        assert_eq!(app.nobody().page().post("/login", &page).await.status, 303);
    }
}

#[rocket::async_test]
async fn an_endless_password_is_refused_without_hashing() {
    let app = App::new().await;
    let endless = "x".repeat(1 << 20);
    let form = json!({"username": "ann", "password": endless});
    let runs = || app.site().hasher.runs();
    let before = runs();
    assert_eq!(app.nobody().api().post("/auth/register", form).await.status, 422);
    let page = [("username", "ann"), ("password", endless.as_str())];
    assert_eq!(app.nobody().page().post("/register", &page).await.status, 422);
    assert_eq!(runs(), before);
}

#[rocket::async_test]
async fn a_changed_password_needs_the_old_one_and_ends_the_other_sessions() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    let ann = app.user("ann").await;
    let other = app.log_in("ann").await;
    let change = |current: &str| json!({"current": current, "password": NEW});
    let wrong = ann.api().put("/me/password", change("wrong")).await;
    assert_eq!((wrong.status, wrong.field_errors()), (422, vec!["current".to_owned()]));
    let none = ann.api().put("/me/password", json!({"password": NEW})).await;
    assert_eq!((none.status, none.field_errors()), (422, vec!["current".to_owned()]));
    let weak = json!({"current": PASSWORD, "password": "password"});
    assert_eq!(ann.api().put("/me/password", weak).await.field_errors(), ["password"]);
    let form = [("current", PASSWORD), ("password", NEW)];
    let done = ann.page().put("/me/password", &form).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/me")));
    assert_eq!(ann.page().get("/me").await.status, 200, "this session continues");
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert_eq!(other.page().get("/me").await.status, 303);
    assert_eq!(other.api().get("/me").await.status, 401);
    let again = json!({"refresh_token": other.refresh_token.clone().unwrap()});
    assert_eq!(app.nobody().api().post("/auth/refresh", again).await.status, 401);
    let mail = server.mail().await;
    assert!(mail.0 == "ann@mail.example" && mail.1.contains("password has changed"), "{mail:?}");
    let login = json!({"username": "ann", "password": NEW});
    let token = app.nobody().api().post("/auth/login", login).await.json()["access_token"].clone();
    let ann = Person { token: token.as_str().map(str::to_owned), ..app.nobody() };
    assert_eq!(
        ann.api().put("/me/password", json!({"current": NEW, "password": PASSWORD})).await.status,
        204
    );
}

#[rocket::async_test]
async fn a_changed_password_offers_to_revoke_tokens() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let token = async |ann: &Person<'_>| {
        let draft = json!({"name": "x", "scopes": "account"});
        let token = ann.api().post("/me/tokens", draft).await.json()["token"].clone();
        app.nobody().with_token(token.as_str().unwrap())
    };
    assert!(!ann.page().get("/me/password").await.body.contains("revoke_tokens"), "there is none");
    let (one, two) = (token(&ann).await, token(&ann).await);
    let form = ann.page().get("/me/password").await.body;
    assert!(form.contains("name=\"revoke_tokens\"") && form.contains("my 2 API tokens"), "{form}");
    let weak = [("current", PASSWORD), ("password", "short"), ("revoke_tokens", "true")];
    let weak = ann.page().put("/me/password", &weak).await;
    assert!(weak.status == 422 && weak.body.contains("value=\"true\" checked"), "it is kept");
    let keep = json!({"current": PASSWORD, "password": NEW});
    assert_eq!(ann.api().put("/me/password", keep).await.status, 204);
    assert_eq!(one.api().get("/me").await.status, 200, "nobody asked for it");
    let revoke = json!({"current": NEW, "password": PASSWORD, "revoke_tokens": true});
    assert_eq!(ann.api().put("/me/password", revoke).await.status, 204);
    assert_eq!((one.api().get("/me").await.status, two.api().get("/me").await.status), (401, 401));
    let events = ann.api().get("/me/events").await.json();
    let revoked = |e: &serde_json::Value| e["kind"] == "token.revoked" && e["detail"] == "all: 2";
    assert!(events["items"].as_array().unwrap().iter().any(revoked), "{events}");

    let ann = app.log_in("ann").await;
    let program = token(&ann).await;
    let form = [("current", PASSWORD), ("password", NEW), ("revoke_tokens", "true")];
    assert_eq!(ann.page().put("/me/password", &form).await.status, 303);
    assert_eq!(program.api().get("/me").await.status, 401);
}

#[rocket::async_test]
async fn passwords_from_breaches_and_words_of_the_person_are_refused() {
    let sha1 = |text: &str| -> String {
        let algorithm = &aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY;
        let hash = aws_lc_rs::digest::digest(algorithm, text.as_bytes());
        hash.as_ref().iter().map(|byte| format!("{byte:02X}")).collect()
    };
    let mut lines: Vec<String> = (0..50).map(|n| sha1(&n.to_string())).collect();
    lines.push(sha1(NEW));
    lines.sort();
    let list = tempfile::NamedTempFile::new().unwrap();
    let text: String = lines.iter().map(|line| format!("{line}:7\r\n")).collect();
    std::fs::write(list.path(), text).unwrap();
    let app = App::with(&[("breached_passwords", list.path().to_str().unwrap())]).await;
    let ann = app.user("ann").await;
    let register = async |password: &str| {
        let form = json!({"username": "zoe", "password": password,
            "email": "quillfeather@zephyrworks.example"});
        let answer = app.nobody().api().post("/auth/register", form).await;
        answer.json()["errors"][0]["code"].as_str().map(str::to_owned)
    };
    assert_eq!(register(NEW).await.as_deref(), Some("password.breached"));
    assert_eq!(register("Quillfeather-2026").await.as_deref(), Some("password.guessable"));
    let change = [("current", PASSWORD), ("password", NEW)];
    let refused = ann.page().put("/me/password", &change).await;
    assert!(refused.status == 422 && refused.body.contains("stolen from another site"));
    assert_eq!(register("violet otter paddles elsewhere").await, None);
}

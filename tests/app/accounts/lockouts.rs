//! Lock-outs: strangers who guess keep no owner out, and nobody guesses for ever.

use rocket::futures::future::join_all;
use rocket::http::Method::Delete;
use serde_json::json;

use super::log_in;
use crate::support::internals::{now, sql};
use crate::support::{App, PASSWORD, Person, Phone, Response};

const FORM: &[(&str, &str)] = &[("username", "ann"), ("password", PASSWORD)];
const WRONG: &[(&str, &str)] = &[("username", "ann"), ("password", "wrong")];

/// Uses up the budget that unknown devices share for ann.
async fn strangers_guess(app: &App) {
    for i in 0..6 {
        log_in(app, &format!("198.51.100.{i}"), "ann", "wrong").await;
    }
    assert_eq!(log_in(app, "203.0.113.1", "ann", PASSWORD).await.status, 429);
}

async fn with_device(app: &App, token: &str, password: &str) -> Response {
    let login = json!({"username": "ann", "password": password, "device_token": token});
    app.nobody().from("203.0.113.2").api().post("/auth/login", login).await
}

async fn by_form(app: &App, cookie: &str, form: &[(&str, &str)]) -> Response {
    let browser = app.nobody().from("203.0.113.3").with_cookie("postly_device", cookie);
    browser.page().post("/login", form).await
}

/// A browser's cookie and a program's token, of devices that ann has logged in with.
async fn devices(app: &App) -> (String, String) {
    let page = app.nobody().page().post("/login", FORM).await;
    let api = log_in(app, "127.0.0.1", "ann", PASSWORD).await;
    let token = api.json()["device_token"].as_str().unwrap().to_owned();
    (page.cookie("postly_device").unwrap(), token)
}

#[rocket::async_test]
async fn strangers_never_keep_a_known_device_out() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (cookie, token) = devices(&app).await;
    for device in [&cookie, &token] {
        assert!(!device.contains("ann") && !device.contains(&format!("{}.", ann.id)), "{device}");
    }
    let browser = ann.with_cookie("postly_device", &cookie);
    assert_eq!(browser.page().post("/logout", &[]).await.cookie("postly_device"), None, "it stays");
    strangers_guess(&app).await;
    assert_eq!(by_form(&app, &cookie, FORM).await.status, 303);
    assert_eq!(with_device(&app, &token, PASSWORD).await.status, 200);
    assert_eq!(by_form(&app, "forged.AAAA", FORM).await.status, 429);
    assert_eq!(with_device(&app, "forged.AAAA", PASSWORD).await.status, 429);
}

#[rocket::async_test]
async fn a_known_device_cannot_guess_for_ever_and_disturbs_no_other() {
    let app = App::new().await;
    app.user("ann").await;
    app.user("bob").await;
    let (cookie, token) = devices(&app).await;
    for _ in 0..5 {
        assert_eq!(by_form(&app, &cookie, WRONG).await.status, 422);
    }
    let refused = by_form(&app, &cookie, FORM).await;
    assert_eq!((refused.status, refused.header("retry-after").is_some()), (429, true));
    assert!(refused.header("ratelimit-policy").unwrap().contains("\"login-device\";q=5;w=300"));
    assert_eq!(with_device(&app, &token, PASSWORD).await.status, 200);
    assert_eq!(log_in(&app, "203.0.113.4", "ann", PASSWORD).await.status, 200);
    let bob = json!({"username": "bob", "password": "wrong", "device_token": token});
    let bob = app.nobody().api().post("/auth/login", bob).await;
    assert!(bob.header("ratelimit").unwrap().contains("login-account"), "unknown to bob");
}

#[rocket::async_test]
async fn a_new_password_makes_all_devices_unknown() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (cookie, token) = devices(&app).await;
    let change = json!({"current": PASSWORD, "password": "seven marble lanterns drift"});
    assert_eq!(ann.api().put("/me/password", change).await.status, 204);
    strangers_guess(&app).await;
    assert_eq!(with_device(&app, &token, "seven marble lanterns drift").await.status, 429);
    assert_eq!(by_form(&app, &cookie, FORM).await.status, 429);
}

#[rocket::async_test]
async fn twelve_right_passwords_at_once_are_all_let_in() {
    // Verifying takes longer than everything else, so that all twelve wait at the same time.
    let app = App::with(&[("bcrypt_cost", "10")]).await;
    app.user("ann").await;
    let api = join_all((0..12).map(|_| log_in(&app, "198.51.100.7", "ann", PASSWORD))).await;
    assert_eq!(api.iter().filter(|response| response.status == 200).count(), 12);
    let nobody = app.nobody().from("198.51.100.8");
    let pages = join_all((0..12).map(|_| async { nobody.page().post("/login", FORM).await })).await;
    assert_eq!(pages.iter().filter(|response| response.status == 303).count(), 12);
}

#[rocket::async_test]
async fn a_clock_that_was_set_back_locks_nobody_out() {
    let app = App::new().await;
    app.user("ann").await;
    strangers_guess(&app).await;
    sql("UPDATE throttles SET ends_at = $1")
        .bind(now() + chrono::Duration::days(3650))
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(log_in(&app, "203.0.113.1", "ann", PASSWORD).await.status, 200);
    let wrong = log_in(&app, "203.0.113.1", "ann", "wrong").await;
    assert!(wrong.header("ratelimit").unwrap().contains("\"login-account\";r=4;t=300"));
}

/// Turns two-factor authentication on; returns a recovery code and the authenticator's next code.
async fn set_up(ann: &Person<'_>) -> (String, String) {
    let (phone, codes) = Phone::set_up(ann).await;
    (codes[0].clone(), phone.code(0))
}

async fn enter(app: &App, code: &str) -> Response {
    let login = json!({"username": "ann", "password": PASSWORD, "code": code});
    app.nobody().api().post("/auth/login", login).await
}

#[rocket::async_test]
async fn a_hundred_wrong_codes_in_a_row_lock_log_in_but_not_the_signed_in_owner() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (recovery, code) = set_up(&ann).await;
    assert_eq!(enter(&app, "000000").await.status, 401);
    sql("UPDATE two_factors SET code_failures = 99").execute(app.db.writer()).await.unwrap();
    assert_eq!(enter(&app, "000000").await.json()["code"], "code.wrong");
    let locked = enter(&app, &code).await;
    assert_eq!((locked.status, &locked.json()["code"]), (401, &json!("code.locked")));
    let mails: Vec<(String,)> =
        sql("SELECT payload FROM jobs WHERE kind = 'mail' ORDER BY id").all(&app.db).await.unwrap();
    let count = |kind: &str| mails.iter().filter(|(mail,)| mail.contains(kind)).count();
    assert_eq!((count("wrong-code"), count("codes-locked")), (1, 1), "{mails:?}");
    let events = ann.api().get("/me/events").await.body;
    assert!(events.contains("code.locked"), "{events}");
    let off = Some(json!({"code": recovery}));
    assert_eq!(ann.api().send(Delete, "/me/two-factor", off, &[]).await.status, 204);
}

#[rocket::async_test]
async fn a_new_password_lets_codes_be_entered_again_and_a_right_one_counts_from_zero() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (_, code) = set_up(&ann).await;
    let set = async |failures: i64| {
        sql("UPDATE two_factors SET code_failures = $1")
            .bind(failures)
            .execute(app.db.writer())
            .await
            .unwrap();
    };
    let failures = async || -> i64 {
        sql("SELECT CAST(code_failures AS BIGINT) FROM two_factors").scalar(&app.db).await.unwrap()
    };
    set(99).await;
    assert_eq!(enter(&app, &code).await.status, 200);
    assert_eq!(failures().await, 0);
    set(100).await;
    let change = json!({"current": PASSWORD, "password": "seven marble lanterns drift"});
    assert_eq!(ann.api().put("/me/password", change).await.status, 204);
    assert_eq!(failures().await, 0);
}

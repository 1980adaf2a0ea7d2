//! Two-factor authentication, at both doors.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Post, Put};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::support::internals::sql;
use crate::support::permission::{
    MEMBERS, MEMBERS_CREATE, MEMBERS_NOT_FOUND, Permission, both, page_only,
};
use crate::support::{App, PASSWORD, Person, Response, SECRET};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/me/two-factor", MEMBERS),
        both(Post, "/me/two-factor", MEMBERS_CREATE),
        // Two-factor authentication is neither on nor being set up for them.
        both(Put, "/me/two-factor", MEMBERS_NOT_FOUND),
        both(Delete, "/me/two-factor", MEMBERS_NOT_FOUND),
        both(Post, "/me/two-factor/recovery-codes", MEMBERS_NOT_FOUND),
        page_only(Get, "/login/code", [200; 4]),
        page_only(Post, "/login/code", [422; 4]),
    ]
}

/// The authenticator app on a user's phone.
struct Phone(Totp);

impl Phone {
    fn new(secret: &str) -> Phone {
        let secret = Secret::try_from_base32(secret).unwrap();
        Phone(Builder::new().with_secret(secret).build().unwrap())
    }

    /// The code that is valid this many steps of 30 seconds later.
    fn code(&self, ahead: i64) -> String {
        let now = chrono::Utc::now().timestamp() + ahead * 30;
        self.0.generate(now as u64).to_string()
    }
}

/// Turns two-factor authentication on; returns the phone and the recovery codes. The code of the
/// previous step is consumed.
async fn set_up(person: &Person<'_>) -> (Phone, Vec<String>) {
    let setup = person.api().post("/me/two-factor", json!({})).await;
    assert_eq!(setup.status, 201, "{}", setup.body);
    let phone = Phone::new(setup.json()["secret"].as_str().unwrap());
    let on = person.api().put("/me/two-factor", json!({"code": phone.code(-1)})).await;
    assert_eq!(on.status, 201, "{}", on.body);
    let codes = on.json()["recovery_codes"].as_array().unwrap().clone();
    (phone, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

async fn log_in(app: &App, code: Option<&str>) -> Response {
    let login = json!({"username": "ann", "password": PASSWORD, "code": code});
    app.nobody().api().post("/auth/login", login).await
}

/// These tests enter many wrong codes; rate limits have their own tests.
async fn forget_failures(app: &App) {
    sql("DELETE FROM throttles").execute(app.db.writer()).await.unwrap();
}

#[rocket::async_test]
async fn an_authenticator_is_set_up_and_asked_for_at_the_api_door() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    assert_eq!(ann.api().get("/me/two-factor").await.json()["enabled"], false);
    let setup = ann.api().post("/me/two-factor", json!({})).await.json();
    assert!(setup["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    assert!(setup["uri"].as_str().unwrap().contains("ann"));
    assert!(setup["qr"].as_str().unwrap().trim_start().starts_with("<svg"));
    let wrong = ann.api().put("/me/two-factor", json!({"code": "000000"})).await;
    assert_eq!((wrong.status, wrong.field_errors()), (422, vec!["code".to_owned()]));
    assert_eq!(log_in(&app, None).await.status, 200, "it is off until a code is entered");
    let (phone, codes) = set_up(&ann).await;
    assert_eq!(codes.len(), 10);
    let standing = ann.api().get("/me/two-factor").await.json();
    assert_eq!((&standing["enabled"], &standing["recovery_codes"]), (&json!(true), &json!(10)));
    assert_eq!(ann.api().post("/me/two-factor", json!({})).await.status, 409, "it is already on");

    let half = log_in(&app, None).await;
    assert_eq!((half.status, half.field_errors()), (401, vec!["code".to_owned()]));
    let unknown = json!({"username": "ann", "password": "wrong", "code": phone.code(0)});
    let unknown = app.nobody().api().post("/auth/login", unknown).await;
    assert_eq!(unknown.status, 401);
    assert!(
        unknown.json()["code"] == "login.failed" && unknown.json()["errors"].is_null(),
        "only the right password reveals that a code is needed"
    );
    assert_eq!(log_in(&app, Some("000000")).await.status, 401);
    let code = phone.code(0);
    assert_eq!(log_in(&app, Some(&code)).await.status, 200);
    assert_eq!(log_in(&app, Some(&code)).await.status, 401, "a code cannot be replayed");
    assert_eq!(log_in(&app, Some(&phone.code(-1))).await.status, 401, "nor an older one");
    forget_failures(&app).await;
    let next = phone.code(1);
    let spaced = format!("{} {}", &next[..3], &next[3..]);
    assert_eq!(log_in(&app, Some(&spaced)).await.status, 200);
}

#[rocket::async_test]
async fn of_many_who_come_with_one_code_one_gets_in() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, codes) = set_up(&ann).await;
    for code in [phone.code(0), codes[0].clone()] {
        let all = join_all((0..4).map(|_| log_in(&app, Some(&code)))).await;
        let logged_in = all.iter().filter(|response| response.status == 200).count();
        assert_eq!(logged_in, 1, "{code}");
        forget_failures(&app).await;
    }
}

#[rocket::async_test]
async fn a_recovery_code_works_once() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (_, codes) = set_up(&ann).await;
    assert_eq!(codes[0].len(), 19, "{}", codes[0]);
    let typed = codes[0].replace('-', " ").to_uppercase();
    assert_eq!(log_in(&app, Some(&typed)).await.status, 200);
    assert_eq!(log_in(&app, Some(&codes[0])).await.status, 401);
    assert_eq!(ann.api().get("/me/two-factor").await.json()["recovery_codes"], 9);
    let renewed = json!({"code": codes[1]});
    let renewed = ann.api().post("/me/two-factor/recovery-codes", renewed).await;
    assert_eq!(renewed.status, 201);
    assert_eq!(log_in(&app, Some(&codes[2])).await.status, 401, "the old ones are invalid");
    let new = renewed.json()["recovery_codes"][0].as_str().unwrap().to_owned();
    assert_eq!(log_in(&app, Some(&new)).await.status, 200);
    let events = ann.api().get("/me/events").await.body;
    assert!(events.contains("recovery-code.used") && !events.contains(&new));
}

#[rocket::async_test]
async fn a_browser_is_asked_after_the_password() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let begun = ann.page().post("/me/two-factor", &[]).await;
    assert_eq!(begun.status, 201);
    assert!(begun.body.contains("<svg"));
    let start = begun.body.find("secret-text\">").unwrap() + 13;
    let phone = Phone::new(&begun.body[start..start + 32]);
    let wrong = ann.page().put("/me/two-factor", &[("code", "1")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains(&begun.body[start..start + 32]), "the same secret again");
    let on = ann.page().put("/me/two-factor", &[("code", &phone.code(-1))]).await;
    assert_eq!(on.status, 201);
    assert_eq!(on.body.matches("<li><code>").count(), 10);

    let form = [("username", "ann"), ("password", PASSWORD), ("next", "/posts/new")];
    let half = app.nobody().page().post("/login", &form).await;
    assert_eq!(half.status, 303);
    assert_eq!(half.header("location"), Some("/login/code?next=%2Fposts%2Fnew"));
    assert_eq!(half.cookie("postly"), None, "nobody is logged in yet");
    let cookie = half.cookie("postly_login").unwrap();
    let as_session = Person { cookie: Some(cookie.clone()), ..app.nobody() };
    assert_eq!(as_session.page().get("/me").await.status, 303);
    let fields = |code: &'static str| [("code", code), ("next", "/posts/new")];
    let wrong = app
        .nobody()
        .with_cookie("postly_login", &cookie)
        .page()
        .post("/login/code", &fields("000000"))
        .await;
    assert_eq!(wrong.status, 422);
    let code = phone.code(0);
    let right = [("code", code.as_str()), ("next", "/posts/new")];
    let logged_in =
        app.nobody().with_cookie("postly_login", &cookie).page().post("/login/code", &right).await;
    assert_eq!((logged_in.status, logged_in.header("location")), (303, Some("/posts/new")));
    let ann = Person { cookie: logged_in.cookie("postly"), ..app.nobody() };
    assert_eq!(ann.page().get("/me").await.status, 200);
    let code = phone.code(1);
    let again = app
        .nobody()
        .with_cookie("postly_login", &cookie)
        .page()
        .post("/login/code", &[("code", &code)])
        .await;
    assert_eq!(again.status, 422, "the challenge is consumed");
}

#[rocket::async_test]
async fn a_changed_password_ends_what_waits_for_a_code() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, _) = set_up(&ann).await;
    let form = [("username", "ann"), ("password", PASSWORD)];
    let half = app.nobody().page().post("/login", &form).await;
    let cookie = half.cookie("postly_login").unwrap();
    let change = json!({"current": PASSWORD, "password": "seven marble lanterns drift"});
    assert_eq!(ann.api().put("/me/password", change).await.status, 204);
    let code = phone.code(0);
    let late = app
        .nobody()
        .with_cookie("postly_login", &cookie)
        .page()
        .post("/login/code", &[("code", &code)])
        .await;
    assert_eq!((late.status, late.cookie("postly")), (422, None));
}

#[rocket::async_test]
async fn guessing_codes_is_bounded() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, codes) = set_up(&ann).await;
    for _ in 0..5 {
        assert_eq!(log_in(&app, Some("000000")).await.status, 401);
    }
    assert_eq!(log_in(&app, Some(&phone.code(0))).await.status, 429);
    let code = Some(json!({"code": codes[0]}));
    let off = ann.api().send(Delete, "/me/two-factor", code, &[]).await;
    assert_eq!(off.status, 204, "strangers cannot keep a logged-in owner from it");
    set_up(&ann).await;
    for _ in 0..5 {
        let wrong = Some(json!({"code": "000000"}));
        let off = ann.api().send(Delete, "/me/two-factor", wrong, &[]).await;
        assert_eq!(off.status, 422);
    }
    let wrong = Some(json!({"code": "000000"}));
    let off = ann.api().send(Delete, "/me/two-factor", wrong, &[]).await;
    assert_eq!(off.status, 429, "limited here too, separately");
}

#[rocket::async_test]
async fn turning_it_off_needs_a_code() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, _) = set_up(&ann).await;
    let off =
        async |body: Value| ann.api().send(Delete, "/me/two-factor", Some(body), &[]).await.status;
    assert_eq!(off(json!({})).await, 422);
    assert_eq!(off(json!({"code": "000000"})).await, 422);
    assert_eq!(log_in(&app, None).await.status, 401);
    assert_eq!(off(json!({"code": phone.code(0)})).await, 204);
    assert_eq!(log_in(&app, None).await.status, 200);
    let (phone, _) = set_up(&ann).await;
    let form = [("code", phone.code(0))];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(ann.page().delete("/me/two-factor", &form).await.status, 303);
    assert_eq!(log_in(&app, None).await.status, 200);
}

#[rocket::async_test]
async fn the_secret_is_sealed_and_survives_a_new_key() {
    const SECOND: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, codes) = set_up(&ann).await;
    let secret = phone.0.secret().to_base32();
    let (kept,): (String,) = sql("SELECT secret FROM two_factors").one(&app.db).await.unwrap();
    assert!(!kept.contains(&secret), "{kept}");
    let hashes: Vec<(String,)> = sql("SELECT hash FROM recovery_codes").all(&app.db).await.unwrap();
    assert!(hashes.iter().all(|(hash,)| hash.len() == 64 && !codes.contains(hash)));
    let both = app.another_with(&[("secret_key", &format!("{SECOND},{SECRET}"))]).await;
    assert_eq!(log_in(&both, Some(&phone.code(0))).await.status, 200);
    // That sealed it with the new key, so the old one can be dropped.
    let only = app.another_with(&[("secret_key", SECOND)]).await;
    assert_eq!(log_in(&only, Some(&phone.code(1))).await.status, 200);
    // If the key is lost, the recovery codes still work.
    assert_eq!(log_in(&app, Some(&codes[0])).await.status, 200);
}

//! After an upgrade, people get in as before, and whoever was kept out stays out.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::Utc;
use jsonwebtoken::{EncodingKey, decode_header, encode as sign};
use rocket::http::{ContentType, Header, Method};
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use super::{Old, SECRETS, log_in};
use crate::support::{ORIGIN, PASSWORD, Person, SECRET, encode, send};

#[rocket::async_test]
async fn people_log_in_as_before_and_see_their_accounts() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let ann = app.log_in("ann").await;
    let me = ann.api().get("/me").await.json();
    assert_eq!(
        (&me["id"], &me["email"], &me["email_verified"], &me["role"], &me["posts"]),
        (&json!(1), &json!("ann@mail.example"), &json!(true), &json!("admin"), &json!(1))
    );
    assert!(ann.page().get("/me").await.body.contains("ann@mail.example"));
    let me = app.log_in("Zoë").await.api().get("/me").await.json();
    assert_eq!((&me["username"], &me["posts"]), (&json!("Zoë"), &json!(2)));
    let by_email = json!({"email": "zoe@mail.example", "password": PASSWORD});
    assert_eq!(log_in(&app, by_email).await.status, 200);

    let secrets: Value = serde_json::from_str(SECRETS).unwrap();
    let changed = json!({"username": "bob", "password": secrets["password_of_bob"]});
    assert_eq!(log_in(&app, changed).await.status, 200);
    let before = json!({"username": "bob", "password": PASSWORD});
    assert_eq!(log_in(&app, before).await.status, 401, "bob has changed it");

    let users = ann.api().get("/admin/users?limit=100").await.json();
    let seen: Vec<_> = users["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| {
            let text = |field: &str| user[field].as_str().unwrap_or("-").to_owned();
            (text("username"), text("email"), text("pending_email"), user["disabled_at"].is_null())
        })
        .collect();
    let expected = [
        ("erin", "-", "erin@mail.example", true),
        ("finn", "finn@mail.example", "finn@new.example", true),
        ("dave", "-", "-", false),
        ("Zoë", "zoe@mail.example", "-", true),
        ("bob", "bob@mail.example", "-", true),
        ("ann", "ann@mail.example", "-", true),
    ]
    .map(|(name, email, pending, open)| {
        (name.to_owned(), email.to_owned(), pending.to_owned(), open)
    });
    assert_eq!(seen, expected);
}

#[rocket::async_test]
async fn whoever_was_kept_out_stays_out() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let form = [("username", "dave"), ("password", PASSWORD)];
    let page = app.nobody().page().post("/login", &form).await;
    assert_eq!((page.status, page.cookie("postly")), (422, None));
    let dave = log_in(&app, json!({"username": "dave", "password": PASSWORD})).await;
    assert_eq!(dave.status, 401, "dave is locked out");
    let erin = log_in(&app, json!({"username": "erin", "password": PASSWORD})).await;
    assert_eq!(erin.status, 429, "somebody has just guessed at erin's password");
    assert_eq!(app.nobody().page().get("/users/gus").await.status, 404, "gus was deleted");
}

/// The same cookie, issued now: it expires after a day, which is checked before its session.
fn renewed(cookie: &str) -> String {
    let header = decode_header(cookie).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(cookie.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    let now = Utc::now().timestamp();
    (claims["iat"], claims["exp"]) = (json!(now), json!(now + 600));
    sign(&header, &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

#[rocket::async_test]
async fn nobody_is_logged_out() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let cookie = Some(renewed(old.secret("cookie_of_ann")));
    let browser = Person { cookie, ..app.nobody() };
    assert!(browser.page().get("/me").await.body.contains("ann@mail.example"));
    let sessions = browser.page().get("/me/sessions").await.body;
    assert!(sessions.contains("Firefox on Linux") && sessions.contains("curl"), "{sessions}");

    let refresh = async |token: &str| {
        app.nobody().api().post("/auth/refresh", json!({"refresh_token": token})).await
    };
    let granted = refresh(old.secret("refresh_token_of_ann")).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    let program = app.nobody().with_token(granted.json()["access_token"].as_str().unwrap());
    assert_eq!(program.api().get("/me").await.json()["username"], "ann");
    let listed = program.api().get("/me/sessions").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    // A token that was used before the upgrade still counts as used: its whole family is revoked.
    assert_eq!(refresh(old.secret("used_refresh_token_of_ann")).await.status, 401);
    assert_eq!(program.api().get("/me").await.status, 401);
    assert_eq!(refresh(old.secret("refresh_token_of_zoe")).await.status, 200);
}

#[rocket::async_test]
async fn personal_tokens_open_what_they_did() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let with = |name: &str| app.nobody().with_token(old.secret(name));
    let draft = || json!({"title": "By a program", "content": "Once more."});
    assert_eq!(with("token_of_bob").api().post("/posts", draft()).await.status, 201);
    assert_eq!(with("token_of_bob").api().get("/me").await.status, 403);
    assert_eq!(with("reading_token_of_bob").api().get("/posts").await.status, 200);
    assert_eq!(with("reading_token_of_bob").api().post("/posts", draft()).await.status, 403);
    assert_eq!(with("revoked_token_of_bob").api().post("/posts", draft()).await.status, 401);
    assert_eq!(with("token_of_ann").api().get("/admin/users").await.status, 200);
    assert_eq!(with("token_of_ann").api().get("/me").await.json()["username"], "ann");
}

#[rocket::async_test]
async fn two_factors_are_asked_for_and_taken() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let finn = async |code: Option<&str>| {
        log_in(&app, json!({"username": "finn", "password": PASSWORD, "code": code})).await
    };
    let half = finn(None).await;
    assert_eq!((half.status, half.field_errors()), (401, vec!["code".to_owned()]));
    assert_eq!(finn(Some(old.secret("used_recovery_code_of_finn"))).await.status, 401);
    let codes = &old.secrets["recovery_codes_of_finn"];
    let entered = finn(codes[0].as_str()).await;
    assert_eq!(entered.status, 200, "{}", entered.body);
    let program = app.nobody().with_token(entered.json()["access_token"].as_str().unwrap());
    assert_eq!(program.api().get("/me/two-factor").await.json()["recovery_codes"], 8);

    // The secret is stored sealed: it must still open with the old key.
    let secret = Secret::try_from_base32(old.secret("totp_secret_of_finn")).unwrap();
    let phone = Builder::new().with_secret(secret).build().unwrap();
    let code = phone.generate(Utc::now().timestamp() as u64).to_string();
    assert_eq!(finn(Some(&code)).await.status, 200);

    // A user had entered the password, but not yet the code, when the site was upgraded.
    let headers = vec![
        Header::new("Origin", ORIGIN),
        Header::new("Cookie", format!("postly_login={}", old.secret("challenge_of_finn"))),
        ContentType::Form.into(),
    ];
    let form = encode(&[("code", codes[1].as_str().unwrap())]);
    let entered = send(&app, Method::Post, "/login/code", headers, Some(form)).await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    let browser = Person { cookie: entered.cookie("postly"), ..app.nobody() };
    assert!(browser.page().get("/me").await.body.contains("finn@mail.example"));
}

#[rocket::async_test]
async fn a_link_that_was_mailed_before_still_works_once() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let fresh = "quiet amber turbines hum";
    let reset = json!({"token": old.secret("reset_link_of_zoe"), "password": fresh});
    let set = app.nobody().api().post("/auth/password-reset/new", reset.clone()).await;
    assert_eq!(set.status, 204, "{}", set.body);
    assert_eq!(log_in(&app, json!({"username": "Zoë", "password": fresh})).await.status, 200);
    let again = app.nobody().api().post("/auth/password-reset/new", reset).await;
    assert_eq!(again.status, 401);
}

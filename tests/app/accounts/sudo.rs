//! Confirming the password before sensitive actions.

use rocket::http::Method::{Get, Post};
use rocket::http::{ContentType, Header};
use serde_json::json;

use super::log_in;
use crate::support::internals::{now, sql};
use crate::support::permission::{MEMBERS_PAGE, Permission, api_only, page_only};
use crate::support::{App, ORIGIN, PASSWORD, Person, Phone, encode, send};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/sudo", MEMBERS_PAGE),
        page_only(Post, "/sudo", [307, 303, 303, 303]).with(&[("password", PASSWORD)]),
        api_only(Post, "/auth/sudo", [401, 204, 204, 204]).with(&[("password", PASSWORD)]),
    ]
}

/// Moves the last password confirmation of every session 16 minutes into the past.
async fn age_proofs(app: &App) {
    sql("UPDATE sessions SET proved_at = $1")
        .bind(now() - chrono::Duration::minutes(16))
        .execute(app.db.writer())
        .await
        .unwrap();
}

#[rocket::async_test]
async fn what_is_delicate_asks_for_the_password_again() {
    let app = App::new().await;
    let root = app.admin("root").await;
    assert_eq!(root.page().get("/admin/users").await.status, 200);
    age_proofs(&app).await;
    for path in ["/admin/users", "/admin/audit", "/me/tokens"] {
        let page = root.page().get(path).await;
        let sudo = format!("/sudo?next={}", path.replace('/', "%2F"));
        assert_eq!((page.status, page.header("location")), (303, Some(sudo.as_str())));
        let api = root.api().get(path).await;
        let challenge = api.header("www-authenticate").unwrap_or_default().to_owned();
        assert_eq!(api.status, 401);
        assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
    }
    assert_eq!(root.page().get("/me").await.status, 200, "other pages stay open");

    let wrong = root.page().post("/sudo", &[("password", "no"), ("next", "/admin/users")]).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.body.contains("not your password")
            && wrong.body.contains("value=\"&#x2F;admin&#x2F;users\"")
    );
    assert_eq!(root.page().get("/admin/users").await.status, 303);
    let form = [("password", PASSWORD), ("next", "/admin/users")];
    let right = root.page().post("/sudo", &form).await;
    assert_eq!((right.status, right.header("location")), (303, Some("/admin/users")));
    assert_eq!(root.page().get("/admin/users").await.status, 200);
    assert_eq!(
        root.api().get("/admin/users").await.status,
        401,
        "each session needs its own confirmation"
    );
    let wrong = root.api().post("/auth/sudo", json!({"password": "no"})).await;
    assert_eq!((wrong.status, wrong.field_errors()), (422, vec!["password".to_owned()]));
    assert_eq!(root.api().post("/auth/sudo", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(root.api().get("/admin/users").await.status, 200);
}

#[rocket::async_test]
async fn giving_the_password_again_is_bounded_too() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for _ in 0..5 {
        assert_eq!(ann.api().post("/auth/sudo", json!({"password": "wrong"})).await.status, 422);
    }
    assert_eq!(ann.api().post("/auth/sudo", json!({"password": PASSWORD})).await.status, 429);
    let page = ann.page().post("/sudo", &[("password", PASSWORD)]).await;
    assert_eq!(page.status, 429);
    let own = ann.api().get("/me/events").await.body;
    assert!(own.contains("sudo.failed") && own.contains("login.throttled"), "{own}");
    assert_eq!(ann.page().get("/me").await.status, 200, "the session itself stays valid");
}

#[rocket::async_test]
async fn strangers_who_guess_do_not_keep_the_owner_from_sudo() {
    let app = App::new().await;
    let root = app.admin("root").await;
    for i in 0..8 {
        log_in(&app, &format!("198.51.100.{i}"), "root", "wrong").await;
    }
    assert_eq!(log_in(&app, "203.0.113.1", "root", PASSWORD).await.status, 429);
    assert_eq!(root.api().post("/auth/sudo", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(root.page().post("/sudo", &[("password", PASSWORD)]).await.status, 303);
}

#[rocket::async_test]
async fn whoever_has_two_factors_confirms_both() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, codes) = Phone::set_up(&ann).await;
    age_proofs(&app).await;
    let sudo = async |code: Option<&str>| {
        ann.api().post("/auth/sudo", json!({"password": PASSWORD, "code": code})).await
    };
    let half = sudo(None).await;
    assert_eq!((half.status, half.field_errors()), (401, vec!["code".to_owned()]));
    assert_eq!(half.json()["code"], "second_factor_required");
    assert_eq!(ann.api().get("/me/tokens").await.status, 401, "half a proof is none");
    let wrong = sudo(Some("000000")).await;
    assert_eq!((wrong.status, wrong.field_errors()), (422, vec!["code".to_owned()]));
    let no_password = json!({"password": "wrong", "code": phone.code(0)});
    let no_password = ann.api().post("/auth/sudo", no_password).await;
    assert_eq!(no_password.field_errors(), ["password"]);
    assert_eq!(ann.api().get("/me/tokens").await.status, 401);
    let code = phone.code(0);
    assert_eq!(sudo(Some(&code)).await.status, 204, "a wrong password did not consume it");
    assert_eq!(ann.api().get("/me/tokens").await.status, 200);
    assert_eq!(sudo(Some(&code)).await.status, 422, "a code cannot be replayed");

    let form = ann.page().get("/sudo?next=/me/tokens").await;
    assert!(form.body.contains("name=\"code\"") && form.body.contains("works once"));
    let half = ann.page().post("/sudo", &[("password", PASSWORD), ("code", " ")]).await;
    assert_eq!(half.status, 422);
    assert!(half.body.contains("href=\"#code\"") && half.body.contains("name=\"code\""));
    let wrong = ann.page().post("/sudo", &[("password", PASSWORD), ("code", "000000")]).await;
    assert!(wrong.status == 422 && wrong.body.contains("wrong or has been used"));
    assert_eq!(ann.page().get("/me/tokens").await.status, 303);
    let right = [("password", PASSWORD), ("code", &codes[0]), ("next", "/me/tokens")];
    assert_eq!(ann.page().post("/sudo", &right).await.header("location"), Some("/me/tokens"));
    assert_eq!(ann.page().get("/me/tokens").await.status, 200);

    age_proofs(&app).await;
    let change = [("current", PASSWORD), ("password", "seven marble lanterns drift")];
    assert_eq!(ann.page().put("/me/password", &change).await.status, 303);
    assert_eq!(ann.page().get("/me/tokens").await.status, 303, "one factor is not both");
}

#[rocket::async_test]
async fn without_a_second_factor_no_code_is_asked_for() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    assert!(!ann.page().get("/sudo").await.body.contains("name=\"code\""));
    assert_eq!(ann.api().post("/auth/sudo", json!({"password": PASSWORD})).await.status, 204);
}

#[rocket::async_test]
async fn ending_sessions_asks_for_the_password_and_leads_back() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let other = app.log_in("ann").await;
    let draft = json!({"name": "x", "scopes": "account"});
    let program = ann.api().post("/me/tokens", draft).await.json();
    let program = app.nobody().with_token(program["token"].as_str().unwrap());
    age_proofs(&app).await;
    let list = ann.api().get("/me/sessions").await.json();
    let path = format!("/me/sessions/{}", list["items"][0]["id"].as_str().unwrap());
    for path in [path.as_str(), "/me/sessions"] {
        let refused = ann.api().delete(path).await;
        assert_eq!(refused.status, 401);
        assert_eq!(refused.json()["code"], "reauthentication_required");
        let headers = vec![
            Header::new("Origin", ORIGIN),
            Header::new("Referer", format!("{ORIGIN}/me/sessions")),
            Header::new("Cookie", format!("postly={}", ann.cookie.clone().unwrap())),
            ContentType::Form.into(),
        ];
        let form = encode(&[("_method", "delete")]);
        let refused = send(&app, Post, path, headers, Some(form)).await;
        let to = "/resume?next=%2Fme%2Fsessions&from=%2Fme%2Fsessions";
        assert_eq!((refused.status, refused.header("location")), (307, Some(to)));
        let refused = ann.page().delete(to, &[]).await;
        let to = "/sudo?next=%2Fme%2Fsessions&repeat=true";
        assert_eq!((refused.status, refused.header("location")), (303, Some(to)));
    }
    assert_eq!(other.api().get("/me").await.status, 200, "nothing has ended");
    assert_eq!(other.page().get("/me").await.status, 200);

    let form = ann.page().get("/sudo?next=/me/sessions&repeat=true").await;
    assert!(form.body.contains("Nothing has changed yet"), "{}", form.body);
    assert!(form.body.contains("name=\"repeat\" value=\"true\""));
    let fields = [("password", PASSWORD), ("next", "/me/sessions"), ("repeat", "true")];
    let back = ann.page().post("/sudo", &fields).await;
    assert_eq!(back.header("location"), Some("/me/sessions"));
    let flash = back.cookie("postly_flash").unwrap();
    let back = Person { cookie: ann.cookie.clone(), ..app.nobody() };
    let back = back.with_cookie("postly_flash", &flash).page().get("/me/sessions").await;
    assert!(back.body.contains("please do it again now"), "{}", back.body);
    assert_eq!(ann.page().delete("/me/sessions", &[]).await.status, 303);
    assert_eq!(other.api().get("/me").await.status, 401);
    assert_eq!(program.api().delete("/me/sessions").await.status, 204, "it has the scope");
    assert_eq!(ann.page().get("/me").await.status, 303);
}

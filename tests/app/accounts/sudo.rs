//! Confirming the password before sensitive actions.

use rocket::http::Method::{Get, Post};
use serde_json::json;

use super::log_in;
use crate::support::internals::{now, sql};
use crate::support::permission::{MEMBERS_PAGE, Permission, api_only, page_only};
use crate::support::{App, PASSWORD};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/sudo", MEMBERS_PAGE),
        page_only(Post, "/sudo", [303; 4]).with(&[("password", PASSWORD)]),
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

//! User administration.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Patch};
use serde_json::json;

use crate::support::permission::{ADMINS, ADMINS_CHANGE, ADMINS_DELETE, Permission, both};
use crate::support::{App, PASSWORD};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/admin/users", ADMINS).scope("admin"),
        both(Patch, "/admin/users/<username>", ADMINS_CHANGE)
            .scope("admin")
            .with(&[("role", "user")]),
        both(Delete, "/admin/users/<username>", ADMINS_DELETE).scope("admin"),
    ]
}

#[rocket::async_test]
async fn a_role_changes_from_the_next_request_on() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let role = |role: &str| json!({"role": role});
    let promoted = root.api().patch("/admin/users/ann", role("admin")).await;
    assert_eq!((promoted.status, &promoted.json()["role"]), (200, &json!("admin")));
    assert_eq!(ann.api().get("/admin/users").await.status, 200);
    let form = [("role", "user"), ("next", "/admin/users?q=ann")];
    let demoted = root.page().patch("/admin/users/ann", &form).await;
    assert_eq!((demoted.status, demoted.header("location")), (303, Some("/admin/users?q=ann")));
    assert_eq!(ann.api().get("/admin/users").await.status, 403);
    assert_eq!(ann.page().get("/admin/users").await.status, 404);
    assert_eq!(root.api().patch("/admin/users/ann", role("king")).await.status, 422);
    assert_eq!(root.api().patch("/admin/users/ann", json!({})).await.status, 422);
    assert_eq!(root.api().patch("/admin/users/zoe", role("user")).await.status, 404);
    assert_eq!(ann.api().patch("/admin/users/ann", role("admin")).await.status, 403);
}

#[rocket::async_test]
async fn deleting_somebody_takes_posts_votes_and_sessions_along() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let (hers, his) = (ann.posts("Hers").await, bob.posts("His").await);
    ann.api().put(&format!("/posts/{his}/vote"), json!({})).await;
    bob.api().put(&format!("/posts/{hers}/vote"), json!({})).await;
    assert_eq!(root.api().delete("/admin/users/ann").await.status, 204);
    assert_eq!(app.nobody().api().get(&format!("/posts/{hers}")).await.status, 404);
    assert_eq!(app.nobody().api().get(&format!("/posts/{his}")).await.json()["votes"], 0);
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(app.nobody().api().get("/users/ann").await.status, 404);
    assert_eq!(root.page().delete("/admin/users/bob", &[]).await.status, 303);
    assert_eq!(root.api().delete("/admin/users/bob").await.status, 404);
}

#[rocket::async_test]
async fn one_admin_always_remains() {
    let app = App::new().await;
    let (root, eve) = (app.admin("root").await, app.admin("eve").await);
    let (roots, eves) = (root.api(), eve.api());
    let demote = || json!({"role": "user"});
    let both = join_all([
        roots.patch("/admin/users/eve", demote()),
        eves.patch("/admin/users/root", demote()),
    ])
    .await;
    let done = both.iter().filter(|response| response.status == 200).count();
    assert_eq!(done, 1, "{both:?}");
    let (last, name) = if root.api().get("/admin/users").await.status == 200 {
        (root, "root")
    } else {
        (eve, "eve")
    };
    let path = format!("/admin/users/{name}");
    assert_eq!(last.api().patch(&path, demote()).await.status, 409);
    assert_eq!(last.api().delete(&path).await.status, 409);
    let page = last.page().delete(&path, &[]).await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("last admin"));
}

#[rocket::async_test]
async fn whoever_is_disabled_is_out_at_the_next_request() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let program = json!({"name": "x", "scopes": ["account"]});
    let created = ann.api().post("/me/tokens", program).await.json();
    let program = app.nobody().with_token(created["token"].as_str().unwrap());
    assert_eq!(program.api().get("/me").await.status, 200);
    let off = root.api().patch("/admin/users/ann", json!({"disabled": true})).await;
    assert_eq!(off.status, 200);
    assert!(off.json()["disabled_at"].is_string());
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(program.api().get("/me").await.status, 401);
    let again = json!({"refresh_token": ann.refresh_token.clone().unwrap()});
    assert_eq!(app.nobody().api().post("/auth/refresh", again).await.status, 401);
    let login = |name: &str, password: &str| json!({"username": name, "password": password});
    let out = app.nobody().api().post("/auth/login", login("ann", PASSWORD)).await;
    let unknown = app.nobody().api().post("/auth/login", login("zoe", PASSWORD)).await;
    assert_eq!((out.status, &out.json()["detail"]), (401, &unknown.json()["detail"]));
    assert!(root.page().get("/admin/users").await.body.contains("disabled"));

    let form = [("disabled", "false")];
    assert_eq!(root.page().patch("/admin/users/ann", &form).await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 401, "old sessions stay ended");
    assert_eq!(program.api().get("/me").await.status, 401, "and so do personal tokens");
    app.log_in("ann").await;
    let last = root.api().patch("/admin/users/root", json!({"disabled": true})).await;
    assert_eq!(last.status, 409, "the last admin cannot be disabled");
}

#[rocket::async_test]
async fn two_admins_who_disable_each_other_leave_one() {
    let app = App::new().await;
    let (root, ruth) = (app.admin("root").await, app.admin("ruth").await);
    let all = join_all([(&root, "ruth"), (&ruth, "root")].map(|(admin, other)| async move {
        let path = format!("/admin/users/{other}");
        admin.api().patch(&path, json!({"disabled": true})).await.status
    }))
    .await;
    assert_eq!(all.iter().filter(|status| **status == 200).count(), 1, "{all:?}");
}

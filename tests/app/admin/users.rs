//! User administration.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Patch};
use serde_json::json;

use crate::support::permission::{
    ADMINS, ADMINS_CHANGE, ADMINS_DELETE, Permission, both, page_only,
};
use crate::support::{App, PASSWORD};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/admin/users", ADMINS).scope("admin"),
        both(Patch, "/admin/users/<username>", ADMINS_CHANGE)
            .scope("admin")
            .with(&[("role", "user")]),
        both(Delete, "/admin/users/<username>", ADMINS_DELETE).scope("admin"),
        page_only(Get, "/admin/users/<username>/confirm", [404, 404, 404, 422]),
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
async fn every_change_says_what_it_means_before_it_is_made() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    ann.posts("Tides").await;
    let list = root.page().get("/admin/users?username=ANN").await.body;
    for (change, heading, field) in [
        ("promote", "Make ann an admin?", "name=\"role\" value=\"admin\""),
        ("demote", "Remove the admin rights of ann?", "name=\"role\" value=\"user\""),
        ("disable", "Disable ann?", "name=\"disabled\" value=\"true\""),
        ("delete", "Delete ann and 1 post?", "name=\"_method\" value=\"delete\""),
    ] {
        let path = format!("/admin/users/ann/confirm?change={change}&next=/admin/users%3Fq%3Da");
        let page = root.page().get(&path).await;
        assert!(page.body.contains(heading) && page.body.contains(field), "{}", page.body);
        assert!(page.body.contains("action=\"/admin/users/ann\""), "{}", page.body);
        assert!(page.body.contains("value=\"&#x2F;admin&#x2F;users?q=a\""), "{}", page.body);
        // Of these, the list of people has links alone.
        assert!(!list.contains(field), "{list}");
        let is_offered =
            list.contains(&format!("/admin/users/ann/confirm?change={change}&amp;next="));
        assert_eq!(is_offered, change != "demote", "{list}");
    }
    let account = root.api().get("/admin/users?q=ann").await.json()["items"][0].clone();
    assert_eq!((&account["role"], &account["disabled_at"]), (&json!("user"), &json!(null)));
    for (path, status) in [("ann/confirm?change=rename", 422), ("zoe/confirm?change=delete", 404)] {
        assert_eq!(root.page().get(&format!("/admin/users/{path}")).await.status, status);
    }
}

#[rocket::async_test]
async fn one_person_is_listed_by_the_exact_name() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    app.user("joanna").await;
    for (query, count) in [("username=ANN", 1), ("username=nn", 0), ("q=ann", 2), ("username=", 3)]
    {
        let path = format!("/admin/users?{query}");
        let list = root.api().get(&path).await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), count, "{query}");
        assert_eq!(root.page().get(&path).await.status, 200);
    }
    let both = root.api().get("/admin/users?q=a&username=ann").await;
    assert_eq!((both.status, both.field_errors()), (422, vec!["username".to_owned()]));
    ann.posts("Tides").await;
    let page = root.page().get("/admin/users?username=ann").await.body;
    assert!(
        page.contains("href=\"/admin/posts?author=ann\" aria-label=\"Posts by ann: 1\""),
        "{page}"
    );
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

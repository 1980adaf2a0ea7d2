//! What admins see and do.

use crate::support::App;
use rocket::futures::future::join_all;
use serde_json::json;

#[rocket::async_test]
async fn lists_are_searched_and_paged() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    app.user("under_score").await;
    ann.posts("Night TRAIN").await;
    ann.posts("100% rye").await;
    for (path, count) in [
        ("/admin/posts", 2),
        ("/admin/posts?q=train", 1),
        ("/admin/posts?q=ANN", 2),
        ("/admin/posts?q=100%25", 1),
        ("/admin/posts?q=zzz", 0),
        ("/admin/users", 3),
        ("/admin/users?q=ann", 1),
        ("/admin/users?q=mail.example", 3),
        ("/admin/users?q=_", 1),
        ("/admin/users?limit=2", 2),
    ] {
        let list = root.api().get(path).await;
        assert_eq!(list.json()["items"].as_array().unwrap().len(), count, "{path}: {}", list.body);
        assert_eq!(root.page().get(path).await.status, 200);
    }
    let page = root.page().get("/admin/users?q=ann").await;
    assert!(page.body.contains("ann@mail.example") && page.body.contains("value=\"ann\""));
    let people = root.api().get("/admin/users?q=ann").await.json();
    assert_eq!(people["items"][0]["posts"], 2);
}

#[rocket::async_test]
async fn for_everybody_else_there_is_nothing_here() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for path in ["/admin/posts", "/admin/users"] {
        assert_eq!(ann.page().get(path).await.status, 404);
        assert_eq!(app.nobody().page().get(path).await.status, 404);
        assert_eq!(ann.api().get(path).await.status, 403);
        assert_eq!(app.nobody().api().get(path).await.status, 401);
    }
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
    let demoted = root.page().with("patch", "/admin/users/ann", &form).await;
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
    assert_eq!(root.page().with("delete", "/admin/users/bob", &[]).await.status, 303);
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
    let done = both.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(done, 1, "{both:?}");
    let (last, name) = if root.api().get("/admin/users").await.status == 200 {
        (root, "root")
    } else {
        (eve, "eve")
    };
    let path = format!("/admin/users/{name}");
    assert_eq!(last.api().patch(&path, demote()).await.status, 409);
    assert_eq!(last.api().delete(&path).await.status, 409);
    let page = last.page().with("delete", &path, &[]).await;
    assert_eq!(page.status, 409);
    assert!(page.body.contains("last admin"));
}

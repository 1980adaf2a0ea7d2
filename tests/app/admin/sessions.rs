//! Other users' sessions: listed and ended by admins.

use rocket::http::Method::{Delete, Get};

use crate::support::App;
use crate::support::permission::{ADMINS, ADMINS_DELETE, Permission, both};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/admin/users/<username>/sessions", ADMINS).scope("admin"),
        both(Delete, "/admin/users/<username>/sessions", ADMINS_DELETE).scope("admin"),
        // The session in the path does not exist.
        both(
            Delete,
            "/admin/users/<username>/sessions/<sid>",
            [(404, 401), (404, 403), (404, 403), (404, 404)],
        )
        .scope("admin"),
    ]
}

#[rocket::async_test]
async fn an_admin_sees_and_ends_anybodys_sessions() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let list = root.api().get("/admin/users/ann/sessions").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let page = list["items"].as_array().unwrap().iter().find(|s| s["client"] == "browser").unwrap();
    let path = format!("/admin/users/ann/sessions/{}", page["id"].as_str().unwrap());
    assert_eq!(ann.api().delete(&path).await.status, 403);
    assert_eq!(root.api().delete(&path).await.status, 204);
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 200);
    let form = [("next", "/admin/users")];
    let ended = root.page().delete("/admin/users/ann/sessions", &form).await;
    assert_eq!((ended.status, ended.header("location")), (303, Some("/admin/users")));
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert!(root.page().get("/admin/users/ann/sessions").await.body.contains("not logged in"));
    assert_eq!(root.api().get("/admin/users/nobody/sessions").await.status, 404);
}

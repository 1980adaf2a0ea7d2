//! Methods: OPTIONS, HEAD, and merge patches.

use rocket::http::Header;
use rocket::http::Method::{Get, Head, Options, Patch};
use serde_json::json;

use crate::support::{App, send};

#[rocket::async_test]
async fn options_name_every_method_of_an_address() {
    let app = App::new().await;
    let ask = async |path: &str| send(&app, Options, path, vec![], None::<&str>).await;
    for (path, allow) in [
        ("/api/v1/posts", "GET, HEAD, OPTIONS, POST"),
        ("/api/v1/posts/1", "DELETE, GET, HEAD, OPTIONS, PATCH, PUT"),
        ("/api/v1/auth/login", "OPTIONS, POST"),
        ("/api/v1/admin/settings", "GET, HEAD, OPTIONS, PATCH"),
        ("/login", "GET, HEAD, OPTIONS, POST"),
    ] {
        let answer = ask(path).await;
        assert_eq!((answer.status, answer.header("allow")), (204, Some(allow)), "{path}");
        let patch = allow.contains("PATCH").then_some("application/merge-patch+json");
        assert_eq!(answer.header("accept-patch"), patch, "{path}");
    }
    for path in ["/api/v1/nothing", "/nothing", "/admin", "/admin/users", "/api/v1/posts/x"] {
        assert_eq!(ask(path).await.status, 404, "{path}");
    }
    let head = send(&app, Head, "/api/v1/posts", vec![], None::<&str>).await;
    let get = send(&app, Get, "/api/v1/posts", vec![], None::<&str>).await;
    assert_eq!((head.status, head.header("etag")), (200, get.header("etag")));
}

#[rocket::async_test]
async fn a_post_is_edited_by_a_merge_patch() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    let token = ann.token.clone().unwrap();
    let patch = async |kind: &'static str, body: &'static str| {
        let headers = vec![
            Header::new("Authorization", format!("Bearer {token}")),
            Header::new("Content-Type", kind),
        ];
        send(&app, Patch, "/api/v1/posts/1", headers, Some(body)).await
    };
    let saved = patch("application/merge-patch+json", r#"{"content": "Two."}"#).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    assert_eq!(
        (&saved.json()["title"], &saved.json()["content"]),
        (&json!("Tides"), &json!("Two."))
    );
    assert_eq!(patch("application/json", r#"{"title": "Ebb"}"#).await.json()["title"], "Ebb");
    for (field, body) in [("title", r#"{"title": null}"#), ("content", r#"{"content": null}"#)] {
        let refused = patch("application/merge-patch+json", body).await;
        assert_eq!((refused.status, refused.field_errors()), (422, vec![field.to_owned()]));
    }
    assert_eq!(patch("application/json-patch+json", "[]").await.status, 415);
    // The kind is for patches alone.
    let headers = vec![
        Header::new("Authorization", format!("Bearer {token}")),
        Header::new("Content-Type", "application/merge-patch+json"),
    ];
    let put = send(&app, rocket::http::Method::Put, "/api/v1/posts/1", headers, Some("{}")).await;
    assert_eq!(put.status, 415);
    let stale = [("If-Match", "\"1-0\"")];
    let stale = ann.api().send(Patch, "/posts/1", Some(json!({"title": "x"})), &stale).await;
    assert_eq!(stale.status, 412);
    assert_eq!(ann.api().get("/posts/1").await.json()["title"], "Ebb");
}

#[rocket::async_test]
async fn null_removes_nothing() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    ann.posts("Tides").await;
    for field in ["title", "version"] {
        let put = ann.api().put("/posts/1", json!({(field): null})).await;
        assert_eq!((put.status, put.field_errors()), (422, vec![field.to_owned()]));
    }
    let settings = root.api().patch("/admin/settings", json!({"site_name": null})).await;
    assert_eq!((settings.status, settings.field_errors()), (422, vec!["site_name".to_owned()]));
    let role = root.api().patch("/admin/users/ann", json!({"role": null, "disabled": true})).await;
    assert_eq!((role.status, role.field_errors()), (422, vec!["role".to_owned()]));
    let many = (0..10_000).map(|n| (format!("x{n}"), serde_json::Value::Null)).collect();
    let many = root.api().patch("/admin/settings", serde_json::Value::Object(many)).await;
    assert!(many.status == 422 && many.body.len() < 10_000, "{}", many.body.len());
    assert_eq!(ann.api().get("/me").await.status, 200, "not disabled");
    // A field that need not be sent may be null where nothing is patched.
    let login = json!({"username": "ann", "email": null, "code": null, "password": crate::support::PASSWORD});
    assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 200);
}

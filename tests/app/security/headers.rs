//! Security headers, and what must not be cached.

use crate::support::App;

#[rocket::async_test]
async fn every_answer_carries_the_security_headers() {
    let app = App::new().await;
    for path in [
        "/",
        "/nope",
        "/login",
        "/api/v1/posts",
        "/api/v1/nope",
        "/static/css/base.css",
        "/static/nope",
        "/me",
        "/healthz",
        "/docs",
    ] {
        let response = app.nobody().page().get(path).await;
        let policy = response.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{part} at {path}");
        }
        if path != "/docs" {
            assert!(!policy.contains("unsafe"), "{path}");
        }
        assert_eq!(response.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(response.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(response.header("x-request-id").unwrap().len(), 32);
        assert_eq!(response.header("server"), Some("Postly"));
        let kind = response.header("content-type").unwrap_or_default();
        let is_named = kind.ends_with("; charset=utf-8") || kind.ends_with("json");
        assert!(is_named || response.body.is_empty(), "{kind} at {path}");
    }
}

#[rocket::async_test]
async fn what_a_signed_in_person_sees_is_kept_nowhere() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("Tides").await;
    for path in
        ["/", "/posts/1", "/me", "/dashboard", "/me/sessions", "/admin/users", "/nowhere", "/login"]
    {
        let page = root.page().get(path).await;
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert!(!page.body.contains("eyJ"), "no token in {path}");
    }
    assert_eq!(root.api().get("/me").await.header("cache-control"), Some("no-store"));
}

#[rocket::async_test]
async fn an_answer_that_sets_a_cookie_is_kept_nowhere() {
    let app = App::new().await;
    for path in ["/verify-email?token=x", "/password-reset/new?token=x"] {
        let opened = app.nobody().page().get(path).await;
        assert_eq!((opened.status, opened.header("cache-control")), (303, Some("no-store")));
    }
}

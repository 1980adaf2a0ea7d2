//! Bad input gets a clear error, never a 500.

use rocket::http::{ContentType, Header, Method};
use serde_json::json;

use crate::support::{App, send};

#[rocket::async_test]
async fn the_api_takes_json_and_nothing_else() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let bearer = || Header::new("Authorization", format!("Bearer {}", ann.token.clone().unwrap()));
    let draft = json!({"title": "a", "content": "b"}).to_string();
    let post = async |kind: &'static str, body: Vec<u8>| {
        let headers = vec![bearer(), Header::new("Content-Type", kind)];
        send(&app, Method::Post, "/api/v1/posts", headers, Some(body)).await.status
    };
    assert_eq!(post("text/plain", draft.clone().into()).await, 415);
    assert_eq!(post("application/x-www-form-urlencoded", b"title=a&content=b".to_vec()).await, 415);
    assert_eq!(post("application/json; charset=utf-8", draft.clone().into()).await, 201);
    let headers = vec![bearer()];
    let none = send(&app, Method::Post, "/api/v1/posts", headers, Some(draft)).await;
    assert_eq!(none.status, 415);
    assert_eq!(post("application/json", b"{\"title\":".to_vec()).await, 400);
    assert_eq!(post("application/json", b"[1]".to_vec()).await, 422);
    assert_eq!(post("application/json", b"{\"title\":\"\xff\"}".to_vec()).await, 422);
    assert_eq!(post("application/json", "[".repeat(100_000).into()).await, 400);
    assert_eq!(post("application/json", vec![b' '; 3 << 20]).await, 413);
    assert_eq!(post("application/json", b"{\"title\":\"a\",\"content\":1}".to_vec()).await, 422);
}

#[rocket::async_test]
async fn forms_are_bounded_and_must_be_text() {
    let app = App::new().await;
    let post = async |body: Vec<u8>| {
        let headers = vec![ContentType::Form.into()];
        send(&app, Method::Post, "/register", headers, Some(body)).await
    };
    assert_eq!(post(b"username=%ff&password=x".to_vec()).await.status, 422);
    assert_eq!(post(b"username=a%00b&password=x".to_vec()).await.status, 422);
    assert_eq!(post([b"password=".to_vec(), vec![b'a'; 3 << 20]].concat()).await.status, 413);
    let long = post([b"username=ann&password=".to_vec(), vec![b'a'; 1 << 20]].concat()).await;
    assert_eq!(long.status, 422);
    assert!(long.body.contains("at most 256"));
    let json = vec![ContentType::JSON.into()];
    let kind = send(&app, Method::Post, "/register", json, Some("{}")).await;
    assert_eq!(kind.status, 415);
}

#[rocket::async_test]
async fn unknown_addresses_and_methods_are_told_apart() {
    let app = App::new().await;
    let ask = async |method, path| send(&app, method, path, vec![], None::<&str>).await;
    let wrong = ask(Method::Post, "/api/v1/posts/1").await;
    let allowed = Some("DELETE, GET, HEAD, OPTIONS, PATCH, PUT");
    assert_eq!((wrong.status, wrong.header("allow")), (405, allowed));
    assert_eq!(wrong.json()["status"], 405);
    assert_eq!(ask(Method::Trace, "/").await.status, 405);
    let nothing = ask(Method::Get, "/api/v1/nothing").await;
    assert_eq!(
        (nothing.status, nothing.header("content-type")),
        (404, Some("application/problem+json"))
    );
    assert_eq!(nothing.json()["instance"], "/api/v1/nothing");
    let page = ask(Method::Get, "/nothing").await;
    assert_eq!(page.status, 404);
    assert!(page.body.contains("<h1>Page not found</h1>"));
    for path in [
        "/static/../Cargo.toml",
        "/static/%2e%2e/Cargo.toml",
        "/static/.git",
        "/static/css/",
        "/static/nope.css",
    ] {
        let status = ask(Method::Get, path).await.status;
        assert!(matches!(status, 404 | 422 | 400), "{path}: {status}");
    }
    let moved = ask(Method::Get, "/posts/new/").await;
    assert!(
        matches!(moved.status, 303 | 308),
        "a trailing slash reaches the page: {}",
        moved.status
    );
}

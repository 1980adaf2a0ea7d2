//! Conditional requests (RFC 9110 §13): tags of reads and changes, lists of tags.

use rocket::http::Method::{Delete, Get, Post, Put};
use rocket::http::{ContentType, Header};
use serde_json::json;

use crate::support::{App, send};

#[rocket::async_test]
async fn what_has_not_changed_is_not_sent_again() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    ann.posts("Tides").await;
    for path in
        ["/posts", "/posts/1", "/users/ann", "/posts/1/votes", "/openapi.json", "/dashboard"]
    {
        let first = ann.api().get(path).await;
        assert_eq!(first.status, 200, "{path}");
        let tag = first.header("etag").unwrap_or_else(|| panic!("{path} has a tag"));
        let again = [("If-None-Match", tag)];
        let again = ann.api().send(Get, path, None, &again).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
        assert_eq!(again.header("etag"), Some(tag), "{path}");
        let other = ann.api().send(Get, path, None, &[("If-None-Match", "\"other\"")]).await;
        assert_eq!(other.status, 200, "{path}");
    }
    let before = app.nobody().api().get("/openapi.json").await;
    root.api().patch("/admin/settings", json!({"site_name": "Harbour Lights"})).await;
    let tag = [("If-None-Match", before.header("etag").unwrap())];
    let after = app.nobody().api().send(Get, "/openapi.json", None, &tag).await;
    assert_eq!(
        (after.status, after.json()["info"]["title"].as_str()),
        (200, Some("Harbour Lights"))
    );
}

#[rocket::async_test]
async fn a_tag_may_stand_in_a_list_and_on_several_lines() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    let tag = ann.api().get("/posts/1").await.header("etag").unwrap().to_owned();
    let several = format!("\"0-0\", {tag}, \"9\"");
    for lines in
        [vec![several.as_str()], vec!["\"0-0\"", tag.as_str()], vec![tag.as_str(), "\"x\""]]
    {
        let known: Vec<_> = lines.iter().map(|line| ("If-None-Match", *line)).collect();
        assert_eq!(ann.api().send(Get, "/posts/1", None, &known).await.status, 304, "{lines:?}");
    }
    let edit = async |content: &str, lines: &[&str]| {
        let conditions: Vec<_> = lines.iter().map(|line| ("If-Match", *line)).collect();
        let edit = Some(json!({"content": content}));
        ann.api().send(Put, "/posts/1", edit, &conditions).await
    };
    let saved = edit("Two.", &["\"1-0000\", \"0-0\""]).await;
    assert_eq!(saved.status, 200, "the version is what counts");
    let second = saved.header("etag").unwrap().to_owned();
    assert_eq!(edit("Three.", &["\"0-0\"", second.as_str()]).await.status, 200);
    for stale in [&[second.as_str()][..], &["\"nonsense\""], &["\"1-0\"", second.as_str()]] {
        assert_eq!(edit("Lost.", stale).await.status, 412, "{stale:?}");
    }
    assert_eq!(edit("Four.", &["*"]).await.status, 200);
    let stale = [("If-Match", second.as_str())];
    assert_eq!(ann.api().send(Delete, "/posts/1", None, &stale).await.status, 412);
    let post = ann.api().get("/posts/1").await;
    assert_eq!(post.json()["content"], "Four.");
}

/// A change answers with the tag of what it made, and never with 304.
#[rocket::async_test]
async fn changes_have_the_tag_of_their_result() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let text = json!({"title": "Tides", "content": "One."});
    let created = ann.api().post("/posts", text.clone()).await;
    let tag = created.header("etag").unwrap();
    assert_eq!(ann.api().get("/posts/1").await.header("etag"), Some(tag));
    let saved = ann.api().put("/posts/1", json!({"content": "Two."})).await;
    assert_ne!(saved.header("etag").unwrap(), tag);
    assert_eq!(ann.api().get("/posts/1").await.header("etag"), saved.header("etag"));
    let any = [("If-None-Match", "*")];
    let preview = ann.api().send(Post, "/posts/preview", Some(text), &any).await;
    assert_eq!((preview.status, preview.header("etag")), (200, None), "it is no resource");
}

#[rocket::async_test]
async fn a_compressed_body_is_refused_and_nothing_is_done() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let token = ann.token.clone().unwrap();
    let ask =
        async |path: &'static str, kind: ContentType, coding: &'static str, body: &'static str| {
            let headers = vec![
                Header::new("Authorization", format!("Bearer {token}")),
                Header::new("Content-Encoding", coding),
                kind.into(),
            ];
            send(&app, Post, path, headers, Some(body)).await
        };
    let text = r#"{"title": "Tides", "content": "One."}"#;
    for coding in ["gzip", "br", "identity, gzip", "nonsense"] {
        let refused = ask("/api/v1/posts", ContentType::JSON, coding, text).await;
        assert_eq!((refused.status, refused.header("accept-encoding")), (415, Some("identity")));
        assert_eq!(refused.json()["code"], "unsupported_encoding");
        let form = ask("/login", ContentType::Form, coding, "username=ann").await;
        assert_eq!(form.status, 415);
    }
    assert_eq!(app.nobody().api().get("/posts").await.json()["items"], json!([]));
    assert_eq!(ask("/api/v1/posts", ContentType::JSON, "identity", text).await.status, 201);
}

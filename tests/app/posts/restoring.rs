//! Restoring what a comment said before: who may, and what becomes of it.

use rocket::http::Method::Post;
use serde_json::{Value, json};

use super::comments::comment;
use crate::support::permission::{Permission, both};
use crate::support::{App, Person};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(
            Post,
            "/comments/<id>/revisions/<number>/restore",
            [(303, 401), (403, 403), (303, 200), (303, 200)],
        )
        .scope("posts:write"),
    ]
}

const RESTORE: &str = "/comments/1/revisions/1/restore";

/// A comment that said "One", "Two" and "Three".
async fn rewritten(author: &Person<'_>) {
    let post = author.posts("Tides").await;
    assert_eq!(comment(author, post, None, "One *gull*").await, 1);
    for content in ["Two", "Three"] {
        let edited = author.api().put("/comments/1", json!({"content": content})).await;
        assert_eq!(edited.status, 200, "{}", edited.body);
    }
}

fn numbers(list: &Value) -> Vec<i64> {
    list["items"].as_array().unwrap().iter().map(|v| v["number"].as_i64().unwrap()).collect()
}

#[rocket::async_test]
async fn a_program_restores_what_a_comment_said() {
    let app = App::new().await;
    let bob = app.user("bob").await;
    rewritten(&bob).await;
    let present = bob.api().get("/comments/1").await.header("etag").unwrap().to_owned();
    // Whoever has seen an older version is told which there is now.
    let seen = Some(json!({"version": 2}));
    for (body, headers) in [(seen, vec![]), (Some(json!({})), vec![("If-Match", "\"2-0\"")])] {
        let refused = bob.api().send(Post, RESTORE, body, &headers).await;
        assert_eq!((refused.status, refused.header("etag")), (412, Some(present.as_str())));
        assert_eq!(refused.json()["code"], "version_conflict");
    }
    let condition = [("If-Match", present.as_str())];
    let restored = bob.api().send(Post, RESTORE, Some(json!({})), &condition).await;
    assert_eq!(restored.status, 200, "{}", restored.body);
    let comment = restored.json();
    assert_eq!((&comment["content"], &comment["version"]), (&json!("One *gull*"), &json!(4)));
    assert!(restored.header("etag").is_some_and(|tag| tag.starts_with("\"4-")));
    assert_eq!(app.nobody().api().get("/comments/1").await.json()["content"], "One *gull*");
    let list = bob.api().get("/comments/1/revisions").await.json();
    assert_eq!(numbers(&list), [4, 3, 2, 1], "nothing is lost");
    assert_eq!(list["items"][1]["content"], "Three");
    let found = app.nobody().api().get("/search?q=gull&type=comments").await.json();
    assert_eq!(found["items"][0]["id"], 1);
    // What it says already is no new version.
    for number in [4, 1] {
        let path = format!("/comments/1/revisions/{number}/restore");
        assert_eq!(bob.api().post(&path, json!({})).await.json()["version"], 4);
    }
    for path in ["/comments/1/revisions/9/restore", "/comments/9/revisions/1/restore"] {
        assert_eq!(bob.api().post(path, json!({})).await.status, 404, "{path}");
        assert_eq!(bob.page().post(path, &[]).await.status, 404, "{path}");
    }
}

#[rocket::async_test]
async fn a_browser_restores_what_a_comment_said() {
    let app = App::new().await;
    let bob = app.user("bob").await;
    rewritten(&bob).await;
    for address in ["/comments/1/revisions/1", "/comments/1/revisions/1?compare=3"] {
        let old = bob.page().get(address).await.body;
        assert!(old.contains("Restore version 1"), "{old}");
        assert!(old.contains("name=\"version\" value=\"3\""), "{old}");
    }
    let current = bob.page().get("/comments/1/revisions/3").await.body;
    assert!(!current.contains("Restore version"), "{current}");
    let stale = bob.page().post(RESTORE, &[("version", "2")]).await;
    assert_eq!(stale.status, 409);
    let restored = bob.page().post(RESTORE, &[("version", "3")]).await;
    assert_eq!((restored.status, restored.header("location")), (303, Some("/comments/1")));
    assert_eq!(restored.cookie("postly_flash").as_deref(), Some("comment-restored"));
    assert!(bob.page().get("/comments/1").await.body.contains("One <em>gull</em>"));
}

/// The same rules as for an edit.
#[rocket::async_test]
async fn only_its_author_and_admins_restore_a_comment_as_long_as_it_is_there() {
    let app = App::with(&[("limits", "edits=5/h")]).await;
    let (ann, bob, root) = (app.user("ann").await, app.user("bob").await, app.admin("root").await);
    rewritten(&bob).await;
    assert_eq!(app.nobody().api().post(RESTORE, json!({})).await.status, 401);
    assert_eq!(ann.api().post(RESTORE, json!({})).await.status, 403);
    assert_eq!(ann.page().post(RESTORE, &[]).await.status, 403);
    assert_eq!(bob.api().get("/comments/1").await.json()["version"], 3);
    assert_eq!(root.api().post(RESTORE, json!({})).await.json()["content"], "One *gull*");
    let events = root.api().get("/admin/audit?kind=comment.edited").await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1);
    assert_eq!(
        (&events["items"][0]["subject"], &events["items"][0]["detail"]),
        (&json!("bob"), &json!("comment 1"))
    );
    // Nobody can add a comment then, but what is there can be edited.
    assert_eq!(bob.api().put("/posts/1/comments/closed", json!({})).await.status, 200);
    let second = "/comments/1/revisions/2/restore";
    assert_eq!(bob.api().post(second, json!({})).await.json()["content"], "Two");
    assert_eq!(bob.page().post(RESTORE, &[]).await.status, 303);
    assert_eq!(bob.api().post(second, json!({})).await.status, 429, "as many as edits");
    assert_eq!(bob.page().post(second, &[]).await.status, 429);
}

/// It stays for its replies, without anything that it said.
#[rocket::async_test]
async fn a_deleted_comment_is_not_restored() {
    let app = App::new().await;
    let (ann, bob, root) = (app.user("ann").await, app.user("bob").await, app.admin("root").await);
    rewritten(&bob).await;
    comment(&ann, 1, Some(1), "Reply").await;
    assert_eq!(bob.api().delete("/comments/1").await.status, 204);
    for person in [&bob, &root] {
        assert_eq!(person.api().post(RESTORE, json!({})).await.status, 404, "{}", person.name);
        assert_eq!(person.page().post(RESTORE, &[]).await.status, 404, "{}", person.name);
    }
    let stone = app.nobody().api().get("/comments/1").await.json();
    assert_eq!((&stone["deleted"], &stone["content"]), (&json!(true), &json!("")));
}

//! Votes for comments, and closed discussions.

use rocket::http::Method::{Delete, Get, Put};
use serde_json::json;

use super::comments::comment;
use crate::support::App;
use crate::support::permission::{PUBLIC, Permission, both};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/comments/<id>/votes", PUBLIC).scope("posts:read"),
        both(Put, "/comments/<id>/vote", [(303, 401), (303, 200), (403, 403), (303, 200)])
            .scope("posts:write"),
        both(Delete, "/comments/<id>/vote", [(303, 401), (303, 200), (303, 200), (303, 200)])
            .scope("posts:write"),
    ]
}

#[rocket::async_test]
async fn one_vote_a_person_and_none_for_ones_own() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let post = ann.posts("Tides").await;
    let id = comment(&ann, post, None, "First").await;
    let vote = format!("/comments/{id}/vote");
    for _ in 0..2 {
        let voted = bob.api().put(&vote, json!({})).await.json();
        assert_eq!((&voted["votes"], &voted["voted"]), (&json!(1), &json!(true)));
    }
    assert_eq!(ann.api().put(&vote, json!({})).await.status, 403);
    let next = format!("/posts/{post}#comment-{id}");
    let withdrawn = bob.page().delete(&vote, &[("next", &next)]).await;
    assert_eq!(withdrawn.header("location"), Some(next.as_str()));
    assert_eq!(ann.api().get(&format!("/comments/{id}")).await.json()["votes"], 0);
}

#[rocket::async_test]
async fn everybody_sees_who_voted_for_a_comment() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = ann.posts("Tides").await;
    let (id, other) =
        (comment(&ann, post, None, "First").await, comment(&ann, post, None, "Other").await);
    let path = format!("/comments/{id}/votes");
    let empty = app.nobody().page().get(&path).await.body;
    assert!(empty.contains("No one has voted for this comment yet."), "{empty}");
    for name in ["v1", "v2", "v3"] {
        let voter = app.user(name).await;
        voter.api().put(&format!("/comments/{id}/vote"), json!({})).await;
        voter.api().put(&format!("/posts/{post}/vote"), json!({})).await;
    }
    app.user("v4").await.api().put(&format!("/comments/{other}/vote"), json!({})).await;
    let first = app.nobody().api().get(&format!("{path}?limit=2")).await.json();
    let names = |list: &serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|vote| vote["user"]["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["v3", "v2"]);
    let (author, link) = (json!({"id": ann.id, "username": "ann"}), format!("/comments/{id}"));
    assert_eq!(first["comment"], json!({"id": id, "author": author, "path": link}));
    assert_eq!(first["post"], json!({"id": post, "title": "Tides", "path": "/posts/1/tides"}));
    let next = format!("{path}?limit=2&before={}", first["next"].as_str().unwrap());
    assert_eq!(names(&app.nobody().api().get(&next).await.json()), ["v1"]);
    let page = app.nobody().page().get(&path).await.body;
    assert!(page.contains("href=\"/users/v1\"") && !page.contains("v4"), "{page}");
    assert!(page.contains(&format!("href=\"{link}\">comment by ann</a>")), "{page}");
    for door in [app.nobody().page().get(&link).await, ann.page().get("/posts/1").await] {
        assert!(door.body.contains(&format!("href=\"{path}\"")), "{}", door.body);
    }
    // Nobody learns who wrote a deleted comment, or who liked it.
    comment(&ann, post, Some(id), "A reply").await;
    assert_eq!(ann.api().delete(&link).await.status, 204);
    let stone = app.nobody().api().get(&path).await.json();
    assert_eq!((&stone["comment"]["author"], names(&stone).len()), (&json!(null), 0));
    let page = app.nobody().page().get(&link).await.body;
    assert!(!page.contains(&path), "{page}");
    for missing in ["/comments/999/votes", "/comments/x/votes"] {
        assert_eq!(app.nobody().api().get(missing).await.status, 404, "{missing}");
    }
}

#[rocket::async_test]
async fn authors_and_admins_close_a_discussion() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let post = ann.posts("Tides").await;
    let closed = format!("/posts/{post}/comments/closed");
    assert_eq!(bob.api().put(&closed, json!({})).await.status, 403);
    for _ in 0..2 {
        assert_eq!(ann.api().put(&closed, json!({})).await.json()["comments_closed"], true);
    }
    let path = format!("/posts/{post}/comments");
    let refused = bob.page().post(&path, &[("content", "Kept?")]).await;
    assert!(refused.status == 409 && refused.body.contains("Kept?"), "{}", refused.body);
    assert_eq!(bob.api().post(&path, json!({"content": "No"})).await.status, 409);
    assert!(bob.page().get(&path).await.body.contains("The comments are closed."));
    assert_eq!(ann.page().delete(&closed, &[]).await.status, 303);
    comment(&bob, post, None, "Open again").await;
}

//! Links that show one post to whoever has them.

use rocket::http::Method::{Delete, Get, Post};
use serde_json::json;

use crate::accounts::sweep;
use crate::support::App;
use crate::support::internals::sql;
use crate::support::permission::{Permission, both, page_only};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/posts/<id>/shares", [(303, 401), (403, 403), (200, 200), (403, 403)])
            .scope("posts:write"),
        both(Post, "/posts/<id>/shares", [(303, 401), (403, 403), (303, 201), (403, 403)])
            .scope("posts:write"),
        both(
            Delete,
            "/posts/<id>/shares/<number>",
            [(303, 401), (403, 403), (404, 404), (403, 403)],
        )
        .scope("posts:write"),
        page_only(Get, "/s/<token>", [404, 404, 404, 404]),
    ]
}

#[rocket::async_test]
async fn a_link_shows_a_draft_and_nothing_around_it_until_it_is_revoked() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    ann.posts("Another post").await;
    let draft = json!({"title": "Slack water", "content": "Nothing *moves*.", "state": "draft"});
    let path = format!("/posts/{}", ann.api().post("/posts", draft).await.json()["id"]);
    let made = ann.api().post(&format!("{path}/shares"), json!({})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let link = made.json();
    assert_eq!(link["expires_at"], json!(null));
    let address = link["path"].as_str().unwrap();
    for person in [&app.nobody(), &bob, &ann] {
        let page = person.page().get(address).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("Slack water") && page.body.contains("<em>moves</em>"));
        assert!(page.body.contains("content=\"noindex\""), "{}", page.body);
        for around in ["Another post", "id=\"comments\"", "/edit\"", "vote-button"] {
            assert!(!page.body.contains(around), "{around}: {}", page.body);
        }
    }
    // The address of the post itself shows nothing.
    assert_eq!(bob.page().get(&path).await.status, 404);
    // Always the present text.
    ann.api().put(&path, json!({"content": "Something moves."})).await;
    assert!(app.nobody().page().get(address).await.body.contains("Something moves."));
    let listed = ann.api().get(&format!("{path}/shares")).await.json();
    assert_eq!(listed["items"], json!([link]));
    let revoked = ann.api().delete(&format!("{path}/shares/{}", link["id"])).await;
    assert_eq!(revoked.status, 204);
    assert_eq!(app.nobody().page().get(address).await.status, 404);
    assert_eq!(ann.api().delete(&format!("{path}/shares/{}", link["id"])).await.status, 404);
}

#[rocket::async_test]
async fn a_browser_makes_a_link_that_expires() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    let refused = ann.page().post("/posts/1/shares", &[("days", "366")]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("value=\"366\"") && refused.body.contains("from 1 to 365"));
    let made = ann.page().post("/posts/1/shares", &[("days", "7")]).await;
    assert_eq!((made.status, made.header("location")), (303, Some("/posts/1/shares")));
    let page = ann.page().get("/posts/1/shares").await.body;
    assert!(page.contains("expires") && page.contains("Revoke this link"), "{page}");
    assert!(ann.page().get("/posts/1").await.body.contains("/posts/1/shares"));
    let items = ann.api().get("/posts/1/shares").await.json()["items"].clone();
    let address = items[0]["path"].as_str().unwrap();
    assert_eq!(app.nobody().page().get(address).await.status, 200);
    sql("UPDATE share_links SET expires_at = created_at").execute(app.db.writer()).await.unwrap();
    assert_eq!(app.nobody().page().get(address).await.status, 404);
    assert_eq!(ann.api().get("/posts/1/shares").await.json()["items"], json!([]));
    sweep(&app).await;
    let rows: i64 = sql("SELECT count(*) FROM share_links").scalar(&app.db).await.unwrap();
    assert_eq!(rows, 0);
}

#[rocket::async_test]
async fn links_are_few_and_go_with_their_post() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    ann.posts("Tides").await;
    bob.posts("Gulls").await;
    for _ in 0..20 {
        assert_eq!(ann.api().post("/posts/1/shares", json!({"days": 1})).await.status, 201);
    }
    let refused = ann.api().post("/posts/1/shares", json!({})).await;
    assert_eq!((refused.status, refused.field_errors()), (422, vec!["days".to_owned()]));
    // A link of another post is none of this one.
    let link = bob.api().post("/posts/2/shares", json!({})).await.json();
    assert_eq!(ann.api().delete(&format!("/posts/1/shares/{}", link["id"])).await.status, 404);
    let address = link["path"].as_str().unwrap();
    assert_eq!(app.nobody().page().get(address).await.status, 200);
    assert_eq!(bob.api().delete("/posts/2").await.status, 204);
    assert_eq!(app.nobody().page().get(address).await.status, 404);
    for odd in ["/s/%00", "/s/x%2fy", &format!("/s/{}", "x".repeat(3_000))] {
        let status = app.nobody().page().get(odd).await.status;
        assert!((400..500).contains(&status), "{odd}: {status}");
    }
}

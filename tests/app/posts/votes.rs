//! Votes: one per user and post, counted by the database.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Put};
use serde_json::json;

use crate::support::App;
use crate::support::permission::{PUBLIC, Permission, both};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/posts/<id>/votes", PUBLIC).scope("posts:read"),
        both(Put, "/posts/<id>/vote", [(303, 401), (303, 200), (403, 403), (303, 200)])
            .scope("posts:write"),
        both(Delete, "/posts/<id>/vote", [(303, 401), (303, 200), (303, 200), (303, 200)])
            .scope("posts:write"),
    ]
}

#[rocket::async_test]
async fn a_vote_is_cast_and_withdrawn_once_however_often_it_is_asked() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = ann.posts("Tides").await;
    let vote = format!("/posts/{id}/vote");
    for _ in 0..2 {
        let voted = bob.api().put(&vote, json!({})).await;
        assert_eq!(voted.status, 200);
        assert_eq!((&voted.json()["votes"], &voted.json()["voted"]), (&json!(1), &json!(true)));
    }
    let seen_by_ann = ann.api().get(&format!("/posts/{id}")).await.json();
    assert_eq!((&seen_by_ann["votes"], &seen_by_ann["voted"]), (&json!(1), &json!(false)));
    let list = app.nobody().api().get(&format!("/posts/{id}/votes")).await.json();
    assert_eq!(list["items"][0]["user"]["username"], "bob");
    for _ in 0..2 {
        let withdrawn = bob.api().delete(&vote).await;
        assert_eq!((withdrawn.status, &withdrawn.json()["votes"]), (200, &json!(0)));
    }
}

#[rocket::async_test]
async fn a_browser_votes_and_comes_back_to_where_it_was() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = ann.posts("Tides").await;
    let vote = format!("/posts/{id}/vote");
    let next = format!("/?sort=top#post-{id}");
    let voted = bob.page().put(&vote, &[("next", &next)]).await;
    assert_eq!((voted.status, voted.header("location")), (303, Some(next.as_str())));
    assert!(bob.page().get("/").await.body.contains("Withdraw your vote for “Tides”"));
    assert!(ann.page().get(&format!("/posts/{id}/votes")).await.body.contains("bob"));
    let withdrawn = bob.page().delete(&vote, &[("next", "//evil.example")]).await;
    let post = format!("/posts/{id}/tides");
    assert_eq!((withdrawn.status, withdrawn.header("location")), (303, Some(post.as_str())));
}

#[rocket::async_test]
async fn nobody_votes_for_their_own_or_for_nothing() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Tides").await;
    let own = format!("/posts/{id}/vote");
    assert_eq!(ann.api().put(&own, json!({})).await.status, 403);
    assert_eq!(ann.page().put(&own, &[]).await.status, 403);
    assert_eq!(ann.api().put("/posts/999/vote", json!({})).await.status, 404);
    assert_eq!(ann.api().delete("/posts/999/vote").await.status, 404);
    assert_eq!(app.nobody().api().put(&own, json!({})).await.status, 401);
    assert_eq!(app.nobody().page().put(&own, &[]).await.status, 307);
    assert_eq!(app.nobody().api().get("/posts/999/votes").await.status, 404);
    assert!(ann.page().get(&format!("/posts/{id}")).await.body.contains("0 votes"));
}

#[rocket::async_test]
async fn parallel_voters_are_counted_exactly() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Tides").await;
    let vote = format!("/posts/{id}/vote");
    let mut voters = Vec::new();
    for i in 0..12 {
        voters.push(app.user(&format!("voter{i}")).await);
    }
    // Everybody votes twice at once, then every third user withdraws twice at once.
    let doors: Vec<_> = voters.iter().map(|voter| voter.api()).collect();
    let cast = join_all(doors.iter().chain(&doors).map(|api| api.put(&vote, json!({})))).await;
    assert!(cast.iter().all(|response| response.status == 200));
    let some = || doors.iter().step_by(3);
    let back = join_all(some().chain(some()).map(|api| api.delete(&vote))).await;
    assert!(back.iter().all(|response| response.status == 200));
    let post = app.nobody().api().get(&format!("/posts/{id}")).await.json();
    let list = app.nobody().api().get(&format!("/posts/{id}/votes")).await.json();
    assert_eq!((&post["votes"], list["items"].as_array().unwrap().len()), (&json!(8), 8));
}

#[rocket::async_test]
async fn the_list_of_votes_has_pages() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Tides").await;
    for name in ["v1", "v2", "v3"] {
        app.user(name).await.api().put(&format!("/posts/{id}/vote"), json!({})).await;
    }
    let first = app.nobody().api().get(&format!("/posts/{id}/votes?limit=2")).await.json();
    assert_eq!(first["items"][0]["user"]["username"], "v3");
    let next = first["next"].as_str().unwrap();
    let rest = app.nobody().api().get(&format!("/posts/{id}/votes?before={next}")).await.json();
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
}

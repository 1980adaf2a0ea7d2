//! After an upgrade, the old posts are there, with their votes and addresses.

use serde_json::{Value, json};

use super::Old;
use crate::support::PASSWORD;

/// The posts, newest first: number, author, title, votes.
const FEED: [(i64, &str, &str, i64); 9] = [
    (9, "bob", "Written by a program", 0),
    (8, "Zoë", "Speaking softly", 0),
    (7, "finn", "Two locks on one door", 1),
    (6, "dave", "Dave was here", 0),
    (5, "bob", "The first draft", 0),
    (4, "bob", "A script for the backup", 0),
    (3, "Zoë", "Crème brûlée, 世界 and 🌊", 2),
    (2, "bob", "Tides of the week", 4),
    (1, "ann", "Welcome to this site", 2),
];

#[rocket::async_test]
async fn the_feed_has_the_old_posts_in_the_old_order_with_the_old_votes() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let read = async |path: &str| -> Vec<(i64, String, String, i64)> {
        let list = app.nobody().api().get(path).await.json();
        let items = list["items"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let number = |value: &Value| value.as_i64().unwrap();
        items
            .map(|post| {
                let author = text(&post["author"]["username"]);
                (number(&post["id"]), author, text(&post["title"]), number(&post["votes"]))
            })
            .collect()
    };
    let mut expected =
        FEED.map(|(id, author, title, votes)| (id, author.to_owned(), title.to_owned(), votes));
    assert_eq!(read("/posts?limit=100").await, expected);
    expected.sort_by_key(|(id, _, _, votes)| std::cmp::Reverse((*votes, *id)));
    assert_eq!(read("/posts?sort=top&limit=100").await, expected);

    let page = app.nobody().page().get("/").await.body;
    let places = FEED.map(|(id, ..)| page.find(&format!("href=\"/posts/{id}/")).unwrap());
    assert!(places.is_sorted(), "{page}");

    let voters = app.nobody().api().get("/posts/2/votes").await.json();
    let voters = voters["items"].as_array().unwrap().iter().map(|vote| &vote["user"]["username"]);
    assert_eq!(voters.collect::<Vec<_>>(), ["finn", "dave", "Zoë", "ann"]);
    // The database counts, with its triggers.
    let ann = app.log_in("ann").await;
    assert_eq!(ann.api().get("/posts/2").await.json()["voted"], true);
    assert_eq!(ann.api().delete("/posts/2/vote").await.json()["votes"], 3);
    assert_eq!(ann.api().put("/posts/2/vote", json!({})).await.json()["votes"], 4);
}

#[rocket::async_test]
async fn old_posts_are_read_at_their_addresses_and_can_be_edited() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let tides = app.nobody().page().get("/posts/2").await;
    assert_eq!(tides.status, 200);
    for part in [
        ">Tides of the week</h1>",
        "/users/bob",
        "<th class=\"right\">High water</th>",
        "<em>local</em>",
    ] {
        assert!(tides.body.contains(part), "{part} in {}", tides.body);
    }
    assert!(!tides.body.contains("class=\"edited\""));
    let script = app.nobody().page().get("/posts/4").await.body;
    assert!(script.contains("<code>postly backup") && !script.contains("<script>alert"));
    let edited = app.nobody().page().get("/posts/5").await.body;
    assert!(edited.contains("class=\"edited\"") && edited.contains("It had a typing error."));
    let zoe = app.nobody().page().get("/users/Zo%C3%AB").await;
    assert_eq!(zoe.status, 200);
    assert!(zoe.body.contains(">Zoë</h1>") && zoe.body.contains("Crème brûlée, 世界 and 🌊"));

    let draft = app.nobody().api().get("/posts/5").await;
    assert_eq!(
        (&draft.json()["version"], draft.json()["updated_at"].is_string()),
        (&json!(2), true)
    );
    let bob = app.nobody().with_token(old.secret("token_of_bob"));
    let stale = bob.api().put("/posts/5", json!({"title": "Third", "version": 1})).await;
    assert_eq!(stale.status, 412, "{}", stale.body);
    let third = bob.api().put("/posts/5", json!({"title": "Third", "version": 2})).await;
    assert_eq!((third.status, &third.json()["version"]), (200, &json!(3)), "{}", third.body);
}

#[rocket::async_test]
async fn numbers_go_on_after_the_old_ones_and_none_comes_twice() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    // The last post, the last person and the last token were deleted: 10, 7 and 4.
    assert_eq!(app.nobody().page().get("/posts/10").await.status, 404);
    assert_eq!(app.nobody().with_token(old.secret("token_of_bob")).posts("New").await, 11);
    let form = json!({"username": "gus", "password": PASSWORD});
    let gus = app.nobody().api().post("/auth/register", form).await;
    assert_eq!((gus.status, &gus.json()["id"]), (201, &json!(8)), "{}", gus.body);
    let draft = json!({"name": "new", "scopes": ["posts:read"]});
    let token = app.log_in("ann").await.api().post("/me/tokens", draft).await;
    assert_eq!((token.status, &token.json()["id"]), (201, &json!(5)), "{}", token.body);
}

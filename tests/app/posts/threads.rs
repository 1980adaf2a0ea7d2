//! Threads: their order, their pages and their bounds.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::comments::{comment, count, shape};
use crate::support::internals::sql;
use crate::support::{App, repetitions};

#[rocket::async_test]
async fn replies_stand_below_what_they_reply_to_in_each_order() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let post = ann.posts("Tides").await;
    let first = comment(&ann, post, None, "First").await;
    let second = comment(&bob, post, None, "Second").await;
    let reply = comment(&bob, post, Some(first), "A reply").await;
    let deeper = comment(&ann, post, Some(reply), "Deeper").await;
    let later = comment(&ann, post, Some(first), "Later").await;
    ann.api().put(&format!("/comments/{second}/vote"), json!({})).await;
    let path = format!("/posts/{post}/comments");
    for (sort, expected) in [
        ("oldest", [(first, 0), (reply, 1), (deeper, 2), (later, 1), (second, 0)]),
        ("newest", [(second, 0), (first, 0), (later, 1), (reply, 1), (deeper, 2)]),
        ("best", [(second, 0), (first, 0), (later, 1), (reply, 1), (deeper, 2)]),
    ] {
        let list = app.nobody().api().get(&format!("{path}?sort={sort}")).await.json();
        assert_eq!(shape(&list), expected, "{sort}");
        // One comment a page, in both directions.
        let mut seen = Vec::new();
        let mut page = app.nobody().api().get(&format!("{path}?sort={sort}&limit=1")).await.json();
        loop {
            seen.extend(shape(&page));
            let Some(next) = page["next"].as_str() else { break };
            let next = format!("{path}?sort={sort}&limit=1&before={next}");
            page = app.nobody().api().get(&next).await.json();
        }
        assert_eq!(seen, expected, "{sort}, page by page");
        let back = page["previous"].as_str().unwrap();
        let back = format!("{path}?sort={sort}&limit=1&after={back}");
        let back = app.nobody().api().get(&back).await.json();
        assert_eq!(shape(&back)[0], expected[0], "{sort}, and back");
    }
    let below = app.nobody().api().get(&format!("{path}?parent={first}")).await.json();
    assert_eq!(shape(&below), [(reply, 1), (later, 1)]);
    assert_eq!(below["items"][0]["hidden_replies"], 1);
    for wrong in ["?parent=999", "?parent=x", "?parent=99999999999999999999"] {
        assert_eq!(app.nobody().api().get(&format!("{path}{wrong}")).await.status, 404, "{wrong}");
    }
    assert_eq!(app.nobody().api().get(&format!("{path}?sort=worst")).await.status, 422);
    assert_eq!(count(&app, post).await, 5);
    let page = app.nobody().page().get(&format!("/posts/{post}")).await.body;
    assert!(page.contains("5 comments") && page.contains("Deeper"), "{page}");
    assert!(app.nobody().page().get("/").await.body.contains("5 comments"));
}

/// Threads of any shape: every comment is reached once, below what it replies to.
#[rocket::async_test]
async fn every_comment_of_a_large_thread_is_reached_once() {
    let mut runner = TestRunner::default();
    for _ in 0..repetitions() {
        let app = App::new().await;
        let ann = app.user("ann").await;
        let post = ann.posts("Tides").await;
        // Each replies to an earlier one, or to the post.
        let choices = prop::collection::vec(any::<prop::sample::Index>(), 60);
        let choices = choices.new_tree(&mut runner).unwrap().current();
        let mut ids: Vec<i64> = Vec::new();
        for (number, choice) in choices.iter().enumerate() {
            let parent = choice.index(number + 1).checked_sub(1).map(|place| ids[place]);
            ids.push(comment(&ann, post, parent, &format!("Number {number}")).await);
        }
        let mut seen = Vec::new();
        let mut waiting = vec![format!("/posts/{post}/comments?limit=3")];
        while let Some(path) = waiting.pop() {
            let page = app.nobody().api().get(&path).await.json();
            for item in page["items"].as_array().unwrap() {
                let id = item["id"].as_i64().unwrap();
                seen.push(id);
                if item["hidden_replies"] != 0 {
                    // Then all of its replies are hidden: pages here are small.
                    assert_eq!(item["hidden_replies"], item["replies"]);
                    waiting.push(format!("/posts/{post}/comments?limit=3&parent={id}"));
                }
            }
            if let Some(next) = page["next"].as_str() {
                let (path, _) = path.split_once("&before").unwrap_or((&path, ""));
                waiting.push(format!("{path}&before={next}"));
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, ids);
    }
}

#[rocket::async_test]
async fn a_thread_of_five_hundred_is_one_query_and_bounded() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = ann.posts("Tides").await;
    let first = comment(&ann, post, None, "First").await;
    let many = "INSERT INTO comments (post_id, parent_id, depth, root_id, position, user_id, content, \
        content_html, rendering, created_at) WITH RECURSIVE n (n) AS (SELECT CAST(1 AS BIGINT) \
        UNION ALL SELECT n + 1 FROM n WHERE n < 800) SELECT p.id, c.id, 1, c.id, n, p.user_id, \
        'Me too', '<p>Me too</p>', 2, p.created_at FROM n, posts p, comments c WHERE c.parent_id IS NULL";
    sql(many).execute(app.db.writer()).await.unwrap();
    let list = app.nobody().api().get(&format!("/posts/{post}/comments")).await.json();
    let items = list["items"].as_array().unwrap();
    assert!((500..=521).contains(&items.len()), "{}", items.len());
    assert_eq!(items[0]["hidden_replies"].as_u64().unwrap(), 801 - items.len() as u64);
    let path = format!("/posts/{post}/comments?parent={first}&limit=100");
    assert_eq!(shape(&app.nobody().api().get(&path).await.json()).len(), 100);
    let page = app.nobody().page().get(&format!("/posts/{post}/comments")).await;
    assert!(page.body.len() < 1_500_000, "{}", page.body.len());
    assert!(page.body.contains("more replies"));
}

//! The feed: pages, sorting, filters.

use rocket::http::Method::Get;
use serde_json::{Value, json};

use crate::support::permission::{Permission, api_only, page_only};
use crate::support::{App, Response};

pub fn permissions() -> Vec<Permission> {
    vec![page_only(Get, "/", [200; 4]), api_only(Get, "/posts", [200; 4]).scope("posts:read")]
}

#[rocket::async_test]
async fn the_feed_is_read_page_by_page_both_ways() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for i in 1..=7 {
        ann.posts(&format!("Post {i}")).await;
    }
    let titles = |response: &Response| -> Vec<String> {
        let list = response.json();
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["title"].as_str().unwrap()[5..].to_owned())
            .collect()
    };
    let first = app.nobody().api().get("/posts?limit=3").await;
    assert_eq!(titles(&first), ["7", "6", "5"]);
    assert_eq!(first.json()["previous"], Value::Null);
    let next = first.json()["next"].as_str().unwrap().to_owned();
    let link = format!("</api/v1/posts?limit=3&before={next}>; rel=\"next\"");
    assert_eq!(first.header("link"), Some(link.as_str()));
    ann.posts("Post 8").await;
    let second = app.nobody().api().get(&format!("/posts?limit=3&before={next}")).await;
    assert_eq!(titles(&second), ["4", "3", "2"], "a new post does not shift the pages");
    let last = second.json()["next"].as_str().unwrap().to_owned();
    let last = app.nobody().api().get(&format!("/posts?limit=3&before={last}")).await;
    assert_eq!((titles(&last), last.json()["next"].clone()), (vec!["1".to_owned()], Value::Null));
    let back = second.json()["previous"].as_str().unwrap().to_owned();
    let back = app.nobody().api().get(&format!("/posts?limit=3&after={back}")).await;
    assert_eq!(titles(&back), ["7", "6", "5"]);
    assert!(back.json()["previous"].is_string(), "post 8 is newer");

    let page = app.nobody().page().get("/?limit=3").await;
    assert!(page.body.contains("rel=\"next\"") && page.body.contains("Post 8"));
    assert!(!page.body.contains("Post 5"));
}

#[rocket::async_test]
async fn the_feed_is_sorted_and_filtered() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let old = ann.posts("Old but liked").await;
    bob.posts("New").await;
    bob.api().put(&format!("/posts/{old}/vote"), json!({})).await;
    let first = async |query: &str| {
        app.nobody().api().get(&format!("/posts{query}")).await.json()["items"][0]["title"].clone()
    };
    assert_eq!(first("").await, "New");
    assert_eq!(first("?sort=new").await, "New");
    assert_eq!(first("?sort=top").await, "Old but liked");
    assert_eq!(first("?author=ANN").await, "Old but liked");
    assert_eq!(app.nobody().api().get("/posts?author=nobody").await.status, 404);
    assert_eq!(app.nobody().page().get("/?author=nobody").await.status, 404);
    let top = app.nobody().api().get("/posts?sort=top&limit=1").await.json();
    let next = top["next"].as_str().unwrap();
    let next =
        app.nobody().api().get(&format!("/posts?sort=top&limit=1&before={next}")).await.json();
    assert_eq!(
        (next["items"][0]["title"].as_str(), next["next"].clone()),
        (Some("New"), Value::Null)
    );
}

#[rocket::async_test]
async fn strange_questions_are_complaints_at_both_doors() {
    let app = App::new().await;
    for query in [
        "limit=0",
        "limit=-1",
        "limit=101",
        "limit=9223372036854775808",
        "limit=x",
        "before=%00",
        "before=!!",
        "after=MQ==",
        "before=MQ",
        "sort=votes;DROP",
        "sort=new'--",
        "before=MQ&after=MQ",
        "author=%ff",
    ] {
        assert_eq!(app.nobody().api().get(&format!("/posts?{query}")).await.status, 422, "{query}");
        assert_eq!(app.nobody().page().get(&format!("/?{query}")).await.status, 422, "{query}");
    }
    for path in [
        "/posts/x",
        "/posts/-1",
        "/posts/0",
        "/posts/9223372036854775808",
        "/users/%00",
        "/users/nobody",
    ] {
        assert_eq!(app.nobody().api().get(path).await.status, 404, "{path}");
        assert_eq!(app.nobody().page().get(path).await.status, 404, "{path}");
    }
}

//! Lists contain summaries; the full text on request, within a limit; ordered by publication.

use serde_json::{Value, json};

use crate::support::App;
use crate::support::internals::{now, sql};

#[rocket::async_test]
async fn lists_carry_summaries_and_single_posts_the_text() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let id = root.posts("Tides").await;
    for path in ["/posts", "/users/root", "/dashboard", "/admin/posts"] {
        let list = root.api().get(path).await.json();
        let item = &list["items"][0];
        assert_eq!((&item["id"], &item["excerpt"]), (&json!(id), &json!("About Tides.")), "{path}");
        assert!(item["path"].as_str().unwrap().starts_with(&format!("/posts/{id}/")), "{item}");
        assert!(item.get("content").is_none() && item.get("content_html").is_none(), "{path}");
    }
    let post = root.api().get(&format!("/posts/{id}")).await.json();
    assert_eq!(post["content"], "About *Tides*.");
    assert!(post["content_html"].as_str().unwrap().contains("<em>Tides</em>"));
}

/// Follows `next` and then `previous`; returns the size of the largest page and all ids both ways.
async fn walk(app: &App, query: &str) -> (usize, Vec<i64>, Vec<i64>) {
    let ids = |list: &Value| -> Vec<i64> {
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
    };
    let (mut largest, mut forward, mut cursor) = (0, Vec::new(), String::new());
    let mut last = json!(null);
    loop {
        let page = app.nobody().api().get(&format!("/posts?{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        largest = largest.max(page.body.len());
        last = page.json();
        forward.extend(ids(&last));
        assert!(forward.len() <= 100, "the pages never end: {forward:?}");
        match last["next"].as_str() {
            Some(next) => cursor = format!("&before={next}"),
            None => break,
        }
    }
    let mut backward = ids(&last);
    while let Some(previous) = last["previous"].as_str() {
        let page = app.nobody().api().get(&format!("/posts?{query}&after={previous}")).await;
        largest = largest.max(page.body.len());
        last = page.json();
        backward.splice(0..0, ids(&last));
        assert!(backward.len() <= 100, "the pages never begin: {backward:?}");
    }
    (largest, forward, backward)
}

#[rocket::async_test]
async fn contents_are_included_on_request_within_a_mebibyte() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    // 100,000 characters that JSON writes with six bytes each, and some small posts in between.
    for n in 0..9 {
        let content = if n % 3 == 0 { "x\u{1}".repeat(50_000) } else { format!("Small {n}") };
        let draft = json!({"title": format!("Post {n}"), "content": content});
        assert_eq!(ann.api().post("/posts", draft).await.status, 201);
    }
    let (largest, forward, backward) = walk(&app, "include=content&limit=100").await;
    assert!(largest <= 1024 * 1024 && largest > 300_000, "{largest}");
    assert_eq!(forward, (1..=9).rev().collect::<Vec<i64>>());
    assert_eq!(backward, forward);
    let first = app.nobody().api().get("/posts?include=content&limit=2").await.json();
    assert_eq!(first["items"][0]["content"], "Small 8");
    assert!(first["items"][0].get("content_html").is_none());
    let unknown = app.nobody().api().get("/posts?include=everything").await;
    assert_eq!((unknown.status, unknown.field_errors()), (422, vec!["include".to_owned()]));
    let page = app.nobody().page().get("/?include=content").await;
    assert!(page.status == 200 && page.body.len() < 100_000, "pages show excerpts");
}

#[rocket::async_test]
async fn order_is_by_publication_and_then_by_id() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let mut ids = Vec::new();
    for n in 0..6 {
        ids.push(ann.posts(&format!("Post {n}")).await);
    }
    // The last two are older than the others; the first three were published at the same time.
    let at = now();
    for (id, age) in ids.iter().zip([10i64, 10, 10, 5, 90, 80]) {
        sql("UPDATE posts SET published_at = $1 WHERE id = $2")
            .bind(at - chrono::Duration::minutes(age))
            .bind(*id)
            .execute(app.db.writer())
            .await
            .unwrap();
    }
    let expected: Vec<i64> = [3, 2, 1, 0, 5, 4].map(|n| ids[n]).to_vec();
    for limit in [1, 2, 4, 6] {
        let (_, forward, backward) = walk(&app, &format!("limit={limit}")).await;
        assert_eq!(forward, expected, "by {limit}");
        assert_eq!(backward, expected, "by {limit}");
    }
}

#[rocket::async_test]
async fn top_lists_are_walked_both_ways_among_equal_votes() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let mut posts = Vec::new();
    for (n, votes) in [0i64, 2, 0, 1, 2, 0, 1, 0].into_iter().enumerate() {
        let author = if n % 3 == 0 { &ann } else { &bob };
        let id = author.posts(&format!("Post {n}")).await;
        sql("UPDATE posts SET votes = $1 WHERE id = $2")
            .bind(votes)
            .bind(id)
            .execute(app.db.writer())
            .await
            .unwrap();
        posts.push((votes, id, author.name.as_str()));
    }
    posts.sort_by(|a, b| b.cmp(a));
    for author in ["", "ann", "bob"] {
        let of_author = posts.iter().filter(|post| author.is_empty() || post.2 == author);
        let expected: Vec<i64> = of_author.map(|post| post.1).collect();
        for limit in [1, 2, 3, 8] {
            let query = format!("sort=top&author={author}&limit={limit}");
            let (_, forward, backward) = walk(&app, &query).await;
            assert_eq!((&forward, &backward), (&expected, &expected), "{query}");
        }
    }
}

/// An unpublished post is never shown: every query for posts applies the same rule.
#[rocket::async_test]
async fn what_is_not_published_is_shown_nowhere() {
    let app = App::new().await;
    let (ann, bob, root) = (app.user("ann").await, app.user("bob").await, app.admin("root").await);
    let id = ann.posts("Hidden words").await;
    ann.posts("Public words").await;
    assert_eq!(ann.api().delete(&format!("/posts/{id}/publication")).await.status, 200);
    for person in [&ann, &bob, &root] {
        for list in ["/posts", "/posts?sort=top", "/posts?include=content", "/users/ann"] {
            let body = person.api().get(list).await.body;
            assert!(body.contains("Public words") && !body.contains("Hidden"), "{list}: {body}");
        }
        for path in ["", "/votes"].iter().filter(|_| person.id != ann.id) {
            let path = format!("/posts/{id}{path}");
            assert_eq!(person.api().get(&path).await.status, 404, "{path}");
            assert_eq!(person.page().get(&path).await.status, 404, "{path}");
        }
        for page in ["/", "/?sort=top", "/users/ann"] {
            assert!(!person.page().get(page).await.body.contains("Hidden"), "{page}");
        }
    }
    assert_eq!(bob.api().put(&format!("/posts/{id}/vote"), json!({})).await.status, 404);
    assert!(!root.api().get("/admin/posts").await.body.contains("Hidden"));
}

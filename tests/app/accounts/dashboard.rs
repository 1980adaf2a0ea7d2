//! The dashboard: one's own posts as a list, and searching them.

use serde_json::{Value, json};

use crate::support::internals::{now, sql};
use crate::support::{App, Person, encode};

fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

#[rocket::async_test]
async fn own_posts_are_listed_with_state_votes_and_actions() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let first = ann.posts("Tides").await;
    let second = ann.posts("Ferries").await;
    bob.api().put(&format!("/posts/{first}/vote"), json!({})).await;
    ann.api().put(&format!("/posts/{second}"), json!({"content": "Late."})).await;
    let page = ann.page().get("/dashboard").await.body;
    let rows: Vec<&str> = page.split("<tr>").collect();
    let row =
        |title: &str| *rows.iter().find(|row| row.contains(&format!("\">{title}</a>"))).unwrap();
    assert!(row("Tides").contains(">Published</td>") && row("Tides").contains(">1</a>"));
    assert!(row("Ferries").contains(">Edited</td>") && row("Ferries").contains(">0</a>"));
    assert!(row("Ferries").contains(&format!("href=\"/posts/{second}/edit\"")));
    assert!(row("Ferries").contains("name=\"next\" value=\"&#x2F;dashboard\""), "{page}");
    let form = [("next", "/dashboard")];
    let gone = ann.page().delete(&format!("/posts/{second}"), &form).await;
    assert_eq!((gone.status, gone.header("location")), (303, Some("/dashboard")));
}

#[rocket::async_test]
async fn the_search_finds_titles_of_ones_own_posts_alone() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let train = ann.posts("Night TRAIN").await;
    let rye = ann.posts("100% rye").await;
    bob.posts("Train of thought").await;
    for (q, expected) in [
        ("train", vec![train]),
        ("tr", vec![train]),
        ("%", vec![rye]),
        ("ann", vec![]),
        ("", vec![rye, train]),
        (" ", vec![rye, train]),
    ] {
        let path = format!("/dashboard?{}", encode(&[("q", q)]));
        let list = ann.api().get(&path).await.json();
        assert_eq!((ids(&list), &list["q"]), (expected, &json!(q)), "{q}");
        assert_eq!(ann.page().get(&path).await.status, 200);
    }
    let page = ann.page().get("/dashboard?q=train").await.body;
    assert!(page.contains(">Night TRAIN</a>") && !page.contains("100% rye"), "{page}");
    let none = ann.page().get("/dashboard?q=%3Cb%3E").await.body;
    assert!(none.contains("None of your posts has “&lt;b&gt;” in its title"), "{none}");
}

/// The ids on all pages, and how many pages there are; then again from the last page to the first.
async fn walk(person: &Person<'_>, path: &str) -> (Vec<i64>, Vec<i64>, usize) {
    let mut page = person.api().get(path).await.json();
    let (mut forward, mut pages) = (ids(&page), 1);
    while let Some(next) = page["next"].as_str().map(str::to_owned) {
        page = person.api().get(&format!("{path}&before={next}")).await.json();
        forward.extend(ids(&page));
        pages += 1;
    }
    let mut backward = ids(&page);
    while let Some(previous) = page["previous"].as_str().map(str::to_owned) {
        page = person.api().get(&format!("{path}&after={previous}")).await.json();
        backward.splice(0..0, ids(&page));
    }
    (forward, backward, pages)
}

/// More posts than a search looks at for one page.
const MANY: i64 = 1_250;

#[rocket::async_test]
async fn a_search_of_many_posts_goes_on_page_by_page() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let first = ann.posts("The tide table").await;
    let fill = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL \
        SELECT i + 1 FROM n WHERE i < $1) \
        INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, created_at, \
        published_at) SELECT $2, 'Bread', 'x', 'x', 'x', 1, $3, $3 FROM n";
    sql(fill).bind(MANY).bind(ann.id).bind(now()).execute(app.db.writer()).await.unwrap();
    sql("INSERT INTO post_search (id, text) SELECT id, title FROM posts WHERE title = 'Bread'")
        .execute(app.db.writer())
        .await
        .unwrap();
    let mut expected = vec![first];
    for n in 0..5 {
        expected.insert(0, ann.posts(&format!("Tide {n}")).await);
    }
    for (limit, pages) in [(2, 5), (5, 3), (20, 3)] {
        let path = format!("/dashboard?q=tide&limit={limit}");
        let (forward, backward, count) = walk(&ann, &path).await;
        assert_eq!((&forward, &backward), (&expected, &expected), "by {limit}");
        assert_eq!(count, pages, "by {limit}");
    }
    let page = ann.page().get("/dashboard?q=table").await.body;
    assert!(page.contains("No matches so far") && page.contains("Search older ones"), "{page}");
}

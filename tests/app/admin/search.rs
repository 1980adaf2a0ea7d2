//! The search for posts and people: what it finds, and in which pages.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::internals::{BACKFILLS, Db, now, sql};
use crate::support::{App, Person, encode};

/// The ids on all pages, latest first; and again from the last page to the first.
async fn walk(root: &Person<'_>, path: &str) -> (Vec<i64>, Vec<i64>) {
    let ids = |page: &Value| -> Vec<i64> {
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
    };
    let mut page = root.api().get(path).await.json();
    let mut forward = ids(&page);
    while let Some(next) = page["next"].as_str().map(str::to_owned) {
        page = root.api().get(&format!("{path}&before={next}")).await.json();
        forward.extend(ids(&page));
    }
    let mut backward = ids(&page);
    while let Some(previous) = page["previous"].as_str().map(str::to_owned) {
        page = root.api().get(&format!("{path}&after={previous}")).await.json();
        backward.splice(0..0, ids(&page));
    }
    (forward, backward)
}

async fn find(root: &Person<'_>, list: &str, q: &str) -> Vec<i64> {
    walk(root, &format!("/admin/{list}?{}", encode(&[("q", q)]))).await.0
}

const NOTHING: [i64; 0] = [];

#[rocket::async_test]
async fn case_and_diacritics_make_no_difference_on_either_engine() {
    let app = App::new().await;
    let (root, zoe) = (app.admin("root").await, app.user("Zoë").await);
    let brulee = zoe.posts("Crème Brûlée").await;
    let street = zoe.posts("Straße ΟΔΥΣΣΕΎΣ").await;
    for (q, expected) in [
        ("creme", vec![brulee]),
        ("BRÛLÉE", vec![brulee]),
        ("e br", vec![brulee]),
        ("STRASSE", vec![street]),
        ("οδυσσεύς", vec![street]),
        ("ZOE", vec![street, brulee]),
        ("zoë", vec![street, brulee]),
        ("Û", vec![brulee]), // Shorter than the index's sequences.
        ("street", vec![]),
        ("eezo", vec![]),
    ] {
        assert_eq!(find(&root, "posts", q).await, expected, "{q}");
        let page = format!("/admin/posts?{}", encode(&[("q", q)]));
        assert_eq!(root.page().get(&page).await.status, 200, "{q}");
    }
    assert_eq!(find(&root, "users", "zoe").await, [zoe.id]);
    assert_eq!(find(&root, "users", "ZOË@MAIL").await, [zoe.id]);
}

#[rocket::async_test]
async fn what_is_found_follows_every_change() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let id = ann.posts("Night train").await;
    let path = format!("/posts/{id}");
    assert_eq!(ann.api().put(&path, json!({"title": "Morning ferry"})).await.status, 200);
    assert_eq!(find(&root, "posts", "train").await, NOTHING);
    assert_eq!(find(&root, "posts", "ferry").await, [id]);
    assert_eq!(ann.api().delete(&format!("{path}/publication")).await.status, 200);
    assert_eq!(find(&root, "posts", "ferry").await, NOTHING);
    assert_eq!(root.api().delete("/admin/users/ann").await.status, 204);
    for table in ["post_search", "user_search"] {
        let rows: i64 = match table {
            "post_search" => sql("SELECT count(*) FROM post_search WHERE text LIKE '%ann%'"),
            _ => sql("SELECT count(*) FROM user_search WHERE text LIKE '%ann%'"),
        }
        .scalar(&app.db)
        .await
        .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    assert_eq!(find(&root, "users", "ann").await, NOTHING);
}

#[rocket::async_test]
async fn results_are_paged_both_ways() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let mut expected = Vec::new();
    for n in 0..7 {
        let id = ann.posts(&format!("Tide {n}")).await;
        expected.insert(0, id);
        ann.posts("Something else").await;
    }
    for (q, limit) in [("tide", 1), ("tide", 3), ("tide", 7), ("ti", 2)] {
        let (forward, backward) = walk(&root, &format!("/admin/posts?q={q}&limit={limit}")).await;
        assert_eq!((&forward, &backward), (&expected, &expected), "{q} by {limit}");
    }
}

#[rocket::async_test]
async fn what_was_there_before_is_indexed_when_migrated() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let id = ann.posts("Crème").await;
    for statement in ["DELETE FROM post_search", "DELETE FROM user_search", "DELETE FROM backfills"]
    {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    assert_eq!(find(&root, "posts", "creme").await, NOTHING);
    app.db.migrate(BACKFILLS).await.unwrap();
    assert_eq!(find(&root, "posts", "creme").await, [id]);
    assert_eq!(find(&root, "users", "ann").await, [ann.id]);
}

/// More rows than a search for a short text considers at a time.
const MANY: i64 = 2_500;

#[rocket::async_test]
async fn a_page_without_a_match_leads_on_to_the_next() {
    let app = App::new().await;
    let (root, zq) = (app.admin("root").await, app.user("zq").await);
    let id = zq.posts("The only one").await;
    // The site's own connections have a time limit, which filling exceeds on a busy machine.
    let db = Db::connect(&app.database_url(), 2, Duration::from_secs(60)).await.unwrap();
    for fill in [
        "INSERT INTO users (username, username_key, password_hash, role, created_at) \
         SELECT 'u' || i, 'u' || i, '', 'user', $2 FROM n",
        "INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, \
         created_at, published_at) \
         SELECT u.id, 'Tides', 'x', 'x', 'x', 1, $2, $2 FROM n JOIN users u \
         ON u.username = 'u' || n.i",
        "INSERT INTO user_search (id, text) SELECT u.id, u.username FROM n JOIN users u \
         ON u.username = 'u' || n.i WHERE $2 = $2",
        "INSERT INTO post_search (id, text) SELECT id, 'tides' FROM posts \
         WHERE $1 > 0 AND $2 = $2 AND title = 'Tides'",
    ] {
        let text = format!(
            "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL \
             SELECT i + 1 FROM n WHERE i < $1) {fill}"
        );
        sql(String::leak(text)).bind(MANY).bind(now()).execute(db.writer()).await.unwrap();
    }
    db.close().await;

    for (list, found, shown) in
        [("posts", id, format!("/posts/{id}/")), ("users", zq.id, "zq@mail.example".to_owned())]
    {
        let path = format!("/admin/{list}?q=zq");
        let first = root.api().get(&path).await;
        assert_eq!(first.json()["items"], json!([]), "{}", first.body);
        let next = first.json()["next"].as_str().unwrap().to_owned();
        assert!(first.header("link").unwrap().contains("rel=\"next\""), "{first:?}");
        let second = root.api().get(&format!("{path}&before={next}")).await.json();
        assert_eq!(second["items"][0]["id"], found, "{second}");

        let page = root.page().get(&path).await.body;
        assert!(page.contains("No matches so far") && !page.contains("match “"), "{page}");
        let way = format!("?before={next}&amp;q=zq");
        assert!(page.contains(&way) && page.contains("Search older ones"), "{page}");
        let page = root.page().get(&format!("{path}&before={next}")).await.body;
        assert!(page.contains(&shown) && !page.contains("No matches"), "{page}");

        // Only what was searched to its end has no match.
        let path = format!("/admin/{list}?q=zy");
        let next = root.api().get(&path).await.json()["next"].as_str().unwrap().to_owned();
        let page = root.page().get(&format!("{path}&before={next}")).await.body;
        assert!(page.contains("No further matches") && !page.contains("rel=\"next\""), "{page}");
        let none = root.page().get(&format!("/admin/{list}?q=%3Cb%3Eno")).await.body;
        assert!(none.contains("“&lt;b&gt;no”"), "{none}");
    }
}

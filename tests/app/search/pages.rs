//! The order of what is found, and pages.

use serde_json::{Value, json};

use super::ids;
use crate::support::internals::{Caller, SearchFrom, now, post_ids, sql};
use crate::support::{App, Person};

/// The ids on all pages; and again from the last page to the first.
async fn walk(person: &Person<'_>, path: &str) -> (Vec<i64>, Vec<i64>) {
    let mut page = person.api().get(path).await.json();
    let mut forward = ids(&page);
    while let Some(next) = page["next"].as_str().map(str::to_owned) {
        page = person.api().get(&format!("{path}&before={next}")).await.json();
        forward.extend(ids(&page));
        assert!(forward.len() <= 2_000, "the pages never end");
    }
    let mut backward = ids(&page);
    while let Some(previous) = page["previous"].as_str().map(str::to_owned) {
        page = person.api().get(&format!("{path}&after={previous}")).await.json();
        backward.splice(0..0, ids(&page));
        assert!(backward.len() <= 2_000, "the pages never begin");
    }
    (forward, backward)
}

#[rocket::async_test]
async fn titles_come_first_and_among_equals_the_newest() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let mut found = Vec::new();
    for (title, content) in [
        ("Tides", "x"),
        ("A", "tide tide tide tide"),
        ("B", "tide"),
        ("Tides", "tide"),
        ("C", "tide"),
        ("Other", "x"),
    ] {
        let post = ann.api().post("/posts", json!({"title": title, "content": content})).await;
        found.push(post.json()["id"].as_i64().unwrap());
    }
    let expected: Vec<i64> = [3, 0, 1, 4, 2].map(|n: usize| found[n]).to_vec();
    for limit in [1, 2, 5, 100] {
        let (forward, backward) = walk(&ann, &format!("/search?q=tide&limit={limit}")).await;
        assert_eq!((&forward, &backward), (&expected, &expected), "{limit}");
    }
    let page = ann.page().get("/search?q=tide&limit=2").await.body;
    assert!(page.contains("Next →") && page.contains("&amp;q=tide"), "{page}");
    let (forward, backward) = walk(&ann, "/search?type=people&q=an&limit=1").await;
    assert_eq!((&forward, &backward), (&vec![ann.id], &vec![ann.id]));
}

/// Posts with the words of their titles, written at once; returns their number.
async fn fill(app: &App, count: i64) {
    for fill in [
        "INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, \
         created_at, published_at) SELECT (SELECT min(id) FROM users), 'tide', 'x', 'x', 'x', 1, $2, $2 FROM n",
        "INSERT INTO post_words (id, version, stemming, text) SELECT id, 1, 'english-1', \
         CASE WHEN id % 3 = 0 THEN '＊' || x'0a' || 'tide' ELSE '＊' || x'0a' || 'x' || x'0a' || 'tide spring' END \
         FROM posts WHERE $1 > 0 AND $2 = $2 AND title = 'tide' \
         ON CONFLICT (id) DO UPDATE SET text = excluded.text",
    ] {
        let fill = if crate::support::database::is_postgres() {
            fill.replace("x'0a'", "E'\\n'")
        } else {
            fill.replace("x'0a'", "char(10)")
        };
        let text = format!(
            "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL \
             SELECT i + 1 FROM n WHERE i < $1) {fill}"
        );
        sql(String::leak(text)).bind(count).bind(now()).execute(app.db.writer()).await.unwrap();
    }
}

#[rocket::async_test]
async fn windows_follow_each_other_and_nothing_is_skipped_or_repeated() {
    let app = App::with(&[("limits", "searches=100000/m, searches-address=100000/m")]).await;
    let ann = app.user("ann").await;
    fill(&app, 501).await;
    for (q, count) in [("tide", 501), ("%22tide+spring%22", 334), ("%22spring+tide%22", 0)] {
        for limit in [7, 100] {
            let (forward, backward) = walk(&ann, &format!("/search?q={q}&limit={limit}")).await;
            let mut sorted = forward.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!((sorted.len(), forward.len()), (count, count), "{q}");
            assert_eq!(forward, backward, "{q} by {limit}");
        }
    }
    // What is written and deleted meanwhile moves nothing that is there.
    let (all, _) = walk(&ann, "/search?q=tide&limit=100").await;
    let mut page: Value = ann.api().get("/search?q=tide&limit=50").await.json();
    let mut seen = ids(&page);
    let deleted = all[120];
    assert_eq!(ann.api().delete(&format!("/posts/{deleted}")).await.status, 204);
    ann.posts("Tide tide").await;
    while let Some(next) = page["next"].as_str().map(str::to_owned) {
        page = ann.api().get(&format!("/search?q=tide&limit=50&before={next}")).await.json();
        seen.extend(ids(&page));
    }
    assert_eq!(seen, all.into_iter().filter(|id| *id != deleted).collect::<Vec<_>>());
}

/// For lists of posts that are narrowed by a query.
#[rocket::async_test]
async fn the_ids_of_matching_posts_are_given_newest_first() {
    let app = App::new().await;
    app.user("ann").await;
    fill(&app, 30).await;
    let hits = async |q: &str, from, limit| {
        let hits = post_ids(app.site(), None, &Caller::operator(), q, (from, limit)).await.unwrap();
        (hits.ids, hits.resume)
    };
    assert_eq!(hits("tide", SearchFrom::Latest, 3).await, (vec![30, 29, 28], Some(28)));
    assert_eq!(hits("tide", SearchFrom::Before(3), 3).await, (vec![2, 1], None));
    assert_eq!(hits("tide", SearchFrom::After(28), 3).await, (vec![29, 30], None));
    assert_eq!(hits("\"tide spring\"", SearchFrom::Latest, 3).await, (vec![29, 28, 26], Some(26)));
    assert_eq!(hits("", SearchFrom::Latest, 3).await, (vec![], None));
}

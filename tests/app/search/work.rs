//! The work that the database does for a search is bounded, whatever the words and the texts.

use std::time::Duration;

use serde_json::json;

use crate::reliability::meter::Meter;
use crate::reliability::plans::size;
use crate::support::internals::{Db, now, recording, sql};
use crate::support::{App, database, encode};

/// The same text for both engines; `i` counts from 1. The site's own job may index the posts meanwhile. A word is in every post, others in every second
/// one, in the older half, and in one alone.
const FILL: [&str; 3] = [
    "INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, \
     created_at, published_at) SELECT (SELECT min(id) FROM users), 'Tides', 'x', '<p>about tides</p>', \
     'x', 1, $2, $2 FROM n",
    "INSERT INTO post_words (id, version, stemming, text) SELECT p.id, 1, 'english-1', \
     '＊ ＠1' || chr(10) || 'tide' || chr(10) || chr(10) || 'heavi' || chr(10) || 'about tide' || \
     CASE WHEN p.id % 2 = 0 THEN ' even' ELSE ' odd' END || \
     CASE WHEN p.id < $1 / 2 THEN ' old' ELSE '' END || CASE p.id WHEN 5 THEN ' rare' ELSE '' END \
     FROM posts p WHERE $2 = $2 ON CONFLICT (id) DO UPDATE SET text = excluded.text",
    "INSERT INTO word_days (source, day, block) SELECT DISTINCT 'posts', 20000, id / 2048 FROM posts \
     WHERE $1 > 0 AND $2 = $2 ON CONFLICT DO NOTHING",
];

async fn fill(app: &App) {
    // The site's own connections have a time limit, which filling exceeds on a busy machine.
    let db = Db::connect(&app.database_url(), 2, Duration::from_secs(300)).await.unwrap();
    for statement in FILL {
        let statement = match database::is_postgres() {
            true => statement.to_owned(),
            false => statement.replace("chr(", "char("),
        };
        let text = format!(
            "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL \
             SELECT i + 1 FROM n WHERE i < $1) {statement}"
        );
        sql(String::leak(text)).bind(size()).bind(now()).execute(db.writer()).await.unwrap();
    }
    sql("ANALYZE").execute(db.writer()).await.unwrap();
    db.close().await;
}

/// A window of 200 texts is read by their ids. On PostgreSQL, a word that begins in the middle of the
/// posts can be in all of the first large block that has it.
fn most_work(q: &str) -> i64 {
    match (database::is_postgres(), q) {
        (true, "old") => 400_000,
        (true, _) => 12_000,
        (false, _) => 30_000,
    }
}

#[rocket::async_test]
async fn no_search_reads_more_than_a_window() {
    let app = App::with(&[("limits", "searches=9999/s, searches-address=9999/s")]).await;
    app.user("heavy").await;
    fill(&app).await;
    let mut meter = Meter::new(&app.database_url()).await;
    let many = "tide about ".repeat(8);
    for (q, found) in [
        ("tide", 20),
        ("rare", 1),
        ("nowhere", 0),
        ("tide rare", 1),
        ("odd even", 0),
        ("old", 20),
        ("-tide", 0),
        ("about -tide", 0),
        ("-nowhere", 20),
        ("\"tide about\"", 0), // Both words are in every post.
        ("\"about tide\" -\"tide odd\"", 20),
        ("author:heavy", 20),
        ("author:heavy rare", 1),
        ("tide before:2020-01-01", 0),
        ("after:2020-01-01", 20),
        (&many, 20),
    ] {
        let path = format!("/search?{}", encode(&[("q", q)]));
        let (answer, statements) = recording(app.nobody().api().get(&path)).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["items"].as_array().unwrap().len(), found, "{q}: {}", answer.body);
        let reads: Vec<_> =
            statements.into_iter().filter(|(text, _)| text.starts_with("SELECT")).collect();
        assert!(reads.len() <= 40, "{q}: {}", reads.len());
        let mut largest = 0;
        for (text, values) in reads {
            let (work, plan) = meter.work(&text, values).await;
            assert!(work <= most_work(q), "{q}: {work} for {text}\n{plan}");
            largest = largest.max(work);
        }
        println!("{largest:>8} {q}");
    }
    // Where the texts of a window do not match, the search goes on from there.
    let path = format!("/search?{}", encode(&[("q", "\"tide about\"")]));
    let answer = app.nobody().api().get(&path).await.json();
    assert_eq!(answer["items"], json!([]));
    assert!(answer["next"].is_string(), "{answer}");
    let page = app.nobody().page().get(&path).await.body;
    assert!(page.contains("No matches so far") && page.contains("Search older ones"), "{page}");
}

//! Backfills, and the guarantees of the database layer on either engine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::support::binary::wait_for;
use crate::support::internals::{BACKFILLS, Backfill, Db, Step, now, sql};
use crate::support::{App, database};

/// Doubles vote counts, one post per batch, which shows how often it ran.
static CALLS: AtomicUsize = AtomicUsize::new(0);

const DOUBLE: Backfill = Backfill {
    name: "double",
    after: 7,
    run: |tx| {
        Box::pin(async move {
            CALLS.fetch_add(1, Ordering::Relaxed);
            let next: Option<i64> =
                sql("SELECT id FROM posts WHERE votes < 100 ORDER BY id LIMIT 1")
                    .optional_scalar(&mut *tx)
                    .await?;
            let Some(id) = next else { return Ok(Step::Finished) };
            sql("UPDATE posts SET votes = votes + 100 WHERE id = $1").bind(id).execute(tx).await?;
            Ok(Step::Continue)
        })
    },
};

#[rocket::async_test]
async fn code_takes_part_in_migrations_once_even_if_two_instances_start() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for title in ["One", "Two", "Three"] {
        ann.posts(title).await;
    }
    let url = app.database_url();
    let instance = || {
        wait_for(async {
            let db = Db::connect(&url, 2, Duration::from_secs(10)).await.unwrap();
            db.migrate(&[DOUBLE]).await.unwrap();
            db.close().await;
        });
    };
    // Separate threads: instances are processes, which wait for each other's locks.
    std::thread::scope(|scope| {
        scope.spawn(instance);
        scope.spawn(instance);
    });
    std::thread::scope(|scope| drop(scope.spawn(instance)));
    let votes: Vec<(i64,)> = sql("SELECT votes FROM posts").all(&app.db).await.unwrap();
    assert_eq!(votes, [(100,), (100,), (100,)]);
    assert_eq!(CALLS.load(Ordering::Relaxed), 4, "three posts, and the end");
}

/// Posts and comments, in several batches.
#[rocket::async_test]
async fn what_an_older_renderer_wrote_is_rendered_again_when_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let url = database::migrated(folder.path()).await;
    let app = App::on(&url).await;
    let ann = app.user("ann").await;
    let id = ann.posts("Tides").await;
    let text = json!({"content": "A *comment*"});
    let comment = ann.api().post(&format!("/posts/{id}/comments"), text).await.json();
    for statement in [
        "INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, created_at) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 50) \
         SELECT user_id, title, content, content_html, excerpt, 1, created_at FROM n, posts",
        "INSERT INTO comments (post_id, depth, position, user_id, content, content_html, rendering, \
         created_at) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 500) \
         SELECT post_id, depth, position, user_id, content, content_html, 2, created_at \
         FROM n, comments",
        "UPDATE comments SET content_html = 'old', rendering = 0 WHERE id = 1",
        "UPDATE posts SET content_html = 'old', excerpt = 'old', reading_minutes = 9, rendering = 0",
        "DELETE FROM backfills",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    let post = app.nobody().api().get(&format!("/posts/{id}")).await.json();
    assert!(post["content_html"].as_str().unwrap().contains("<em>Tides</em>"), "at once: {post}");
    for path in [&format!("/posts/{id}/comments"), comment["path"].as_str().unwrap()] {
        let shown = app.nobody().api().get(path).await.body;
        assert!(shown.contains("A <em>comment</em>") && !shown.contains("\"old\""), "{shown}");
        let page = app.nobody().page().get(path).await;
        assert!(page.body.contains("A <em>comment</em>"), "{path}");
    }
    app.db.migrate(BACKFILLS).await.unwrap();
    let list = app.nobody().api().get("/posts").await.json();
    assert_eq!(list["items"][0]["excerpt"], "About Tides.");
    for table in [
        "SELECT count(*) FROM posts WHERE content_html = 'old' OR reading_minutes = 9 OR rendering < 3",
        "SELECT count(*) FROM comments WHERE content_html = 'old' OR rendering < 3",
    ] {
        let outdated: i64 = sql(table).scalar(&app.db).await.unwrap();
        assert_eq!(outdated, 0, "{table}");
    }
}

/// Every kind of value can be stored and read, on either engine.
#[rocket::async_test]
async fn values_of_every_kind_are_stored_and_compared() {
    let app = App::new().await;
    sql("CREATE TABLE samples (id BIGINT, flag BOOLEAN, raw BYTEA, word TEXT)")
        .execute(app.db.writer())
        .await
        .unwrap();
    let raw = vec![0u8, 255, 10];
    for (id, flag) in [(1i64, Some(true)), (2, Some(false)), (3, None)] {
        sql("INSERT INTO samples (id, flag, raw, word) VALUES ($1, $2, $3, $4)")
            .bind(id)
            .bind(flag)
            .bind((id == 1).then(|| raw.clone()))
            .bind(format!("word {id}"))
            .execute(app.db.writer())
            .await
            .unwrap();
    }
    let flags: Vec<(i64, Option<bool>)> =
        sql("SELECT id, flag FROM samples ORDER BY id").all(&app.db).await.unwrap();
    assert_eq!(flags, [(1, Some(true)), (2, Some(false)), (3, None)]);
    let stored: Vec<u8> = sql("SELECT raw FROM samples WHERE raw = $1")
        .bind(raw.clone())
        .scalar(&app.db)
        .await
        .unwrap();
    assert_eq!(stored, raw);
    let listed = |ids: Vec<i64>| {
        sql("SELECT id FROM samples WHERE").push_list(" id IN ", ids).push(" ORDER BY id")
    };
    let found: Vec<(i64,)> = listed(vec![3, 1, 7]).all(&app.db).await.unwrap();
    assert_eq!(found, [(1,), (3,)]);
    let found: Vec<(i64,)> = listed(vec![]).all(&app.db).await.unwrap();
    assert_eq!(found, [], "an empty list matches nothing");
}

/// The next reader sees what was committed, so reads need not queue behind the writer.
#[rocket::async_test]
async fn readers_see_every_commit() {
    let app = App::new().await;
    for n in 0..200i64 {
        sql("INSERT INTO throttles (key, count, ends_at) VALUES ($1, $2, $3)")
            .bind(format!("key {n}"))
            .bind(n)
            .bind(now() + chrono::Duration::hours(1))
            .execute(app.db.writer())
            .await
            .unwrap();
        let count: i64 = sql("SELECT count FROM throttles WHERE key = $1")
            .bind(format!("key {n}"))
            .scalar(&app.db)
            .await
            .unwrap();
        assert_eq!(count, n);
    }
}

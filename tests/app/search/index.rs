//! The index: filled with each write, by the migration, by a job, and by an examination.

use std::path::Path;

use serde_json::json;

use super::{NOTHING, find};
use crate::support::App;
use crate::support::internals::{self, BACKFILLS, HANDLERS, job, now, run_due, sql};

/// Runs the jobs that index; a worker of the site may have taken them.
async fn run_jobs(app: &App, folder: &Path) {
    let worker = internals::worker(app.site(), folder);
    // The next run of the periodic one waits for its time.
    let due = "SELECT count(*) FROM jobs WHERE kind = 'search-index' AND finished_at IS NULL \
         AND run_at <= $1";
    loop {
        run_due(&worker, HANDLERS).await.unwrap();
        let left: i64 = sql(due).bind(now()).scalar(&app.db).await.unwrap();
        if left == 0 {
            break;
        }
    }
}

async fn count(app: &App, text: &'static str) -> i64 {
    sql(text).scalar(&app.db).await.unwrap()
}

#[rocket::async_test]
async fn words_are_found_by_their_stems_in_the_language_of_the_site() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let id = ann.posts("Running with horses").await;
    let comment = json!({"content": "Häusern, running"});
    ann.api().post(&format!("/posts/{id}/comments"), comment).await;
    for q in
        ["run", "runs", "RUNNING", "horse", "\"run with a horse\" -x", "\"running with horse\""]
    {
        let expected = if q.contains(" a ") { vec![] } else { vec![id] };
        assert_eq!(find(&root, "posts", q).await, expected, "{q}");
    }
    assert_eq!(find(&root, "comments", "haus").await, NOTHING);

    // In German, once it was indexed anew.
    let german = json!({"language": "de"});
    assert_eq!(root.api().patch("/admin/settings", german).await.status, 200);
    let folder = tempfile::tempdir().unwrap();
    run_jobs(&app, folder.path()).await;
    assert_eq!(count(&app, "SELECT count(*) FROM post_words WHERE stemming = 'german-1'").await, 1);
    assert_eq!(
        count(&app, "SELECT count(*) FROM comment_words WHERE stemming = 'german-1'").await,
        1
    );
    assert_eq!(find(&root, "comments", "Haus").await.len(), 1);
    assert_eq!(find(&root, "posts", "runs").await, NOTHING);
    assert_eq!(find(&root, "posts", "running").await, [id]);

    // And in a language without a stemmer.
    root.api().patch("/admin/settings", json!({"language": "la"})).await;
    run_jobs(&app, folder.path()).await;
    assert_eq!(find(&root, "comments", "haus").await, NOTHING);
    assert_eq!(find(&root, "comments", "hausern").await.len(), 1);
}

#[rocket::async_test]
async fn what_was_there_before_is_indexed_when_migrated() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    // More than one batch of posts.
    let mut ids = Vec::new();
    for n in 0..3 {
        ids.insert(0, ann.posts(&format!("Tide {n}")).await);
    }
    let comment = json!({"content": "Waves"});
    ann.api().post(&format!("/posts/{}/comments", ids[0]), comment).await;
    for statement in [
        "DELETE FROM post_words",
        "DELETE FROM comment_words",
        "DELETE FROM name_search",
        "DELETE FROM word_days",
        "DELETE FROM backfills",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    assert_eq!(find(&ann, "posts", "tide").await, NOTHING);
    app.db.migrate(BACKFILLS).await.unwrap();
    assert_eq!(find(&ann, "posts", "tide after:2020-01-01").await, ids);
    assert_eq!(find(&ann, "comments", "wave").await.len(), 1);
    assert_eq!(find(&ann, "people", "ann").await, [ann.id]);
}

/// An older instance edits posts and writes comments without indexing them.
#[rocket::async_test]
async fn what_others_wrote_is_indexed_by_a_job() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Tides").await;
    for statement in [
        "UPDATE posts SET title = 'Waves', version = version + 1",
        "INSERT INTO comments (post_id, depth, position, user_id, content, content_html, rendering, \
         created_at) SELECT id, 0, 0, user_id, 'x', '<p>Foam</p>', 2, created_at FROM posts",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    assert_eq!(find(&ann, "posts", "wave").await, NOTHING);
    // Out of date, the index says more than the post: it is not shown.
    assert_eq!(find(&ann, "posts", "tide").await, [id]);
    sql("DELETE FROM jobs").execute(app.db.writer()).await.unwrap();
    job::schedule(app.db.writer(), "search-index", chrono::Duration::zero()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    run_jobs(&app, folder.path()).await;
    assert_eq!(find(&ann, "posts", "wave").await, [id]);
    assert_eq!(find(&ann, "posts", "\"tides\" -about").await, NOTHING);
    assert_eq!(find(&ann, "comments", "foam").await.len(), 1);
}

/// Only the beginning of a long text is indexed.
#[rocket::async_test]
async fn a_long_text_is_indexed_up_to_a_bound() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let content = format!("early {} late", "word ".repeat(15_000));
    let post = ann.api().post("/posts", json!({"title": "Long", "content": content})).await;
    let id = post.json()["id"].as_i64().unwrap();
    assert_eq!(find(&ann, "posts", "early").await, [id]);
    assert_eq!(find(&ann, "posts", "late").await, NOTHING);
    let longest = count(&app, "SELECT CAST(max(length(text)) AS BIGINT) FROM post_words").await;
    assert!((30_000..34_000).contains(&longest), "{longest}");
}

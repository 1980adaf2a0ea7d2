//! When posts are published, by whom, and how many.

use chrono::{DateTime, Utc};
use rocket::futures::future::join_all;
use serde_json::{Value, json};

use super::drafts::{is_listed, later, write};
use crate::support::App;
use crate::support::internals::{self, HANDLERS, now, run_due, schedule, sql};

#[rocket::async_test]
async fn scheduled_posts_are_published_once_when_they_are_due() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let at = later(100);
    let typed = at.trim_end_matches(":00Z");
    let post = write(&ann, json!({"title": "Later", "content": "Words", "published_at": at})).await;
    assert_eq!((&post["state"], &post["published_at"]), (&json!("scheduled"), &json!(at)));
    let shown = at.parse::<DateTime<Utc>>().unwrap().format("%-d %B %Y, 12:00 UTC").to_string();
    assert!(ann.page().get("/posts/1").await.body.contains(&shown), "{shown}");
    let edit = ann.page().get("/posts/1/edit").await.body;
    assert!(edit.contains(&format!("value=\"{typed}\"")), "{edit}");
    let folder = tempfile::tempdir().unwrap();
    let worker = internals::worker(app.site(), folder.path());
    run_due(&worker, HANDLERS).await.unwrap();
    assert!(!is_listed(&app, "Later").await, "not due yet");
    // Saved meanwhile, it stays scheduled, to the second.
    let form = [("title", "Later"), ("content", "More words"), ("published_at", typed)];
    assert_eq!(ann.page().put("/posts/1", &form).await.status, 303);
    assert_eq!(ann.api().get("/posts/1").await.json()["published_at"], at);

    // Its time has come, whatever the clock said when it was scheduled.
    for statement in [
        "UPDATE posts SET publish_at = created_at WHERE id = 1",
        "UPDATE jobs SET run_at = created_at WHERE kind = 'scheduled-posts'",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    let other = app.another().await;
    let others = internals::worker(other.site(), folder.path());
    let (one, two) = rocket::tokio::join!(run_due(&worker, HANDLERS), run_due(&others, HANDLERS));
    one.unwrap();
    two.unwrap();
    assert!(is_listed(&app, "Later").await);
    let published = app.nobody().api().get("/posts/1").await.json();
    assert_eq!((&published["state"], &published["version"]), (&json!("published"), &json!(3)));
    assert_eq!(published["updated_at"], Value::Null);
    let found = app.nobody().api().get("/search?q=words").await.json();
    assert_eq!(found["items"][0]["id"], 1);
    run_due(&worker, HANDLERS).await.unwrap();
    assert_eq!(app.nobody().api().get("/posts/1").await.json(), published, "once");
}

/// How many jobs are due that publish what was planned.
async fn due(app: &App) -> i64 {
    sql("SELECT count(*) FROM jobs WHERE kind = 'scheduled-posts' AND finished_at IS NULL")
        .push_bind(" AND run_at <= ", now())
        .scalar(&app.db)
        .await
        .unwrap()
}

/// Whoever has claimed the job may die: others take it soon, and it is published once.
#[rocket::async_test]
async fn a_schedule_outlives_the_worker_that_had_it() {
    let handler = HANDLERS.iter().find(|handler| handler.name == schedule::JOB).unwrap();
    assert!(handler.lease.as_secs() <= 15, "readers wait for it");
    let app = App::new().await;
    let ann = app.user("ann").await;
    let planned = json!({"title": "Later", "content": "Words", "published_at": later(100)});
    assert_eq!(write(&ann, planned).await["version"], 1);
    for statement in [
        "UPDATE jobs SET run_at = created_at, attempts = 1, claimed_until = '2999-01-01T00:00:00+00:00' \
         WHERE kind = 'scheduled-posts' AND finished_at IS NULL",
        "UPDATE posts SET publish_at = created_at WHERE id = 1",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let instances = [app.another().await, app.another().await, app.another().await];
    let workers = instances.each_ref().map(|app| internals::worker(app.site(), folder.path()));
    run_due(&workers[0], HANDLERS).await.unwrap();
    assert!(!is_listed(&app, "Later").await, "it is still claimed");
    let expired = "UPDATE jobs SET claimed_until = run_at WHERE finished_at IS NULL";
    sql(expired).execute(app.db.writer()).await.unwrap();
    let ran = join_all(workers.iter().map(|worker| run_due(worker, HANDLERS))).await;
    assert!(ran.iter().all(Result::is_ok), "{ran:?}");
    // The workers of the instances themselves may have been faster.
    while due(&app).await > 0 {
        rocket::tokio::task::yield_now().await;
    }
    assert!(is_listed(&app, "Later").await);
    let post = app.nobody().api().get("/posts/1").await.json();
    assert_eq!((&post["state"], &post["version"]), (&json!("published"), &json!(2)), "once");
}

#[rocket::async_test]
async fn a_schedule_is_changed_and_cancelled() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = json!({"title": "Later", "content": "x", "published_at": later(100)});
    write(&ann, post).await;
    let moved = ann.api().put("/posts/1", json!({"published_at": later(130)})).await.json();
    assert_eq!(
        (&moved["state"], &moved["published_at"]),
        (&json!("scheduled"), &json!(later(130)))
    );
    let draft = ann.api().delete("/posts/1/publication").await.json();
    assert_eq!(draft["state"], "draft");
    let now = ann.api().put("/posts/1/publication", json!({})).await.json();
    assert_eq!(now["state"], "published", "without a time, at once");
    let back =
        ann.api().put("/posts/1", json!({"published_at": "2020-01-01T00:00:00Z"})).await.json();
    assert_eq!(
        (&back["state"], &back["published_at"]),
        (&json!("published"), &json!("2020-01-01T00:00:00Z"))
    );
    write(&ann, json!({"title": "Newer", "content": "x"})).await;
    let titles = app.nobody().api().get("/posts").await.json();
    assert_eq!(
        (&titles["items"][0]["title"], &titles["items"][1]["title"]),
        (&json!("Newer"), &json!("Later"))
    );
    let later = ann.api().put("/posts/1", json!({"published_at": later(130)})).await.json();
    assert_eq!(later["state"], "scheduled");
    assert!(!is_listed(&app, "Later").await);
}

#[rocket::async_test]
async fn drafts_are_no_way_round_the_limits_of_posts() {
    let app = App::with(&[("limits", "posts=3/h")]).await;
    let ann = app.user("ann").await;
    for title in ["One", "Two"] {
        write(&ann, json!({"title": title, "content": "x", "state": "draft"})).await;
    }
    assert_eq!(ann.api().put("/posts/1/publication", json!({})).await.status, 200);
    assert_eq!(ann.api().put("/posts/2/publication", json!({})).await.status, 429);
    assert_eq!(ann.api().put("/posts/2", json!({"state": "published"})).await.status, 429);
    assert_eq!(ann.api().put("/posts/2", json!({"title": "Two again"})).await.status, 200);
    let later = json!({"published_at": later(100)});
    assert_eq!(ann.api().put("/posts/2/publication", later).await.status, 429);
}

#[rocket::async_test]
async fn admins_do_not_publish_for_others() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    write(&ann, json!({"title": "Tides", "content": "x"})).await;
    for change in [
        json!({"visibility": "unlisted"}),
        json!({"state": "draft"}),
        json!({"published_at": "2020-01-01T00:00:00Z"}),
    ] {
        assert_eq!(root.api().put("/posts/1", change).await.status, 403);
    }
    let same = json!({"content": "Better", "visibility": "public", "state": "published"});
    assert_eq!(root.api().put("/posts/1", same).await.status, 200);
    // What only some can read, they can still remove.
    ann.api().put("/posts/1", json!({"visibility": "unlisted"})).await;
    assert_eq!(root.api().delete("/posts/1").await.status, 204);
}

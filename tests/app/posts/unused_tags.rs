//! Tags that no post has any more.

use rocket::futures::future::{join, join_all};
use serde_json::{Value, json};

use crate::accounts::sweep;
use crate::support::internals::{sql, sweep_tags};
use crate::support::{App, Response};

async fn names(app: &App) -> Vec<String> {
    let names: Vec<(String,)> =
        sql("SELECT name FROM tags ORDER BY name").all(&app.db).await.unwrap();
    names.into_iter().map(|(name,)| name).collect()
}

async fn tags(app: &App, path: &str) -> Value {
    app.nobody().api().get(path).await.json()["tags"].clone()
}

#[rocket::async_test]
async fn the_sweep_deletes_tags_that_nobody_has_any_use_for() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    for tags in ["sea, moon, described, seas, gone", "sea, old, tide"] {
        let post = json!({"title": "x", "content": "x", "tags": tags});
        assert_eq!(ann.api().post("/posts", post).await.status, 201);
    }
    // A draft has it, which nothing counts.
    let draft = json!({"title": "x", "state": "draft", "tags": "hidden"});
    assert_eq!(ann.api().post("/posts", draft).await.status, 201);
    root.api().put("/tags/described", json!({"description": "Kept."})).await;
    // Neither another name nor what it is a name of.
    root.api().put("/tags/seas/merge", json!({"into": "ocean"})).await;
    ann.api().put("/posts/1", json!({"tags": "sea"})).await;
    assert_eq!(ann.api().delete("/posts/2").await.status, 204);
    // It is kept, and about to be wrong.
    app.nobody().page().get("/tags/moon").await;
    sweep(&app).await;
    assert_eq!(names(&app).await, ["described", "hidden", "ocean", "sea", "seas"]);
    assert_eq!(app.nobody().page().get("/tags/moon").await.status, 404);
    assert_eq!(app.nobody().page().get("/tags/seas").await.status, 200);
    // It comes back as if it had never been there.
    ann.api().put("/posts/1", json!({"tags": "sea, moon"})).await;
    assert_eq!(app.nobody().api().get("/tags/moon").await.json()["posts"], 1);
}

#[rocket::async_test]
async fn one_sweep_deletes_five_hundred_tags() {
    let app = App::new().await;
    // The site's own sweep does not see them.
    let mut tx = app.db.begin().await.unwrap();
    let many = "INSERT INTO tags (name, created_at) WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL \
        SELECT n + 1 FROM n WHERE n < 700) SELECT 'tag-' || n, CURRENT_TIMESTAMP FROM n";
    sql(many).execute(&mut tx).await.unwrap();
    for count in [500, 200, 0] {
        assert_eq!(sweep_tags(&mut tx).await.unwrap(), count);
    }
}

/// Runs a request while a sweep has deleted the tag `sea` and is about to commit.
async fn during_a_sweep(app: &App, request: impl Future<Output = Response>) -> Response {
    let tx = loop {
        let sea = "INSERT INTO tags (name, created_at) VALUES ('sea', CURRENT_TIMESTAMP) \
            ON CONFLICT (name) DO NOTHING";
        sql(sea).execute(app.db.writer()).await.unwrap();
        let mut tx = app.db.begin().await.unwrap();
        // Unless the site's own sweep was faster.
        if sweep_tags(&mut tx).await.unwrap() > 0 {
            break tx;
        }
    };
    let commit = async {
        // On SQLite, writers wait for the whole transaction.
        while app.database_url().starts_with("postgres") {
            let waiting: i64 = sql("SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'")
            .scalar(&app.db)
            .await
            .unwrap();
            if waiting > 0 {
                break;
            }
        }
        tx.commit().await.unwrap();
    };
    join(request, commit).await.0
}

#[rocket::async_test]
async fn a_tag_that_is_taken_while_it_is_deleted_is_created_anew() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let post = json!({"title": "Tides", "content": "x", "tags": ["moon", "sea"]});
    let door = ann.api();
    let made = during_a_sweep(&app, door.post("/posts", post)).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let path = format!("/posts/{}", made.json()["id"]);
    assert_eq!(tags(&app, &path).await, json!(["moon", "sea"]));

    ann.api().put(&path, json!({"tags": "moon"})).await;
    let edited = during_a_sweep(&app, door.put(&path, json!({"tags": "sea, moon"}))).await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    assert_eq!(tags(&app, &path).await, json!(["sea", "moon"]));

    // Another tag is merged into it.
    ann.api().put(&path, json!({"tags": "moon"})).await;
    let door = root.api();
    let merge = door.put("/tags/moon/merge", json!({"into": "sea"}));
    let merged = during_a_sweep(&app, merge).await;
    assert_eq!((merged.status, &merged.json()["name"]), (200, &json!("sea")), "{}", merged.body);
    assert_eq!(app.nobody().api().get("/tags/moon").await.json()["name"], "sea");
}

#[rocket::async_test]
async fn no_post_loses_a_tag_however_often_it_is_swept() {
    let app = App::with(&[("limits", "posts=1000/h, posts-address=1000/h")]).await;
    let ann = app.user("ann").await;
    // Each post takes a tag from one and gives it back at once, while all tags are swept.
    let writing = join_all((0..4).map(|writer| {
        let ann = &ann;
        async move {
            for turn in 0..8 {
                let tags = [format!("t{}", (writer + turn) % 3), format!("t{}", turn % 3 + 3)];
                let post = json!({"title": "x", "content": "x", "tags": tags});
                let made = ann.api().post("/posts", post).await;
                assert_eq!(made.status, 201, "{}", made.body);
                assert_eq!(made.json()["tags"], json!(tags));
                let path = format!("/posts/{}", made.json()["id"]);
                assert_eq!(ann.api().delete(&path).await.status, 204);
            }
        }
    }));
    let sweeping = async {
        for _ in 0..40 {
            let mut tx = app.db.begin().await.unwrap();
            match sweep_tags(&mut tx).await {
                Ok(_) => {
                    // Meanwhile, posts on PostgreSQL come to what is deleted.
                    names(&app).await;
                    tx.commit().await.unwrap();
                }
                // The job is run again.
                Err(error) => assert!(error.is_repeatable(), "{error}"),
            }
        }
    };
    join(writing, sweeping).await;
}

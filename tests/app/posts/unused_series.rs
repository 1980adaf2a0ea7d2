//! Series that no post is in any more.

use rocket::futures::future::{join, join_all};
use serde_json::json;

use super::series::part;
use crate::accounts::sweep;
use crate::support::App;
use crate::support::internals::{now, sql, sweep_series};

async fn titles(app: &App) -> Vec<String> {
    let titles: Vec<(String,)> =
        sql("SELECT title FROM series ORDER BY id").all(&app.db).await.unwrap();
    titles.into_iter().map(|(title,)| title).collect()
}

/// A day and more goes by.
async fn wait(app: &App) {
    sql("UPDATE series SET unused_since = $1 WHERE unused_since IS NOT NULL")
        .bind(now() - chrono::Duration::hours(25))
        .execute(app.db.writer())
        .await
        .unwrap();
}

#[rocket::async_test]
async fn a_series_without_posts_is_deleted_after_a_day() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let first = part(&ann, "First", "Left").await;
    let second = part(&ann, "Second", "Deleted").await;
    let third = part(&ann, "Third", "Kept by a draft").await;
    part(&ann, "Fourth", "Public").await;
    let fifth = part(&ann, "Fifth", "Taken up again").await;
    assert_eq!(
        ann.api().put(&format!("/posts/{first}"), json!({"series": null})).await.status,
        200
    );
    assert_eq!(ann.api().delete(&format!("/posts/{second}")).await.status, 204);
    assert_eq!(ann.api().delete(&format!("/posts/{third}/publication")).await.status, 200);
    let out = json!({"series": "Public"});
    assert_eq!(ann.api().put(&format!("/posts/{fifth}"), out).await.status, 200);
    sweep(&app).await;
    sweep(&app).await;
    assert_eq!(titles(&app).await.len(), 5, "not at once");
    wait(&app).await;
    let back = json!({"series": "taken up again"});
    assert_eq!(ann.api().put(&format!("/posts/{fifth}"), back).await.status, 200);
    // What is left is kept, and about to be wrong.
    assert!(ann.page().get("/users/ann/series").await.body.contains("Left"));
    sweep(&app).await;
    assert_eq!(titles(&app).await, ["Kept by a draft", "Public", "Taken up again"]);
    assert!(!ann.page().get("/users/ann/series").await.body.contains("Left"));
    // It has a whole day again.
    let out = json!({"series": ""});
    assert_eq!(ann.api().put(&format!("/posts/{fifth}"), out).await.status, 200);
    sweep(&app).await;
    sweep(&app).await;
    assert_eq!(titles(&app).await.len(), 3);
    wait(&app).await;
    sweep(&app).await;
    assert_eq!(titles(&app).await, ["Kept by a draft", "Public"]);
}

#[rocket::async_test]
async fn no_post_loses_its_series_however_often_it_is_swept() {
    let app = App::with(&[("limits", "posts=1000/h, posts-address=1000/h, edits=1000/h")]).await;
    let ann = app.user("ann").await;
    // Each post takes a series and gives it back at once, while all that are unused are swept.
    let writing = join_all((0..4).map(|writer| {
        let ann = &ann;
        async move {
            for turn in 0..8 {
                let series = format!("Series {}", (writer + turn) % 3);
                let post = json!({"title": "x", "content": "x", "series": series});
                let made = ann.api().post("/posts", post).await;
                assert_eq!(made.status, 201, "{}", made.body);
                let path = format!("/posts/{}", made.json()["id"]);
                assert_eq!(ann.api().get(&path).await.json()["series"]["title"], series);
                assert_eq!(ann.api().delete(&path).await.status, 204);
            }
        }
    }));
    let sweeping = async {
        for _ in 0..40 {
            sweep_series(&app.db).await.unwrap();
            wait(&app).await;
            titles(&app).await;
        }
    };
    join(writing, sweeping).await;
}

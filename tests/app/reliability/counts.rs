//! Kept counts of posts and votes stay exact, whatever happens at the same time.

use rocket::futures::future::{BoxFuture, FutureExt, join_all};
use serde_json::json;

use crate::support::internals::sql;
use crate::support::{App, Person, repetitions};

async fn execute(app: &App, statement: &'static str) {
    sql(statement).execute(app.db.writer()).await.unwrap();
}

/// The kept counts must be those of the rows.
async fn assert_exact(app: &App) {
    let wrong: Vec<(i64, i64, i64)> =
        sql("SELECT u.id, coalesce(c.posts, -1), coalesce(c.votes, -1) \
         FROM users u LEFT JOIN user_counts c ON c.user_id = u.id \
         WHERE c.user_id IS NULL OR c.posts <> (SELECT count(*) FROM posts p \
             WHERE p.user_id = u.id AND p.published_at IS NOT NULL) \
         OR c.votes <> (SELECT count(*) FROM votes v JOIN posts p ON p.id = v.post_id \
             WHERE p.user_id = u.id AND p.published_at IS NOT NULL)")
        .all(&app.db)
        .await
        .unwrap();
    assert_eq!(wrong, []);
    let extra: i64 =
        sql("SELECT count(*) FROM user_counts WHERE user_id NOT IN (SELECT id FROM users)")
            .scalar(&app.db)
            .await
            .unwrap();
    assert_eq!(extra, 0, "counts of people who no longer exist");
}

async fn counts(person: &Person<'_>) -> (i64, i64, i64) {
    let stats = person.api().get("/dashboard").await.json();
    let me = person.api().get("/me").await.json();
    let number = |value: &serde_json::Value| value.as_i64().unwrap();
    (number(&stats["posts"]), number(&stats["votes"]), number(&me["posts"]))
}

#[rocket::async_test]
async fn counts_follow_every_change() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    assert_eq!(counts(&ann).await, (0, 0, 0));
    let (first, second) = (ann.posts("First").await, ann.posts("Second").await);
    for id in [first, second] {
        bob.api().put(&format!("/posts/{id}/vote"), json!({})).await;
        root.api().put(&format!("/posts/{id}/vote"), json!({})).await;
    }
    assert_eq!(counts(&ann).await, (2, 4, 2));
    bob.api().delete(&format!("/posts/{first}/vote")).await;
    assert_eq!(counts(&ann).await, (2, 3, 2));
    execute(&app, "UPDATE posts SET published_at = NULL WHERE title = 'Second'").await;
    assert_eq!(counts(&ann).await, (1, 1, 1), "what is not published does not count");
    execute(&app, "UPDATE posts SET published_at = created_at").await;
    assert_eq!(counts(&ann).await, (2, 3, 2));
    execute(
        &app,
        "UPDATE posts SET user_id = (SELECT id FROM users WHERE username = 'bob') \
         WHERE title = 'First'",
    )
    .await;
    assert_eq!((counts(&ann).await, counts(&bob).await), ((1, 2, 1), (1, 1, 1)));
    ann.api().delete(&format!("/posts/{second}")).await;
    assert_eq!(counts(&ann).await, (0, 0, 0));
    assert_exact(&app).await;
}

#[rocket::async_test]
async fn parallel_votes_and_deletions_leave_exact_counts() {
    // On a busy machine, some wait longer for a lock than people should.
    let patient = [("lock_timeout_seconds", "600"), ("statement_timeout_seconds", "600")];
    let app = App::with(&patient).await;
    let root = app.admin("root").await;
    for round in 0..repetitions() {
        let mut people = Vec::new();
        for n in 0..8 {
            people.push(app.user(&format!("p{round}-{n}")).await);
        }
        let mut posts = Vec::new();
        for person in &people {
            for n in 0..3 {
                posts.push((person.id, person.posts(&format!("Post {n}")).await));
            }
        }
        // Everybody votes for everything, forwards or backwards, and withdraws every third vote,
        // while some are deleted and some delete their posts.
        let mut work: Vec<BoxFuture<Vec<u16>>> = Vec::new();
        for (n, person) in people.iter().enumerate() {
            let mut order = posts.clone();
            if n % 2 == 1 {
                order.reverse();
            }
            work.push(Box::pin(async move {
                let mut answers = Vec::new();
                for (k, (author, id)) in order.into_iter().enumerate() {
                    let path = format!("/posts/{id}/vote");
                    if author != person.id {
                        answers.push(person.api().put(&path, json!({})).await.status);
                        if k % 3 == 0 {
                            answers.push(person.api().delete(&path).await.status);
                        }
                    } else if n == 0 {
                        answers.push(person.api().delete(&format!("/posts/{id}")).await.status);
                    }
                }
                answers
            }));
        }
        for person in &people[5..] {
            let path = format!("/admin/users/{}", person.name);
            let root = &root;
            work.push(async move { vec![root.api().delete(&path).await.status] }.boxed());
        }
        let answers: Vec<u16> = join_all(work).await.into_iter().flatten().collect();
        assert!(answers.iter().all(|status| *status < 500), "{answers:?}");
        assert!(answers.contains(&200) && answers.contains(&204), "{answers:?}");
        assert_exact(&app).await;
    }
}

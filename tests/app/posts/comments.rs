//! Comments: what becomes of them, and their lists.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Patch, Post, Put};
use serde_json::{Value, json};

use crate::support::internals::sql;
use crate::support::permission::{ADMINS, MEMBERS_CREATE, PUBLIC, Permission, both};
use crate::support::{App, Person};

pub fn permissions() -> Vec<Permission> {
    const OWN: [(u16, u16); 4] = [(303, 401), (403, 403), (303, 200), (303, 200)];
    vec![
        both(Get, "/posts/<id>/comments", PUBLIC).scope("posts:read"),
        both(Get, "/comments/<id>", PUBLIC).scope("posts:read"),
        both(Get, "/users/<username>/comments", PUBLIC).scope("posts:read"),
        both(Get, "/admin/comments", ADMINS).scope("admin"),
        both(Post, "/posts/<id>/comments", MEMBERS_CREATE)
            .with(&[("content", "Well said.")])
            .scope("posts:write"),
        both(Put, "/comments/<id>", OWN).with(&[("content", "Changed.")]).scope("posts:write"),
        both(Patch, "/comments/<id>", OWN).with(&[("content", "Changed.")]).scope("posts:write"),
        both(Delete, "/comments/<id>", [(303, 401), (403, 403), (303, 204), (303, 204)])
            .scope("posts:write"),
        both(Put, "/posts/<id>/comments/closed", OWN).scope("posts:write"),
        both(Delete, "/posts/<id>/comments/closed", OWN).scope("posts:write"),
    ]
}

/// Comments, and returns the number.
pub async fn comment(person: &Person<'_>, post: i64, parent: Option<i64>, text: &str) -> i64 {
    let input = json!({"content": text, "parent_id": parent});
    let made = person.api().post(&format!("/posts/{post}/comments"), input).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()["id"].as_i64().unwrap()
}

/// The numbers and depths of a list.
pub fn shape(list: &Value) -> Vec<(i64, i64)> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|c| (c["id"].as_i64().unwrap(), c["depth"].as_i64().unwrap())).collect()
}

pub async fn count(app: &App, post: i64) -> i64 {
    let post = app.nobody().api().get(&format!("/posts/{post}")).await.json();
    post["comments"].as_i64().unwrap()
}

#[rocket::async_test]
async fn a_deleted_comment_stays_without_its_text_while_there_are_replies() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let post = ann.posts("Tides").await;
    let first = comment(&bob, post, None, "A secret").await;
    bob.api().put(&format!("/comments/{first}"), json!({"content": "A *secret*, edited"})).await;
    let reply = comment(&ann, post, Some(first), "Reply").await;
    let deeper = comment(&bob, post, Some(reply), "Deeper").await;
    assert_eq!(bob.api().delete(&format!("/comments/{first}")).await.status, 204);
    let stone = app.nobody().api().get(&format!("/comments/{first}")).await.json();
    assert_eq!((&stone["deleted"], &stone["content"]), (&json!(true), &json!("")));
    assert_eq!((&stone["author"], &stone["content_html"]), (&json!(null), &json!("")));
    assert_eq!(count(&app, post).await, 2);
    let page = app.nobody().page().get(&format!("/posts/{post}/comments")).await.body;
    assert!(page.contains("This comment was deleted.") && !page.contains("secret"), "{page}");
    let left: i64 = sql("SELECT count(*) FROM comment_revisions").scalar(&app.db).await.unwrap();
    assert_eq!(left, 0);
    for (method, path) in [("PUT", ""), ("DELETE", ""), ("PUT", "/vote")] {
        let path = format!("/comments/{first}{path}");
        let answer = match method {
            "PUT" => ann.api().put(&path, json!({"content": "x"})).await,
            _ => bob.api().delete(&path).await,
        };
        assert_eq!(answer.status, 404, "{method} {path}");
    }
    let late = json!({"content": "Too late", "parent_id": first});
    assert_eq!(ann.api().post(&format!("/posts/{post}/comments"), late).await.status, 409);
    // With the last reply, everything that stood only because of it is gone.
    assert_eq!(ann.api().delete(&format!("/comments/{reply}")).await.status, 204);
    assert_eq!(bob.api().delete(&format!("/comments/{deeper}")).await.status, 204);
    let rows: i64 = sql("SELECT count(*) FROM comments").scalar(&app.db).await.unwrap();
    assert_eq!((rows, count(&app, post).await), (0, 0));
}

#[rocket::async_test]
async fn the_comments_of_a_deleted_account_say_nothing_more() {
    let app = App::new().await;
    let (ann, bob, root) = (app.user("ann").await, app.user("bob").await, app.admin("root").await);
    let post = ann.posts("Tides").await;
    let answered = comment(&bob, post, None, "A secret").await;
    comment(&ann, post, Some(answered), "Reply").await;
    comment(&bob, post, None, "Another secret").await;
    assert_eq!(root.api().delete("/admin/users/bob").await.status, 204);
    let list = app.nobody().api().get(&format!("/posts/{post}/comments")).await;
    assert!(!list.body.contains("secret") && !list.body.contains("bob"), "{}", list.body);
    assert_eq!((shape(&list.json()).len(), count(&app, post).await), (2, 1));
    let texts: Vec<(String,)> = sql("SELECT content FROM comments").all(&app.db).await.unwrap();
    assert!(texts.iter().all(|(text,)| !text.contains("secret")), "{texts:?}");
}

/// A comment that is written while its author's account is being deleted.
#[rocket::async_test]
async fn a_late_comment_of_a_deleted_account_says_nothing_either() {
    let app = App::new().await;
    let (ann, bob, root) = (app.user("ann").await, app.user("bob").await, app.admin("root").await);
    let post = ann.posts("Tides").await;
    let mut tx = app.db.begin().await.unwrap();
    sql("INSERT INTO comments (post_id, depth, position, user_id, content, content_html, rendering, \
         created_at) SELECT id, 0, 0, CAST($1 AS BIGINT), 'A secret', 'A secret', 2, created_at \
         FROM posts WHERE id = $2")
    .bind(bob.id)
    .bind(post)
    .execute(&mut tx)
    .await
    .unwrap();
    let commit = async {
        // On SQLite, the deletion has to wait for the whole transaction.
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
    let (deleted, ()) =
        rocket::futures::future::join(root.api().delete("/admin/users/bob"), commit).await;
    assert_eq!(deleted.status, 204);
    let texts: Vec<(String,)> = sql("SELECT content FROM comments").all(&app.db).await.unwrap();
    assert_eq!(texts, []);
}

#[rocket::async_test]
async fn parallel_comments_are_counted_exactly() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = ann.posts("Tides").await;
    let root = comment(&ann, post, None, "First").await;
    let mut people = Vec::new();
    for i in 0..10 {
        people.push(app.user(&format!("person{i}")).await);
    }
    let writing = people.iter().flat_map(|person| {
        (0..5).map(move |n| comment(person, post, (n % 2 == 0).then_some(root), "Me too"))
    });
    let ids = join_all(writing).await;
    assert_eq!(count(&app, post).await, 51);
    let deleting = people.iter().zip(ids.chunks(5)).map(async |(person, ids)| {
        assert_eq!(person.api().delete(&format!("/comments/{}", ids[0])).await.status, 204);
    });
    join_all(deleting).await;
    assert_eq!(count(&app, post).await, 41);
    let positions: Vec<(i64,)> =
        sql("SELECT position FROM comments WHERE root_id = $1 ORDER BY position")
            .bind(root)
            .all(&app.db)
            .await
            .unwrap();
    let mut once = positions.clone();
    once.dedup();
    assert_eq!(once, positions, "each has a number of its own");
}

#[rocket::async_test]
async fn the_comments_of_a_person_and_of_everybody_are_listed() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let (tides, bread) = (ann.posts("Tides").await, ann.posts("Bread").await);
    let first = comment(&bob, tides, None, "First").await;
    let reply = comment(&ann, tides, Some(first), "Reply").await;
    let last = comment(&bob, bread, None, "Last").await;
    bob.api().delete(&format!("/comments/{first}")).await;
    let numbers = |list: &Value| -> Vec<i64> {
        list["items"].as_array().unwrap().iter().map(|c| c["id"].as_i64().unwrap()).collect()
    };
    let own = app.nobody().api().get("/users/BOB/comments").await.json();
    assert_eq!(numbers(&own), [last], "a deleted one is left out");
    assert_eq!(
        own["items"][0]["post"],
        json!({"id": bread, "title": "Bread", "path": "/posts/2/bread"})
    );
    let all = root.api().get("/admin/comments?limit=1").await.json();
    assert_eq!(numbers(&all), [last]);
    let next = format!("/admin/comments?limit=1&before={}", all["next"].as_str().unwrap());
    let next = root.api().get(&next).await.json();
    assert_eq!(numbers(&next), [reply]);
    let back = format!("/admin/comments?limit=1&after={}", next["previous"].as_str().unwrap());
    assert_eq!(numbers(&root.api().get(&back).await.json()), [last]);
    let page = app.nobody().page().get("/users/bob/comments").await.body;
    assert!(page.contains("Last") && page.contains("href=\"/posts/2/bread\""), "{page}");
    assert!(!page.contains("First"));
    let page = root.page().get("/admin/comments").await.body;
    assert!(page.contains("Reply") && page.contains("action=\"/comments/3\""), "{page}");
    assert_eq!(app.nobody().api().get("/users/nobody/comments").await.status, 404);
}

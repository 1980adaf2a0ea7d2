//! The versions of posts and comments: what is kept, who sees it, what can be restored.

use rocket::futures::future::join_all;
use rocket::http::Method::{Get, Post};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::internals::sql;
use crate::support::permission::{Permission, both};

pub fn permissions() -> Vec<Permission> {
    const OWN: [(u16, u16); 4] = [(303, 401), (403, 403), (200, 200), (200, 200)];
    vec![
        both(Get, "/posts/<id>/revisions", OWN).scope("posts:read"),
        both(Get, "/posts/<id>/revisions/<number>", OWN).scope("posts:read"),
        both(
            Post,
            "/posts/<id>/revisions/<number>/restore",
            [(303, 401), (403, 403), (303, 200), (303, 200)],
        )
        .scope("posts:write"),
        both(Get, "/comments/<id>/revisions", OWN).scope("posts:read"),
        both(Get, "/comments/<id>/revisions/<number>", OWN).scope("posts:read"),
    ]
}

fn numbers(list: &Value) -> Vec<i64> {
    list["items"].as_array().unwrap().iter().map(|v| v["number"].as_i64().unwrap()).collect()
}

#[rocket::async_test]
async fn each_version_is_kept_with_who_and_when() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    ann.api().post("/posts", json!({"title": "One", "content": "1", "tags": ["sea"]})).await;
    let list = ann.api().get("/posts/1/revisions").await.json();
    assert_eq!(numbers(&list), [1], "also when nothing was ever edited");
    assert_eq!(list["items"][0]["editor"]["username"], "ann");
    assert_eq!((&list["items"][0]["current"], &list["next"]), (&json!(true), &json!(null)));
    root.api().put("/posts/1", json!({"title": "Two", "tags": ["moon", "sea"]})).await;
    ann.api().put("/posts/1", json!({"content": "3"})).await;
    ann.api().put("/posts/1", json!({"content": "3"})).await;
    let list = ann.api().get("/posts/1/revisions").await.json();
    assert_eq!(numbers(&list), [3, 2, 1], "what changes nothing is no version");
    let editors: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|v| v["editor"]["username"].clone()).collect();
    assert_eq!(editors, ["ann", "root", "ann"]);
    assert_eq!(list["post"], json!({"id": 1, "title": "Two", "path": "/posts/1/two"}));
    for (number, title, content, tags) in [
        (1, "One", "1", json!(["sea"])),
        (2, "Two", "1", json!(["moon", "sea"])),
        (3, "Two", "3", json!(["moon", "sea"])),
    ] {
        let one = root.api().get(&format!("/posts/1/revisions/{number}")).await.json();
        assert_eq!((&one["title"], &one["content"]), (&json!(title), &json!(content)));
        assert_eq!((&one["tags"], &one["current"]), (&tags, &json!(number == 3)));
    }
    // One a page, in both directions.
    let first = ann.api().get("/posts/1/revisions?limit=1").await.json();
    let next = format!("/posts/1/revisions?limit=1&before={}", first["next"].as_str().unwrap());
    let second = ann.api().get(&next).await.json();
    let back = second["previous"].as_str().unwrap();
    let back = ann.api().get(&format!("/posts/1/revisions?limit=1&after={back}")).await.json();
    assert_eq!((numbers(&second), numbers(&back)), (vec![2], vec![3]));
    for missing in ["/posts/1/revisions/4", "/posts/1/revisions/0", "/posts/9/revisions"] {
        assert_eq!(ann.api().get(missing).await.status, 404, "{missing}");
        assert_eq!(ann.page().get(missing).await.status, 404, "{missing}");
    }
    assert_eq!(ann.page().get("/posts/1/revisions/2?compare=x").await.status, 404);
}

#[rocket::async_test]
async fn a_browser_looks_back_compares_and_restores() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post =
        json!({"title": "Tides", "content": "The sea comes *twice* a day.", "tags": ["sea"]});
    ann.api().post("/posts", post).await;
    let form = [
        ("title", "Ebb"),
        ("content", "The sea comes *once* a day."),
        ("tags", ""),
        ("version", "1"),
    ];
    assert_eq!(ann.page().put("/posts/1", &form).await.status, 303);
    for page in ["/posts/1", "/posts/1/edit"] {
        let page = ann.page().get(page).await.body;
        assert!(page.contains("href=\"/posts/1/revisions\""), "{page}");
    }
    let page = ann.page().get("/posts/1/revisions").await.body;
    assert!(page.contains("Version 2</a> <span class=\"badge strong\">current"), "{page}");
    let old = ann.page().get("/posts/1/revisions/1").await.body;
    assert!(old.contains("<em>twice</em>") && old.contains("Restore version 1"), "{old}");
    let changes = ann.page().get("/posts/1/revisions/2?compare=").await.body;
    for part in ["*<del>twice</del>*", "*<ins>once</ins>*", "<del>Tides</del>", "<ins>Ebb</ins>"] {
        assert!(changes.contains(part), "{part}: {changes}");
    }
    assert!(!changes.contains("Restore version"), "it is the current one");
    let reverse = ann.page().get("/posts/1/revisions/1?compare=2").await.body;
    assert!(reverse.contains("<del>once</del>") && reverse.contains("<ins>sea</ins>"), "{reverse}");
    let restore = "/posts/1/revisions/1/restore";
    let stale = ann.page().post(restore, &[("version", "1")]).await;
    assert_eq!(stale.status, 409);
    let restored = ann.page().post(restore, &[("version", "2")]).await;
    assert_eq!((restored.status, restored.header("location")), (303, Some("/posts/1/tides")));
    assert_eq!(restored.cookie("postly_flash").as_deref(), Some("post-restored"));
    let post = ann.api().get("/posts/1").await.json();
    assert_eq!((&post["version"], &post["title"]), (&json!(3), &json!("Tides")));
    assert_eq!(
        (&post["content"], &post["tags"]),
        (&json!("The sea comes *twice* a day."), &json!(["sea"]))
    );
}

/// What was saved before there were revisions, or by an instance that keeps none.
#[rocket::async_test]
async fn what_was_not_kept_is_kept_before_it_is_replaced() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.api().post("/posts", json!({"title": "Old", "content": "1"})).await;
    let older = "UPDATE posts SET content = 'By an older version', version = 5, \
        updated_at = created_at WHERE id = 1";
    sql(older).execute(app.db.writer()).await.unwrap();
    let list = ann.api().get("/posts/1/revisions").await.json();
    assert_eq!((numbers(&list), &list["items"][0]["editor"]), (vec![5], &json!(null)));
    ann.api().put("/posts/1", json!({"content": "New"})).await;
    assert_eq!(numbers(&ann.api().get("/posts/1/revisions").await.json()), [6, 5]);
    let old = ann.api().get("/posts/1/revisions/5").await.json();
    assert_eq!((&old["content"], &old["editor"]), (&json!("By an older version"), &json!(null)));
}

#[rocket::async_test]
async fn parallel_edits_are_all_kept() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    let api = ann.api();
    let edits = (0..16).map(|i| api.put("/posts/1", json!({"content": format!("Text {i}")})));
    assert!(join_all(edits).await.iter().all(|answer| answer.status == 200));
    let list = ann.api().get("/posts/1/revisions?limit=100").await.json();
    assert_eq!(numbers(&list), (1..=17).rev().collect::<Vec<_>>());
    let texts: i64 = sql("SELECT count(DISTINCT content) FROM post_revisions WHERE number > 1")
        .scalar(&app.db)
        .await
        .unwrap();
    assert_eq!(texts, 16, "each once");
}

#[rocket::async_test]
async fn the_newest_five_hundred_are_kept() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    ann.api().put("/posts/1", json!({"content": "2"})).await;
    let many = "INSERT INTO post_revisions (post_id, number, title, content, tags, written_at) \
        WITH RECURSIVE n (n) AS (SELECT CAST(3 AS BIGINT) UNION ALL SELECT n + 1 FROM n WHERE n < 600) \
        SELECT p.id, n, 'x', 'x', '', p.created_at FROM n, posts p";
    sql(many).execute(app.db.writer()).await.unwrap();
    sql("UPDATE posts SET version = 600").execute(app.db.writer()).await.unwrap();
    ann.api().put("/posts/1", json!({"content": "601"})).await;
    let (count, first): (i64, i64) =
        sql("SELECT count(*), min(number) FROM post_revisions").one(&app.db).await.unwrap();
    assert_eq!((count, first), (500, 102));
}

/// An old text is seen by its author and admins alone, and goes with its post.
#[rocket::async_test]
async fn nobody_else_sees_what_was_said_before() {
    let app = App::new().await;
    let (ann, bob, root) = (app.user("ann").await, app.user("bob").await, app.admin("root").await);
    ann.api()
        .post("/posts", json!({"title": "Hushed", "content": "hushed", "tags": ["hushed"]}))
        .await;
    let open = json!({"title": "Open", "content": "open", "tags": []});
    ann.api().put("/posts/1", open).await;
    bob.api().post("/posts/1/comments", json!({"content": "hushed"})).await;
    bob.api().put("/comments/1", json!({"content": "open"})).await;
    let public = [
        "/",
        "/posts/1",
        "/posts/1/comments",
        "/comments/1",
        "/users/ann",
        "/users/bob",
        "/users/bob/comments",
        "/tags",
        "/tags/hushed",
        "/search?q=hushed",
        "/search?q=hushed&type=comments",
        "/feed.atom",
        "/posts/1/comments.atom",
        "/posts/1/votes",
        "/sitemap.xml",
        "/posts/1/revisions",
        "/posts/1/revisions/1",
        "/posts/1/revisions/2?compare=1",
        "/comments/1/revisions",
        "/comments/1/revisions/1",
        "/comments/1/revisions/2?compare=",
    ];
    let (nobody, eve) = (app.nobody(), app.user("eve").await);
    for person in [&nobody, &eve] {
        for path in public {
            for answer in [person.page().get(path).await, person.api().get(path).await] {
                // Its name remains a tag without posts, and a query is shown again.
                let body = answer.body.replace("q=hushed", "").replace("value=\"hushed\"", "");
                let is_named = path.contains("/tags") || path.contains("/search");
                assert!(is_named || !body.contains("ushed"), "{path}: {body}");
            }
        }
    }
    for (person, path, status) in [
        (&bob, "/posts/1/revisions/1", 403),
        (&ann, "/comments/1/revisions/1", 403),
        (&bob, "/comments/1/revisions/1", 200),
        (&root, "/comments/1/revisions/1", 200),
        (&root, "/posts/1/revisions/1", 200),
    ] {
        assert_eq!(person.page().get(path).await.status, status, "{path}");
        let answer = person.api().get(path).await;
        assert_eq!((answer.status, answer.body.contains("hushed")), (status, status == 200));
    }
    // The mark of an edit leads there, for those who may.
    let link = "href=\"/comments/1/revisions\"";
    assert!(bob.page().get("/comments/1").await.body.contains(link));
    assert!(!ann.page().get("/comments/1").await.body.contains(link));
    let changes = bob.page().get("/comments/1/revisions/2?compare=").await.body;
    assert!(
        changes.contains("<del>hushed</del>") && changes.contains("<ins>open</ins>"),
        "{changes}"
    );

    ann.api().delete("/posts/1").await;
    let left = async |table: &str| -> i64 {
        let text = format!("SELECT count(*) FROM {table}");
        sql(String::leak(text)).scalar(&app.db).await.unwrap()
    };
    assert_eq!((left("post_revisions").await, left("comment_revisions").await), (0, 0));
    // With an account go its posts, and its name from what it edited.
    let id = ann.posts("Again").await;
    root.api().put(&format!("/posts/{id}"), json!({"content": "By root"})).await;
    let other = bob.posts("Bob's").await;
    bob.api().put(&format!("/posts/{other}"), json!({"content": "hushed"})).await;
    let second = app.admin("second").await;
    assert_eq!(second.api().delete("/admin/users/root").await.status, 204);
    let list = ann.api().get(&format!("/posts/{id}/revisions")).await.json();
    assert_eq!((numbers(&list), &list["items"][0]["editor"]), (vec![2, 1], &json!(null)));
    assert_eq!(second.api().delete("/admin/users/bob").await.status, 204);
    assert_eq!(left("post_revisions").await, 2);
}

#[rocket::async_test]
async fn the_versions_of_a_comment_are_listed_and_deleted_with_it() {
    let app = App::new().await;
    let bob = app.user("bob").await;
    let post = bob.posts("Tides").await;
    bob.api().post(&format!("/posts/{post}/comments"), json!({"content": "One"})).await;
    for content in ["Two", "Three"] {
        bob.api().put("/comments/1", json!({"content": content})).await;
    }
    let list = bob.api().get("/comments/1/revisions").await.json();
    assert_eq!(numbers(&list), [3, 2, 1]);
    assert_eq!(list["items"][2]["content"], "One");
    let first = bob.api().get("/comments/1/revisions?limit=1").await.json();
    let next = format!("/comments/1/revisions?limit=1&before={}", first["next"].as_str().unwrap());
    let second = bob.api().get(&next).await.json();
    let back = second["previous"].as_str().unwrap();
    let back = bob.api().get(&format!("/comments/1/revisions?limit=1&after={back}")).await.json();
    assert_eq!((numbers(&second), numbers(&back)), (vec![2], vec![3]));
    assert!(bob.page().get("/comments/1/revisions").await.body.contains("Version 1</a>"));
    let page = bob.page().get("/comments/1/revisions/3?compare=1").await.body;
    assert!(page.contains("<del>One</del>") && page.contains("<ins>Three</ins>"), "{page}");
    bob.api()
        .post(&format!("/posts/{post}/comments"), json!({"content": "Reply", "parent_id": 1}))
        .await;
    bob.api().delete("/comments/1").await;
    assert_eq!(bob.api().get("/comments/1/revisions").await.status, 404);
}

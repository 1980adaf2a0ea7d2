//! What is being written for the next version of a post: it is its author's, and is kept until it is saved.

use serde_json::{Value, json};

use super::drafts::{later, seen, write};
use crate::support::internals::{self, HANDLERS, run_due, sql};
use crate::support::{App, Person};

#[rocket::async_test]
async fn what_is_written_for_the_next_version_is_kept_for_its_author_alone() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let post =
        write(&ann, json!({"title": "Tides", "content": "Twice a day.", "tags": ["sea"]})).await;
    let typed = json!({"title": "", "content": "Hush-hush: three times?\r\n", "tags": "sea, !?", "version": 1});
    let kept = ann.api().put("/posts/1/draft", typed).await;
    assert_eq!(kept.status, 200, "{}", kept.body);
    let draft = kept.json();
    assert_eq!(
        (&draft["content"], &draft["tags"], &draft["version"]),
        (&json!("Hush-hush: three times?\n"), &json!("sea, !?"), &json!(1))
    );
    assert_eq!(ann.api().get("/posts/1/draft").await.json(), draft);
    assert_eq!(ann.api().get("/posts/1").await.json(), post, "the post is as it was");
    assert_eq!(ann.api().get("/dashboard").await.json()["with_draft"], json!([1]));
    let nothing: [&str; 0] = [];
    for person in [&app.nobody(), &bob, &root] {
        assert_eq!(seen(person, 1).await, nothing, "{}", person.name);
        assert!(!person.page().get("/posts/1/edit").await.body.contains("Hush"), "{}", person.name);
    }
    let edit = ann.page().get("/posts/1/edit").await.body;
    assert!(edit.contains("three times?") && edit.contains("value=\"sea, !?\""), "{edit}");
    assert!(edit.contains("Discard these changes"), "{edit}");
    assert!(ann.page().get("/posts/1/draft").await.body.contains("three times?"));
    assert!(ann.page().get("/dashboard").await.body.contains("changes not published"));

    // What an admin saves meanwhile is noticed when the author saves.
    assert_eq!(root.api().put("/posts/1", json!({"content": "Moderated."})).await.status, 200);
    assert_eq!(ann.api().get("/posts/1/draft").await.json(), draft);
    let edit = ann.page().get("/posts/1/edit").await.body;
    assert!(edit.contains("name=\"version\" value=\"1\""), "{edit}");
    let form = [("title", "Tides"), ("content", "Three times?"), ("tags", "sea"), ("version", "1")];
    let stale = ann.page().put("/posts/1", &form).await;
    assert_eq!(stale.status, 409);
    assert!(stale.body.contains("Three times?"));
    assert_eq!(ann.api().get("/posts/1/draft").await.json(), draft, "nothing is thrown away");
    let form = [("title", "Tides"), ("content", "Three times?"), ("tags", "sea"), ("version", "2")];
    assert_eq!(ann.page().put("/posts/1", &form).await.status, 303);
    assert_eq!(ann.api().get("/posts/1/draft").await.status, 404, "it has been saved");
}

#[rocket::async_test]
async fn a_browser_keeps_the_next_version_and_discards_it() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    write(&ann, json!({"title": "Tides", "content": "Twice a day."})).await;
    let form = [
        ("title", "Tides"),
        ("content", "Unfinished"),
        ("summary", ""),
        ("tags", ""),
        ("version", "1"),
    ];
    let kept = ann.page().put("/posts/1/draft", &form).await;
    assert_eq!((kept.status, kept.header("location")), (303, Some("/posts/1/draft")));
    assert!(ann.page().get("/posts/1/edit").await.body.contains("Unfinished"));
    let discarded = ann.page().delete("/posts/1/draft", &[("next", "/posts/1/edit")]).await;
    assert_eq!((discarded.status, discarded.header("location")), (303, Some("/posts/1/edit")));
    assert_eq!(ann.page().get("/posts/1/draft").await.status, 404);
    assert!(!ann.page().get("/posts/1/edit").await.body.contains("Unfinished"));
    // Whoever takes every change back, and saves, is done.
    assert_eq!(ann.page().put("/posts/1/draft", &form).await.status, 303);
    let same = [("title", "Tides"), ("content", "Twice a day."), ("version", "1")];
    assert_eq!(ann.page().put("/posts/1", &same).await.status, 303);
    assert_eq!(ann.page().get("/posts/1/draft").await.status, 404);
    let long = "x".repeat(256);
    for (form, field) in [
        (vec![("title", ""), ("content", " ")], "content"),
        (vec![("title", long.as_str()), ("content", "Kept")], "title"),
    ] {
        let refused = ann.page().put("/posts/1/draft", &form).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains(&format!("href=\"#{field}\"")), "{}", refused.body);
    }
    // A draft has a next version, too, and goes with its post.
    write(&ann, json!({"title": "Ebb", "state": "draft"})).await;
    assert_eq!(ann.api().put("/posts/2/draft", json!({"title": "Ebb again"})).await.status, 200);
    assert_eq!(ann.api().get("/drafts").await.json()["with_draft"], json!([2]));
    assert_eq!(ann.api().delete("/posts/2").await.status, 204);
    assert_eq!(ann.api().put("/posts/2/draft", json!({"title": "x"})).await.status, 404);
}

/// The text and the version of what ann is writing, which goes on from the present version of post 1.
async fn kept(ann: &Person<'_>) -> Value {
    let draft = ann.api().get("/posts/1/draft").await.json();
    let post = ann.api().get("/posts/1").await.json();
    assert_eq!(draft["version"], post["version"], "nobody else has saved the post");
    draft["content"].clone()
}

#[rocket::async_test]
async fn publishing_a_post_or_taking_it_back_throws_nothing_away() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    write(&ann, json!({"title": "Tides", "content": "Twice a day.", "state": "draft"})).await;
    let typed = json!({"title": "Tides", "content": "Three times?"});
    assert_eq!(ann.api().put("/posts/1/draft", typed).await.status, 200);
    let path = "/posts/1/publication";
    // The second time, there is nothing to change.
    for _ in 0..2 {
        assert_eq!(ann.api().put(path, json!({})).await.json()["state"], "published");
        assert_eq!(kept(&ann).await, "Three times?");
    }
    assert_eq!(ann.page().delete(path, &[]).await.status, 303);
    assert_eq!(kept(&ann).await, "Three times?");
    assert_eq!(ann.page().put(path, &[]).await.status, 303);
    assert_eq!(kept(&ann).await, "Three times?");
    assert_eq!(ann.api().delete(path).await.json()["content"], "Twice a day.");

    // Published by its schedule, it stays what its author goes on with.
    let planned = ann.api().put(path, json!({"published_at": later(100)})).await.json();
    assert_eq!(planned["state"], "scheduled");
    for statement in [
        "UPDATE posts SET publish_at = created_at WHERE id = 1",
        "UPDATE jobs SET run_at = created_at WHERE kind = 'scheduled-posts'",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    run_due(&internals::worker(app.site(), folder.path()), HANDLERS).await.unwrap();
    let published = app.nobody().api().get("/posts/1").await.json();
    assert_eq!(published["content"], "Twice a day.");
    assert_eq!(kept(&ann).await, "Three times?");
    let version = published["version"].to_string();
    let edit = ann.page().get("/posts/1/edit").await.body;
    assert!(edit.contains(&format!("name=\"version\" value=\"{version}\"")), "{edit}");
    let form = [("title", "Tides"), ("content", "Three times?"), ("version", version.as_str())];
    assert_eq!(ann.page().put("/posts/1", &form).await.status, 303, "nothing to merge");
    assert_eq!(ann.api().get("/posts/1/draft").await.status, 404, "it has been saved");
}

#[rocket::async_test]
async fn what_the_post_says_already_is_not_kept() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    let same = json!({
        "title": " High  tides",
        "content": "Twice a day.\r\n\r\nAt noon.",
        "summary": "Why they come. ",
        "tags": ["Sea", "high tide"],
    });
    for (id, state) in [(1, "published"), (2, "draft")] {
        let path = format!("/posts/{id}/draft");
        let post = json!({"title": "High tides", "content": "Twice a day.\n\nAt noon.", "state": state,
            "summary": "Why they come.", "tags": ["sea", "high-tide"]});
        write(&ann, post).await;
        for number in 0..2 {
            // At first, nothing is kept; then, something else.
            let told = ann.api().put(&path, same.clone()).await;
            assert_eq!((told.status, told.body.as_str()), (204, ""), "{number}");
            assert_eq!(ann.api().get(&path).await.status, 404);
            for list in ["/dashboard", "/drafts"] {
                assert_eq!(ann.api().get(list).await.json()["with_draft"], json!([]), "{list}");
            }
            let mut other = same.clone();
            other["content"] = json!("Twice a day.");
            assert_eq!(ann.api().put(&path, other).await.status, 200);
        }
        let form = [
            ("title", "High tides"),
            ("content", "Twice a day.\r\n\r\nAt noon."),
            ("summary", "Why they come."),
            ("tags", "sea, high-tide"),
            ("version", "1"),
        ];
        let told = ann.page().put(&path, &form).await;
        let edit = format!("/posts/{id}/edit");
        assert_eq!((told.status, told.header("location")), (303, Some(edit.as_str())));
        assert_eq!(told.cookie("postly_flash").as_deref(), Some("next-version-same"));
        assert!(!ann.page().get(&edit).await.body.contains("Discard these changes"));
        for list in ["/dashboard", "/drafts"] {
            let body = ann.page().get(list).await.body;
            assert!(!body.contains("changes not"), "{list}: {body}");
        }
        // Each of these would change the post.
        for (field, value) in [
            ("title", json!("High tide")),
            ("title", json!("High \u{202e}tides")),
            ("content", json!("Twice a day.\n\nAt noon.\n")),
            ("summary", json!("")),
            ("tags", json!("high tide, sea")),
            ("tags", json!("sea, high tide, !?")),
        ] {
            let mut other = same.clone();
            other[field] = value;
            assert_eq!(ann.api().put(&path, other).await.status, 200, "{field}");
        }
        assert_eq!(ann.api().delete(&path).await.status, 204);
    }
    // What an admin saves may be what its author was about to.
    let mut next = same.clone();
    next["content"] = json!("Three times?");
    assert_eq!(ann.api().put("/posts/1/draft", next).await.status, 200);
    let change = async |content: &str| {
        let edited = root.api().put("/posts/1", json!({"content": content})).await;
        assert_eq!(edited.status, 200, "{}", edited.body);
        ann.api().get("/posts/1/draft").await.status
    };
    assert_eq!(change("Four times.").await, 200);
    assert_eq!(change("Three times?").await, 404);
}

#[rocket::async_test]
async fn what_is_not_kept_counts_as_well() {
    let app = App::with(&[("limits", "drafts=2/h")]).await;
    let ann = app.user("ann").await;
    write(&ann, json!({"title": "Tides", "content": "Twice a day."})).await;
    let same = json!({"title": "Tides", "content": "Twice a day."});
    for status in [204, 204, 429] {
        assert_eq!(ann.api().put("/posts/1/draft", same.clone()).await.status, status);
    }
}

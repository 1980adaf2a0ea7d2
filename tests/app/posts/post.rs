//! One post: writing, reading, editing, deleting.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Patch, Post, Put};
use serde_json::{Value, json};

use crate::support::internals::sql;
use crate::support::permission::{MEMBERS, Permission, both, page_only};
use crate::support::{App, Person};

const DRAFT: &[(&str, &str)] = &[("title", "Changed"), ("content", "Changed")];

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/posts/<id>", [(308, 200); 4]).scope("posts:read"),
        // The matrix asks for another slug.
        page_only(Get, "/posts/<id>/<slug>", [308; 4]),
        page_only(Get, "/posts/new", [303, 200, 200, 200]),
        page_only(Get, "/posts/<id>/edit", [303, 403, 200, 200]),
        both(Post, "/posts", [(303, 401), (303, 201), (303, 201), (303, 201)])
            .scope("posts:write")
            .with(DRAFT),
        both(Put, "/posts/<id>", [(303, 401), (403, 403), (303, 200), (303, 200)])
            .scope("posts:write")
            .with(DRAFT),
        both(Patch, "/posts/<id>", [(303, 401), (403, 403), (303, 200), (303, 200)])
            .scope("posts:write")
            .with(DRAFT),
        both(Delete, "/posts/<id>", [(303, 401), (403, 403), (303, 204), (303, 204)])
            .scope("posts:write"),
        both(Post, "/posts/preview", MEMBERS).scope("posts:write").with(DRAFT),
        both(Put, "/posts/<id>/preview", [(303, 401), (403, 403), (200, 200), (200, 200)])
            .scope("posts:write")
            .with(DRAFT),
    ]
}

#[rocket::async_test]
async fn a_post_is_written_read_edited_and_deleted_by_a_program() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let created =
        ann.api().post("/posts", json!({"title": " Tides ", "content": "Twice *daily*"})).await;
    assert_eq!((created.status, created.header("location")), (201, Some("/api/v1/posts/1")));
    let post = created.json();
    assert_eq!(post["title"], "Tides");
    assert_eq!(post["content_html"], "<p>Twice <em>daily</em></p>\n");
    assert_eq!(post["author"], json!({"id": ann.id, "username": "ann"}));
    assert_eq!(post["updated_at"], Value::Null);
    assert_eq!(app.nobody().api().get("/posts/1").await.json(), post);

    let edited = ann.api().put("/posts/1", json!({"title": "Ebb"})).await;
    assert_eq!(edited.status, 200);
    let post = edited.json();
    assert_eq!(
        (post["title"].as_str(), post["content"].as_str()),
        (Some("Ebb"), Some("Twice *daily*"))
    );
    assert!(post["updated_at"].is_string());
    assert_eq!(ann.api().delete("/posts/1").await.status, 204);
    assert_eq!(app.nobody().api().get("/posts/1").await.status, 404);
    assert_eq!(ann.api().delete("/posts/1").await.status, 404);
}

#[rocket::async_test]
async fn a_post_is_written_read_edited_and_deleted_by_a_browser() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    assert!(ann.page().get("/posts/new").await.body.contains("<form"));
    let form = [("title", "Tides"), ("content", "Twice\r\n*daily*")];
    let created = ann.page().post("/posts", &form).await;
    assert_eq!((created.status, created.header("location")), (303, Some("/posts/1/tides")));
    assert_eq!(created.cookie("postly_flash").as_deref(), Some("post-created"));
    let shown = app.nobody().page().get("/posts/1").await;
    assert!(shown.body.contains(">Tides</h1>") && shown.body.contains("<em>daily</em>"));
    assert!(!shown.body.contains("/posts/1/edit"), "strangers see no edit link");

    let edit = ann.page().get("/posts/1/edit").await;
    assert!(edit.body.contains("name=\"version\" value=\"1\""));
    let form = [("title", "Ebb"), ("content", "Once"), ("version", "1")];
    let saved = ann.page().put("/posts/1", &form).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some("/posts/1/ebb")));
    let shown = ann.page().get("/posts/1").await;
    assert!(shown.body.contains("Ebb") && shown.body.contains("edited"));
    let gone = ann.page().delete("/posts/1", &[]).await;
    assert_eq!((gone.status, gone.header("location")), (303, Some("/")));
    assert_eq!(ann.page().get("/posts/1").await.status, 404);
}

#[rocket::async_test]
async fn empty_and_endless_fields_are_complaints_and_nothing_typed_is_lost() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for (draft, fields) in [
        (json!({}), vec!["title", "content"]),
        (json!({"title": "  ", "content": "\n"}), vec!["title", "content"]),
        (json!({"title": "x".repeat(256), "content": "y"}), vec!["title"]),
        (json!({"title": "x", "content": "y".repeat(100_001)}), vec!["content"]),
        (json!({"title": 5, "content": "y"}), vec!["title"]),
        (json!({"title": "nul\u{0}", "content": "y"}), vec!["title"]),
    ] {
        let refused = ann.api().post("/posts", draft).await;
        assert_eq!(
            (refused.status, refused.field_errors()),
            (422, fields.iter().map(|f| f.to_string()).collect())
        );
    }
    let whole = json!({"title": "é".repeat(255), "content": "é".repeat(100_000)});
    assert_eq!(ann.api().post("/posts", whole).await.status, 201);
    let id = ann.posts("Kept").await;
    let path = format!("/posts/{id}");
    assert_eq!(ann.api().put(&path, json!({"title": ""})).await.field_errors(), ["title"]);
    let page = ann.page().put(&path, &[("title", ""), ("content", "typed <text>")]).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("typed &lt;text&gt;"), "{}", page.body);
    assert_eq!(ann.api().get(&path).await.json()["title"], "Kept");
    let page = ann.page().post("/posts", &[("title", "Only a title"), ("content", "")]).await;
    assert_eq!(page.status, 422);
    assert!(
        page.body.contains("value=\"Only a title\"") && page.body.contains("id=\"content-error\"")
    );
}

#[rocket::async_test]
async fn only_the_author_and_admins_change_a_post() {
    let app = App::new().await;
    let (ann, bob, root) = (app.user("ann").await, app.user("bob").await, app.admin("root").await);
    let id = ann.posts("Mine").await;
    let path = format!("/posts/{id}");
    let draft = || json!({"title": "Stolen"});
    assert_eq!(bob.api().put(&path, draft()).await.status, 403);
    assert_eq!(bob.api().delete(&path).await.status, 403);
    assert_eq!(bob.page().get(&format!("{path}/edit")).await.status, 403);
    assert_eq!(bob.page().put(&path, &[("title", "Stolen")]).await.status, 403);
    assert_eq!(bob.page().delete(&path, &[]).await.status, 403);
    assert_eq!(app.nobody().api().put(&path, draft()).await.status, 401);
    assert_eq!(app.nobody().page().put(&path, &[("title", "x")]).await.status, 307);
    assert_eq!(bob.api().put("/posts/999", draft()).await.status, 404);
    assert_eq!(app.nobody().api().get(&path).await.json()["title"], "Mine");
    assert_eq!(root.api().put(&path, json!({"title": "Moderated"})).await.status, 200);
    assert_eq!(root.page().delete(&path, &[]).await.status, 303);
}

#[rocket::async_test]
async fn a_stale_edit_is_refused_and_keeps_its_text() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}", ann.posts("First").await);
    let tag = ann.api().get(&path).await.header("etag").unwrap().to_owned();
    let put = async |tag: &str, title: &str| {
        let person: &Person<'_> = &ann;
        person.api().send(Put, &path, Some(json!({"title": title})), &[("If-Match", tag)]).await
    };
    assert_eq!(put(&tag, "Second").await.status, 200);
    assert_eq!(put(&tag, "Third").await.status, 412);
    assert_eq!(put("\"nonsense\"", "Third").await.status, 412);
    assert_eq!(put("*", "Third").await.status, 200);
    let stale = ann
        .page()
        .put(&path, &[("title", "Mine"), ("content", "long work"), ("version", "1")])
        .await;
    assert_eq!(stale.status, 409);
    assert!(stale.body.contains("long work") && stale.body.contains("newer version"));
    assert!(stale.body.contains("name=\"version\" value=\"3\""), "saving again replaces it");
    let delete = ann.api().send(Delete, &path, None, &[("If-Match", tag.as_str())]).await;
    assert_eq!(delete.status, 412);
}

#[rocket::async_test]
async fn of_parallel_edits_of_one_version_one_wins() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}", ann.posts("First").await);
    let api = ann.api();
    let all = join_all(
        (0..32).map(|i| api.put(&path, json!({"title": format!("Edit {i}"), "version": 1}))),
    )
    .await;
    let count = |status| all.iter().filter(|response| response.status == status).count();
    assert_eq!((count(200), count(412)), (1, 31));

    let titles: Vec<String> = (0..16).map(|i| format!("Form {i}")).collect();
    let page = ann.page();
    let all = join_all(titles.iter().map(async |title| {
        let form = [("title", title.as_str()), ("content", "Text"), ("version", "2")];
        page.put(&path, &form).await
    }))
    .await;
    let count = |status| all.iter().filter(|response| response.status == status).count();
    assert_eq!((count(303), count(409)), (1, 15));
}

#[rocket::async_test]
async fn parallel_edits_that_name_no_version_are_all_saved() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}", ann.posts("First").await);
    let api = ann.api();
    let edits = (0..32).map(|i| match i % 2 {
        0 => json!({"title": format!("Title {i}")}),
        _ => json!({"content": format!("Text *{i}*")}),
    });
    let all = join_all(edits.map(|edit| api.put(&path, edit))).await;
    let statuses: Vec<u16> = all.iter().map(|response| response.status).collect();
    assert_eq!(statuses, [200; 32]);
    let post = api.get(&path).await.json();
    assert_eq!(post["version"], 33, "none is lost");
    let text = post["content"].as_str().unwrap().trim_start_matches("Text *").trim_end_matches('*');
    assert_eq!(post["content_html"], format!("<p>Text <em>{text}</em></p>\n"), "HTML of its text");
    assert!(post["title"].as_str().unwrap().starts_with("Title "));
}

#[rocket::async_test]
async fn of_parallel_deletions_one_deletes_and_is_audited() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    let path = format!("/posts/{}", ann.posts("Mine").await);
    let tag = ann.api().get(&path).await.header("etag").unwrap().to_owned();
    let api = root.api();
    let headers = [("If-Match", tag.as_str())];
    let all = join_all((0..16).map(|_| api.send(Delete, &path, None, &headers))).await;
    let count = |status| all.iter().filter(|response| response.status == status).count();
    assert_eq!((count(204), count(404)), (1, 15));
    let events: i64 = sql("SELECT count(*) FROM audit_events WHERE kind = 'post.deleted'")
        .scalar(&app.db)
        .await
        .unwrap();
    assert_eq!(events, 1);
}

/// A deletion with `If-Match` never deletes an edit that its sender has not seen.
#[rocket::async_test]
async fn a_deletion_and_an_edit_of_one_version_do_not_both_happen() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let api = ann.api();
    for round in 0..20 {
        let path = format!("/posts/{}", ann.posts(&format!("Round {round}")).await);
        let tag = api.get(&path).await.header("etag").unwrap().to_owned();
        let headers = [("If-Match", tag.as_str())];
        let edit = Some(json!({"title": "Edited"}));
        let (edited, deleted) = rocket::tokio::join!(
            api.send(Put, &path, edit, &headers),
            api.send(Delete, &path, None, &headers)
        );
        let outcome = (edited.status, deleted.status);
        assert!(outcome == (200, 412) || outcome == (404, 204), "{outcome:?}");
    }
}

#[rocket::async_test]
async fn an_unchanged_post_is_not_sent_twice() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let bob = app.user("bob").await;
    let path = format!("/posts/{}", ann.posts("Tides").await);
    let tag = ann.api().get(&path).await.header("etag").unwrap().to_owned();
    let ask = async || ann.api().send(Get, &path, None, &[("If-None-Match", &tag)]).await;
    let same = ask().await;
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    bob.api().put(&format!("{path}/vote"), json!({})).await;
    assert_eq!(ask().await.status, 200, "a vote changes the representation");
}

#[rocket::async_test]
async fn a_preview_renders_and_keeps_nothing() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let preview = ann.api().post("/posts/preview", json!({"content": "**b** <script>"})).await;
    assert_eq!(preview.status, 200);
    assert_eq!(preview.json()["content_html"], "<p><strong>b</strong> &lt;script&gt;</p>\n");
    let page = ann.page().post("/posts/preview", &[("title", "T"), ("content", "**b**")]).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("<strong>b</strong>") && page.body.contains("value=\"T\""));
    let id = ann.posts("Kept").await;
    let form = [("title", "T"), ("content", "*c*"), ("version", "1")];
    let page = ann.page().put(&format!("/posts/{id}/preview"), &form).await;
    assert!(
        page.body.contains("<em>c</em>") && page.body.contains(&format!("action=\"/posts/{id}\""))
    );
    let (posts,): (i64,) = sql("SELECT count(*) FROM posts").one(&app.db).await.unwrap();
    assert_eq!(posts, 1);
}

#[rocket::async_test]
async fn a_newer_renderer_renders_old_posts_anew() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}", ann.posts("Tides").await);
    sql("UPDATE posts SET rendering = 0, content_html = 'old', excerpt = 'old', reading_minutes = 9")
        .execute(app.db.writer())
        .await
        .unwrap();
    let post = ann.api().get(&path).await.json();
    assert_eq!(post["content_html"], "<p>About <em>Tides</em>.</p>\n");
    assert_eq!((&post["excerpt"], &post["reading_minutes"]), (&json!("About Tides."), &json!(1)));
}

#[rocket::async_test]
async fn posts_say_how_long_they_take_to_read() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let long = json!({"title": "Long", "content": "word ".repeat(700)});
    let created = ann.api().post("/posts", long).await.json();
    assert_eq!(created["reading_minutes"], 3);
    assert_eq!(app.nobody().api().get("/posts").await.json()["items"][0]["reading_minutes"], 3);
    for path in ["/", "/posts/1"] {
        assert!(app.nobody().page().get(path).await.body.contains("3 min read"), "{path}");
    }
    ann.api().put("/posts/1", json!({"title": "Longer"})).await;
    assert_eq!(ann.api().get("/posts/1").await.json()["reading_minutes"], 3);
    ann.api().put("/posts/1", json!({"content": "Short"})).await;
    assert_eq!(ann.api().get("/posts/1").await.json()["reading_minutes"], 1);
    assert!(app.nobody().page().get("/").await.body.contains("1 min read"));
}

#[rocket::async_test]
async fn titles_are_visible() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for title in ["\u{200b}", "\u{3164} \u{2800}", "a\u{202e}b", "\u{2067}a", "a\u{7}b"] {
        let refused = ann.api().post("/posts", json!({"title": title, "content": "x"})).await;
        assert_eq!(refused.json()["errors"][0]["code"], "title.invisible", "{title:?}");
        let form = [("title", title), ("content", "typed")];
        let page = ann.page().post("/posts", &form).await;
        assert!(page.status == 422 && page.body.contains("visible characters"), "{title:?}");
        let token = json!({"name": title, "scopes": ["posts:read"]});
        assert_eq!(ann.api().post("/me/tokens", token).await.status, 422, "{title:?}");
    }
    for title in ["क्\u{200d}ष", "👩\u{200d}💻", "שלום"] {
        let kept = ann.api().post("/posts", json!({"title": title, "content": "x"})).await;
        assert_eq!((kept.status, &kept.json()["title"]), (201, &json!(title)));
    }
}

/// Caches and search engines would keep others beside it.
#[rocket::async_test]
async fn a_post_has_one_address_at_each_door() {
    let app = App::new().await;
    app.user("ann").await.posts("Tides").await;
    for (id, status) in [("1", 200), ("01", 404), ("+1", 404), ("%2B1", 404), ("1%20", 404)] {
        for path in [format!("/posts/{id}"), format!("/posts/{id}/votes")] {
            assert_eq!(app.nobody().page().get(&path).await.status, status, "{path}");
            assert_eq!(app.nobody().api().get(&path).await.status, status, "{path}");
        }
    }
}

//! Drafts and visibility: who reads what.

use chrono::Duration;
use rocket::http::Method::{Delete, Get, Put};
use serde_json::{Value, json};

use crate::support::internals::now;
use crate::support::permission::{MEMBERS, Permission, both};
use crate::support::{App, Person, Response};

pub fn permissions() -> Vec<Permission> {
    const AUTHOR: [(u16, u16); 4] = [(303, 401), (403, 403), (303, 200), (403, 403)];
    vec![
        both(Get, "/drafts", MEMBERS).scope("account"),
        both(Put, "/posts/<id>/publication", AUTHOR)
            .with(&[("visibility", "unlisted")])
            .scope("posts:write"),
        both(Delete, "/posts/<id>/publication", AUTHOR).scope("posts:write"),
        both(Get, "/posts/<id>/draft", [(303, 401), (403, 403), (404, 404), (403, 403)])
            .scope("posts:write"),
        both(Put, "/posts/<id>/draft", AUTHOR)
            .with(&[("title", "Changed"), ("content", "Changed")])
            .scope("posts:write"),
        both(Delete, "/posts/<id>/draft", [(303, 401), (403, 403), (303, 204), (403, 403)])
            .scope("posts:write"),
    ]
}

pub async fn write(person: &Person<'_>, post: Value) -> Value {
    let created = person.api().post("/posts", post).await;
    assert_eq!(created.status, 201, "{}", created.body);
    created.json()
}

/// Noon, so many days from now.
pub fn later(days: i64) -> String {
    (now() + Duration::days(days)).format("%Y-%m-%dT12:00:00Z").to_string()
}

/// What is wrong, by field and rule.
fn codes(answer: &Response) -> Vec<String> {
    let errors = answer.json()["errors"].clone();
    let code = |error: &Value| error["code"].as_str().unwrap_or_default().to_owned();
    errors.as_array().unwrap().iter().map(code).collect()
}

/// Whether the post is in the feed, at both doors.
pub async fn is_listed(app: &App, title: &str) -> bool {
    let api = app.nobody().api().get("/posts").await.json();
    let listed = api["items"].as_array().unwrap().iter().any(|item| item["title"] == title);
    let page = app.nobody().page().get("/").await.body;
    assert_eq!(page.contains(title), listed, "both doors");
    listed
}

#[rocket::async_test]
async fn a_draft_is_written_published_and_taken_back_by_a_program() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let draft = write(&ann, json!({"title": "Tides", "state": "draft", "tags": ["sea"]})).await;
    assert_eq!(
        (&draft["state"], &draft["visibility"], &draft["published_at"], &draft["content"]),
        (&json!("draft"), &json!("public"), &Value::Null, &json!(""))
    );
    assert!(!is_listed(&app, "Tides").await);
    assert_eq!(ann.api().get("/drafts").await.json()["items"][0]["title"], "Tides");
    assert_eq!(ann.api().get("/dashboard").await.json()["drafts"], 1);

    let unfinished = ann.api().put("/posts/1/publication", json!({})).await;
    assert_eq!((unfinished.status, codes(&unfinished)), (422, vec!["content.required".into()]));
    let edited = ann.api().put("/posts/1", json!({"content": "Twice a day."})).await.json();
    assert_eq!((&edited["state"], &edited["version"]), (&json!("draft"), &json!(2)));
    let published = ann.api().put("/posts/1/publication", json!({})).await;
    assert_eq!(published.status, 200, "{}", published.body);
    let post = published.json();
    assert_eq!((&post["state"], &post["updated_at"]), (&json!("published"), &Value::Null));
    assert!(published.header("etag").is_some_and(|tag| tag.starts_with("\"3-")));
    assert!(is_listed(&app, "Tides").await);
    let again = ann.api().put("/posts/1/publication", json!({})).await.json();
    assert_eq!(again, post, "repeating it changes nothing");
    let tag = app.nobody().api().get("/tags").await.json();
    assert_eq!((&tag["items"][0]["name"], &tag["items"][0]["posts"]), (&json!("sea"), &json!(1)));

    let taken = ann.api().delete("/posts/1/publication").await;
    assert_eq!((taken.status, &taken.json()["state"]), (200, &json!("draft")));
    assert!(!is_listed(&app, "Tides").await);
    assert_eq!(app.nobody().api().get("/tags").await.json()["items"], json!([]));
    // Published again, it keeps its time: nobody gets to the top of the feed in this way.
    let back = ann.api().put("/posts/1/publication", json!({})).await.json();
    assert_eq!(back["published_at"], post["published_at"]);
    assert!(is_listed(&app, "Tides").await);
}

#[rocket::async_test]
async fn a_draft_is_written_published_and_taken_back_by_a_browser() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = [("title", ""), ("content", "Twice a day."), ("tags", ""), ("state", "draft")];
    let created = ann.page().post("/posts", &form).await;
    assert_eq!((created.status, created.header("location")), (303, Some("/posts/1/post")));
    assert_eq!(created.cookie("postly_flash").as_deref(), Some("draft-saved"));
    let page = ann.page().get("/posts/1").await.body;
    assert!(page.contains("Untitled") && page.contains("Only you can read it"), "{page}");
    assert!(page.contains("content=\"noindex\"") && !page.contains("application/ld+json"));
    assert!(!page.contains("id=\"comments\"") && !page.contains("publication"), "no title: {page}");
    assert!(ann.page().get("/drafts").await.body.contains("Untitled"));
    assert!(ann.page().get("/dashboard").await.body.contains("1 draft"));

    let edit = ann.page().get("/posts/1/edit").await.body;
    assert!(edit.contains("Save draft") && edit.contains("value=\"published\">Publish"), "{edit}");
    let form =
        [("title", ""), ("content", "Twice a day."), ("version", "1"), ("state", "published")];
    let refused = ann.page().put("/posts/1", &form).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Twice a day.") && refused.body.contains("href=\"#title\""));
    assert!(refused.body.contains("Save draft"), "it is still a draft");
    let form = [("title", "Tides"), ("content", "Twice a day."), ("version", "1")];
    let saved = ann.page().put("/posts/1", &form).await;
    assert_eq!(saved.cookie("postly_flash").as_deref(), Some("draft-saved"));
    assert!(!is_listed(&app, "Tides").await);
    assert!(ann.page().get("/posts/1").await.body.contains("action=\"/posts/1/publication\""));
    let published = ann.page().put("/posts/1/publication", &[("version", "2")]).await;
    assert_eq!(published.cookie("postly_flash").as_deref(), Some("post-created"));
    assert!(is_listed(&app, "Tides").await);
    let page = ann.page().get("/posts/1").await.body;
    assert!(page.contains("Unpublish") && page.contains("id=\"comments\""), "{page}");
    let taken = ann.page().delete("/posts/1/publication", &[]).await;
    assert_eq!(taken.cookie("postly_flash").as_deref(), Some("post-unpublished"));
    assert!(!is_listed(&app, "Tides").await);
}

#[rocket::async_test]
async fn there_are_no_empty_drafts() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for blank in
        [json!({"state": "draft"}), json!({"state": "draft", "title": " ", "content": "\n"})]
    {
        let refused = ann.api().post("/posts", blank).await;
        assert_eq!((refused.status, codes(&refused)), (422, vec!["content.required".into()]));
    }
    write(&ann, json!({"state": "draft", "title": "x"})).await;
    let emptied = ann.api().put("/posts/1", json!({"title": ""})).await;
    assert_eq!((emptied.status, codes(&emptied)), (422, vec!["content.required".into()]));
    let published = write(&ann, json!({"title": "y", "content": "y"})).await;
    let path = format!("/posts/{}", published["id"]);
    let emptied = ann.api().put(&path, json!({"title": ""})).await;
    assert_eq!(codes(&emptied), ["title.required"]);
}

#[rocket::async_test]
async fn what_is_wrong_is_said_field_by_field() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let long = "x".repeat(301);
    let wrong = json!({"title": "x", "content": "x", "summary": long});
    assert_eq!(codes(&ann.api().post("/posts", wrong).await), ["summary.too_long"]);
    for (field, value, code) in [
        ("state", "ready", "state.unknown"),
        ("state", "scheduled", "published_at.required"),
        ("visibility", "friends", "visibility.unknown"),
        ("published_at", "tomorrow", "published_at.malformed"),
        ("published_at", "1901-01-01T00:00:00Z", "published_at.out_of_range"),
        ("published_at", "9999-12-31T23:59:59Z", "published_at.out_of_range"),
        ("published_at", "+262142-12-31T23:59:59Z", "published_at.malformed"),
    ] {
        let mut post = json!({"title": "x", "content": "x"});
        post[field] = json!(value);
        let refused = ann.api().post("/posts", post).await;
        assert_eq!((refused.status, codes(&refused)), (422, vec![code.into()]), "{value}");
    }
    let form = [("title", "x"), ("content", "Kept"), ("published_at", "1901-01-01T00:00")];
    let refused = ann.page().post("/posts", &form).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("value=\"1901-01-01T00:00\"") && refused.body.contains("Kept"));
    assert!(refused.body.contains("<details class=\"options\" open"), "{}", refused.body);
}

/// Every address that can show a post, and some of its words; `<id>` is that of the post.
const READS: [&str; 39] = [
    "/",
    "/?sort=hot",
    "/?sort=top",
    "/?sort=top&period=week",
    "/?author=ann",
    "/?tag=hush",
    "/?q=secret",
    "/?author=ann&tag=hush&sort=hot",
    "/posts?include=content&limit=100",
    "/posts?updated_since=2020-01-01",
    "/posts/<id>",
    "/posts/<id>/quiet",
    "/posts/<id>/another",
    "/posts/<id>/votes",
    "/posts/<id>/comments",
    "/posts/<id>/comments/new",
    "/posts/<id>/edit",
    "/comments/1",
    "/comments/1/edit",
    "/tags",
    "/tags/hush",
    "/search?q=secret",
    "/search?q=secret&type=comments",
    "/users/ann",
    "/users/ann/posts",
    "/users/ann/comments",
    "/users/bob/comments",
    "/users/ann/feed.atom",
    "/tags/hush/feed.json",
    "/feed.rss",
    "/posts/<id>/comments.atom",
    "/sitemaps/1.xml",
    "/posts/<id>/draft",
    "/posts/<id>/shares",
    // Another part of the same series, which leads to those before and after it.
    "/posts/2/loud",
    "/series/1",
    "/series/1/posts",
    "/series/1/edit",
    "/users/ann/series",
];
/// Where those who know the address of an unlisted post find it.
const BY_ADDRESS: [&str; 8] = [
    "/posts/<id>",
    "/posts/<id>/quiet",
    "/posts/<id>/another",
    "/posts/<id>/votes",
    "/posts/<id>/comments",
    "/posts/<id>/comments/new",
    "/comments/1",
    "/posts/<id>/comments.atom",
];

/// The addresses at which this person reads something of the post, at either door.
pub async fn seen(person: &Person<'_>, id: i64) -> Vec<&'static str> {
    let mut seen = Vec::new();
    for read in READS {
        let path = read.replace("<id>", &id.to_string());
        let mut answers = vec![person.page().get_exactly(&path).await];
        if path != "/" {
            answers.push(person.api().get(&path).await);
        }
        assert!(answers.iter().all(|answer| answer.status < 500), "{path}");
        let tells =
            |body: &str| body.to_lowercase().contains("hush-hush") || body.contains("Whisper");
        let is_told = |answer: &Response| {
            tells(&answer.body)
                || answer.header("location").is_some_and(|to| to.contains("/quiet") || tells(to))
        };
        if answers.iter().any(is_told) {
            seen.push(read);
        }
    }
    seen
}

#[rocket::async_test]
async fn nobody_reads_what_is_not_for_them_at_any_address() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let post = json!({"title": "Hush-hush", "content": "A hush-hush secret", "tags": ["hush"], "slug": "quiet", "series": "Tales"});
    let id = write(&ann, post).await["id"].as_i64().unwrap();
    write(&ann, json!({"title": "Loud", "content": "x", "series": "Tales"})).await;
    // While it is public, it collects what might betray it later.
    let path = format!("/posts/{id}");
    bob.api().put(&format!("{path}/vote"), json!({})).await;
    let comment = json!({"content": "Whisper a secret"});
    assert_eq!(bob.api().post(&format!("{path}/comments"), comment).await.status, 201);
    for person in [&app.nobody(), &bob, &ann] {
        let found = seen(person, id).await;
        assert!(found.len() >= 23, "the test looks where something is: {found:?}");
    }
    let hide = async |change: Value| {
        let answer = ann.api().put(&path, change).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    };
    let nothing: [&str; 0] = [];
    for change in [
        json!({"state": "draft"}),
        json!({"state": "published", "published_at": later(100)}),
        json!({"state": "published", "published_at": "2026-01-01T00:00:00Z", "visibility": "private"}),
    ] {
        hide(change.clone()).await;
        for person in [&app.nobody(), &bob, &root] {
            assert_eq!(seen(person, id).await, nothing, "{change}");
        }
        assert!(seen(&ann, id).await.contains(&"/posts/<id>"), "{change}");
        let counts = app.nobody().api().get("/tags").await.json();
        assert_eq!(counts["items"], json!([]), "{change}");
        for (method, path) in [("PUT", format!("{path}/vote")), ("DELETE", path.clone())] {
            let answer = match method {
                "PUT" => bob.api().put(&path, json!({})).await,
                _ => bob.api().delete(&path).await,
            };
            assert_eq!(answer.status, 404, "{method} {path}");
        }
    }
    hide(json!({"visibility": "members"})).await;
    assert_eq!(seen(&app.nobody(), id).await, nothing);
    let members: Vec<&str> = seen(&bob, id).await;
    assert!(
        members.iter().all(|read| BY_ADDRESS.contains(read) || *read == "/comments/1/edit"),
        "{members:?}"
    );
    assert!(members.contains(&"/posts/<id>") && members.contains(&"/comments/1"), "{members:?}");
    hide(json!({"visibility": "unlisted"})).await;
    let anybody = seen(&app.nobody(), id).await;
    assert!(anybody.iter().all(|read| BY_ADDRESS.contains(read)), "{anybody:?}");
    assert!(anybody.contains(&"/posts/<id>") && anybody.contains(&"/posts/<id>/comments"));
    hide(json!({"visibility": "public"})).await;
    assert!(seen(&app.nobody(), id).await.len() >= 22);
}

#[rocket::async_test]
async fn the_words_of_the_author_stand_for_the_beginning_of_the_text() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = json!({"title": "Tides", "content": "Beginning of it.", "summary": " Why the  sea rises. "});
    assert_eq!(write(&ann, post).await["summary"], "Why the sea rises.");
    for path in ["/", "/posts/1", "/feed.atom", "/feed.rss", "/feed.json"] {
        let body = app.nobody().page().get(path).await.body;
        assert!(body.contains("Why the sea rises."), "{path}: {body}");
    }
    assert!(!app.nobody().page().get("/").await.body.contains("Beginning of it."));
    let cleared = ann.api().patch("/posts/1", json!({"summary": ""})).await.json();
    assert_eq!(cleared["summary"], "");
    assert!(app.nobody().page().get("/").await.body.contains("Beginning of it."));
}

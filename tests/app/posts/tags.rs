//! Tags: on posts, their list, their pages, and what admins do with them.

use rocket::futures::future::join_all;
use rocket::http::Method::{Get, Patch, Put};
use serde_json::{Value, json};

use crate::support::internals::{move_tagged_posts, sql};
use crate::support::permission::{ADMINS_CHANGE, PUBLIC, Permission, both, page_only};
use crate::support::{App, Person};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/tags", PUBLIC).scope("posts:read"),
        both(Get, "/tags/<tag>", PUBLIC).scope("posts:read"),
        page_only(Get, "/tags/<tag>/edit", [404, 404, 404, 200]),
        both(Put, "/tags/<tag>", ADMINS_CHANGE).with(&[("description", "Water.")]).scope("admin"),
        both(Patch, "/tags/<tag>", ADMINS_CHANGE).with(&[("description", "Water.")]).scope("admin"),
        both(Put, "/tags/<tag>/merge", ADMINS_CHANGE).with(&[("into", "ocean")]).scope("admin"),
    ]
}

async fn post(person: &Person<'_>, title: &str, tags: Value) -> i64 {
    let input = json!({"title": title, "content": "x", "tags": tags});
    let made = person.api().post("/posts", input).await;
    assert_eq!(made.status, 201, "{}", made.body);
    made.json()["id"].as_i64().unwrap()
}

async fn tags(app: &App, post: i64) -> Value {
    app.nobody().api().get(&format!("/posts/{post}")).await.json()["tags"].clone()
}

/// The names and numbers of all tags, as they are listed.
async fn listed(app: &App, query: &str) -> Vec<(String, i64)> {
    let list = app.nobody().api().get(&format!("/tags{query}")).await.json();
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|tag| (tag["name"].as_str().unwrap().to_owned(), tag["posts"].as_i64().unwrap()))
        .collect()
}

async fn titles(app: &App, query: &str) -> Vec<String> {
    let list = app.nobody().api().get(&format!("/posts{query}")).await.json();
    let items = list["items"].as_array().unwrap().iter();
    items.map(|post| post["title"].as_str().unwrap().to_owned()).collect()
}

fn pairs(expected: &[(&str, i64)]) -> Vec<(String, i64)> {
    expected.iter().map(|(name, posts)| ((*name).to_owned(), *posts)).collect()
}

#[rocket::async_test]
async fn posts_have_tags_in_one_spelling_and_keep_their_order() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = post(&ann, "Tides", json!(["Sea", "#SEA", "Ｐhysics", "low tide"])).await;
    assert_eq!(tags(&app, id).await, json!(["sea", "physics", "low-tide"]));
    // A text with commas, as forms have it; a field that is missing changes nothing.
    let path = format!("/posts/{id}");
    ann.api().patch(&path, json!({"title": "Low tides"})).await;
    assert_eq!(tags(&app, id).await, json!(["sea", "physics", "low-tide"]));
    let saved = ann.api().patch(&path, json!({"tags": "low_tide, sea"})).await.json();
    assert_eq!(saved["tags"], json!(["low-tide", "sea"]));
    assert_eq!(saved["version"], 3, "a change of tags is an edit");
    let same = ann.api().put(&path, json!({"tags": ["low-tide", "sea"]})).await.json();
    assert_eq!(same["version"], 3, "nothing has changed");
    assert_eq!(ann.api().put(&path, json!({"tags": []})).await.json()["tags"], json!([]));
    for (wrong, code) in [
        (json!(["a", "b", "c", "d", "e", "f"]), "tags.too_many"),
        (json!(["a/b"]), "tags.malformed"),
        (json!(["x".repeat(41)]), "tags.malformed"),
        (json!([1]), "tags.malformed"),
        (json!(null), "tags.malformed"),
        (json!({"a": 1}), "tags.malformed"),
        (json!("a,".repeat(1_000)), "tags.too_many"),
    ] {
        let refused = ann.api().put(&path, json!({"tags": wrong})).await;
        assert_eq!(refused.status, 422, "{wrong}: {}", refused.body);
        assert_eq!(refused.json()["errors"][0]["code"], code, "{wrong}");
    }
}

#[rocket::async_test]
async fn a_browser_types_tags_and_chooses_from_those_that_are_used_most() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    post(&ann, "First", json!(["sea"])).await;
    let form = ann.page().get("/posts/new").await.body;
    assert!(form.contains("type=\"checkbox\" name=\"tags\" value=\"sea\""), "{form}");
    let fields = [("title", "Second"), ("content", "x"), ("tags", "Tides, moon"), ("tags", "sea")];
    assert_eq!(ann.page().post("/posts", &fields).await.status, 303);
    assert_eq!(tags(&app, 2).await, json!(["tides", "moon", "sea"]));
    let edit = ann.page().get("/posts/2/edit").await.body;
    assert!(edit.contains("value=\"tides, moon, sea\""), "{edit}");
    // What is refused is shown again, with the boxes that were ticked.
    let fields = [("title", ""), ("content", "x"), ("tags", "a, b"), ("tags", "sea")];
    let refused = ann.page().post("/posts", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("value=\"a, b, sea\""), "{}", refused.body);
    // A preview shows the whole form, too.
    for path in ["/posts/preview", "/posts/2/preview"] {
        for (content, status) in [("*Low* water", 200), (&"x".repeat(100_001), 422)] {
            let fields = [("title", "Second"), ("content", content), ("tags", "tides")];
            let shown = match path {
                "/posts/preview" => ann.page().post(path, &fields).await,
                _ => ann.page().put(path, &fields).await,
            };
            assert_eq!(shown.status, status, "{path}: {}", shown.body);
            assert_eq!(shown.body.contains("<em>Low</em>"), status == 200, "{path}");
            let is_complete = shown.body.contains("name=\"tags\" value=\"sea\"");
            assert!(is_complete && shown.body.contains("value=\"tides\""), "{}", shown.body);
        }
    }
    let program = ann.api().post("/posts/preview", json!({"content": "*Low*"})).await.json();
    assert_eq!(program, json!({"content_html": "<p><em>Low</em></p>\n"}));
    let page = app.nobody().page().get("/posts/2").await.body;
    assert!(page.contains("<a rel=\"tag\" href=\"/tags/moon\">"), "{page}");
}

#[rocket::async_test]
async fn tags_are_counted_listed_and_found_by_their_beginning() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for (title, names) in [("A", ["sea", "moon"]), ("B", ["sea", "season"]), ("C", ["sea", "c++"])]
    {
        post(&ann, title, json!(names)).await;
    }
    let expected = pairs(&[("sea", 3), ("c++", 1), ("season", 1), ("moon", 1)]);
    assert_eq!(listed(&app, "").await, expected);
    assert_eq!(listed(&app, "?q=SEA").await, pairs(&[("sea", 3), ("season", 1)]));
    assert_eq!(listed(&app, "?q=x").await, []);
    assert_eq!(listed(&app, "?q=%2F").await, []);
    let long = format!("/tags?q={}", "a".repeat(101));
    assert_eq!(app.nobody().api().get(&long).await.status, 422);
    // Page by page, both ways.
    let first = app.nobody().api().get("/tags?limit=3").await.json();
    let next = format!("?limit=3&before={}", first["next"].as_str().unwrap());
    assert_eq!(listed(&app, &next).await, pairs(&[("moon", 1)]));
    let tag = app.nobody().api().get("/tags/C%2B%2B").await.json();
    let expected = json!({"name": "c++", "path": "/tags/c%2B%2B", "description": "", "posts": 1});
    assert_eq!(tag, expected);
    assert_eq!(titles(&app, "?tag=c%2B%2B").await, ["C"]);
    let page = app.nobody().page().get("/tags/sea").await.body;
    assert!(page.contains("3 posts") && page.contains("href=\"/posts/2/"), "{page}");
    assert!(app.nobody().page().get("/tags").await.body.contains("href=\"/tags/c%2B%2B\""));
    for path in ["/tags/none", "/tags/%2F", "/tags/%00"] {
        assert_eq!(app.nobody().page().get(path).await.status, 404, "{path}");
        assert_eq!(app.nobody().api().get(path).await.status, 404, "{path}");
    }
    ann.api().delete("/posts/1").await;
    assert_eq!(listed(&app, "").await, pairs(&[("sea", 2), ("c++", 1), ("season", 1)]));
    ann.api().delete("/me").await;
}

#[rocket::async_test]
async fn counts_stay_exact_while_many_write_at_the_same_time() {
    let app = App::with(&[("limits", "posts=1000/h, posts-address=1000/h")]).await;
    let ann = app.user("ann").await;
    let names = ["a", "b", "c", "d", "e"];
    // In every order, which must not make them wait for each other.
    join_all((0..40).map(|n| {
        let mut names = names.to_vec();
        names.rotate_left(n % 5);
        post(&ann, "x", json!(&names[..3]))
    }))
    .await
    .into_iter()
    .for_each(drop);
    let counted: Vec<(String, i64)> = sql("SELECT t.name, count(*) FROM tags t \
         JOIN post_tags x ON x.tag_id = t.id GROUP BY t.name ORDER BY t.name")
    .all(&app.db)
    .await
    .unwrap();
    let mut shown = listed(&app, "").await;
    shown.sort();
    assert_eq!(shown, counted);
    assert_eq!(shown.iter().map(|(_, posts)| posts).sum::<i64>(), 120);
}

#[rocket::async_test]
async fn an_admin_describes_and_merges_tags() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let first = post(&ann, "First", json!(["seas", "moon"])).await;
    let both = post(&ann, "Both", json!(["seas", "sea"])).await;
    let described = root.api().patch("/tags/sea", json!({"description": " All about  it. "})).await;
    assert_eq!(described.json()["description"], "All about it.");
    assert!(app.nobody().page().get("/tags/sea").await.body.contains("All about it."));
    let long = json!({"description": "x".repeat(501)});
    let refused = root.api().put("/tags/sea", long).await;
    assert_eq!(refused.json()["errors"][0]["code"], "description.too_long");

    for (wrong, code) in [("", "into.required"), ("a/b", "into.malformed"), ("SEAS", "into.taken")]
    {
        let refused = root.api().put("/tags/seas/merge", json!({"into": wrong})).await;
        assert_eq!(refused.json()["errors"][0]["code"], code, "{}", refused.body);
        let refused = root.page().put("/tags/seas/merge", &[("into", wrong)]).await;
        assert!(refused.body.contains("aria-invalid"), "{}", refused.body);
    }
    let merged = root.api().put("/tags/seas/merge", json!({"into": "Sea"})).await;
    assert_eq!(merged.json()["name"], "sea");
    while move_tagged_posts(&app.db).await.unwrap() {}
    assert_eq!(tags(&app, first).await, json!(["sea", "moon"]));
    assert_eq!(tags(&app, both).await, json!(["sea"]));
    assert_eq!(listed(&app, "").await, pairs(&[("sea", 2), ("moon", 1)]));
    // The old name still leads there, and whoever writes with it gets the other.
    assert_eq!(app.nobody().api().get("/tags/seas").await.json()["name"], "sea");
    assert_eq!(titles(&app, "?tag=seas").await, ["Both", "First"]);
    let later = post(&ann, "Later", json!(["seas", "sea"])).await;
    assert_eq!(tags(&app, later).await, json!(["sea"]));
    // Merged on: names never lead from one to another and on.
    root.api().put("/tags/sea/merge", json!({"into": "ocean"})).await;
    while move_tagged_posts(&app.db).await.unwrap() {}
    assert_eq!(app.nobody().api().get("/tags/seas").await.json()["name"], "ocean");
    assert_eq!(listed(&app, "").await, pairs(&[("ocean", 3), ("moon", 1)]));
    let log = root.api().get("/admin/audit").await.body;
    assert!(log.contains("tag.merged") && log.contains("tag.changed"), "{log}");
}

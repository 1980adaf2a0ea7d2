//! The addresses of posts: a number, which finds the post, and a readable part, which may change.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::internals::recording;
use crate::support::{App, ORIGIN, Person};

/// Where the page door leads from this path.
async fn leads(person: &Person<'_>, path: &str) -> (u16, Option<String>) {
    let answer = person.page().get_exactly(path).await;
    (answer.status, answer.header("location").map(str::to_owned))
}

fn moved(to: &str) -> (u16, Option<String>) {
    (308, Some(to.to_owned()))
}

async fn publish(person: &Person<'_>, post: Value) -> Value {
    let created = person.api().post("/posts", post).await;
    assert_eq!(created.status, 201, "{}", created.body);
    created.json()
}

#[rocket::async_test]
async fn every_other_address_leads_to_the_one_of_the_title() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = publish(&ann, json!({"title": "Über die Gezeiten!", "content": "x"})).await;
    assert_eq!(
        (&post["slug"], &post["path"]),
        (&json!("uber-die-gezeiten"), &json!("/posts/1/uber-die-gezeiten"))
    );
    let nobody = app.nobody();
    let path = "/posts/1/uber-die-gezeiten";
    let page = nobody.page().get_exactly(path).await;
    assert_eq!(page.status, 200);
    let canonical = format!("<link rel=\"canonical\" href=\"{ORIGIN}{path}\">");
    assert!(page.body.contains(&canonical), "{}", page.body);
    for other in [
        "/posts/1",
        "/posts/1/",
        "/posts/1/another",
        "/posts/1/UBER-DIE-GEZEITEN",
        "/posts/1/%C3%BCber",
        "/posts/1/uber-die-gezeiten%00",
        "/posts/1/comments.xml",
    ] {
        assert_eq!(leads(&nobody, other).await, moved(path), "{other}");
        assert_eq!(leads(&ann, other).await, moved(path), "{other}");
    }
    // It may lead elsewhere tomorrow.
    let led = nobody.page().get_exactly("/posts/1").await;
    assert_eq!(led.header("cache-control"), Some("no-cache"));
    assert_eq!(
        leads(&nobody, "/posts/1?ref=mail&x=%26").await,
        moved(&format!("{path}?ref=mail&x=%26"))
    );
    for missing in ["/posts/2", "/posts/2/uber-die-gezeiten", "/posts/x/uber", "/posts/1/a/b"] {
        assert_eq!(leads(&nobody, missing).await, (404, None), "{missing}");
    }
    // The API has one address.
    assert_eq!(nobody.api().get("/posts/1").await.json()["path"], path);
    assert_eq!(nobody.api().get(path).await.status, 404);
    // Every list leads there at once.
    for list in ["/", "/users/ann", "/feed.atom", "/sitemap.xml"] {
        let body = nobody.page().get(list).await.body;
        assert!(body.contains(path), "{list}: {body}");
    }
}

#[rocket::async_test]
async fn an_address_follows_the_title_until_its_author_chooses_one() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    publish(&ann, json!({"title": "On tides", "content": "x"})).await;
    let edit = async |change: Value| {
        let edited = ann.api().patch("/posts/1", change).await;
        assert_eq!(edited.status, 200, "{}", edited.body);
        edited.json()["slug"].as_str().unwrap().to_owned()
    };
    let nobody = app.nobody();
    assert_eq!(edit(json!({"title": "On ebb"})).await, "on-ebb");
    assert_eq!(leads(&nobody, "/posts/1/on-tides").await, moved("/posts/1/on-ebb"));
    assert_eq!(edit(json!({"slug": " The Sea/"})).await, "the-sea");
    assert_eq!(leads(&nobody, "/posts/1/on-ebb").await, moved("/posts/1/the-sea"));
    assert_eq!(edit(json!({"title": "On waves"})).await, "the-sea", "it was chosen");
    // Programs send back what they have read.
    assert_eq!(edit(json!({"title": "The sea", "slug": "the-sea"})).await, "the-sea");
    assert_eq!(edit(json!({"title": "On waves"})).await, "on-waves", "the title makes it again");
    assert_eq!(edit(json!({"slug": "chosen"})).await, "chosen");
    assert_eq!(edit(json!({"slug": ""})).await, "on-waves");
    assert_eq!(leads(&nobody, "/posts/1/chosen").await, moved("/posts/1/on-waves"));
    // Saving the same is no edit.
    let version = ann.api().get("/posts/1").await.json()["version"].clone();
    edit(json!({"slug": "on-waves"})).await;
    assert_eq!(ann.api().get("/posts/1").await.json()["version"], version);
}

#[rocket::async_test]
async fn an_author_chooses_an_address_in_the_editor() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = [("title", "On tides"), ("content", "x"), ("slug", "")];
    let created = ann.page().post("/posts", &form).await;
    assert_eq!((created.status, created.header("location")), (303, Some("/posts/1/on-tides")));
    let field = |value: &str| format!("id=\"slug\" name=\"slug\" type=\"text\" value=\"{value}\"");
    let editor = ann.page().get("/posts/1/edit").await.body;
    assert!(editor.contains(&field("")), "{editor}");
    let form = [("title", "On tides"), ("content", "x"), ("slug", "Tides, explained")];
    let saved = ann.page().put("/posts/1", &form).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some("/posts/1/tides-explained")));
    assert!(ann.page().get("/posts/1/edit").await.body.contains(&field("tides-explained")));
    let form = [("title", "On tides"), ("content", "Kept as typed"), ("slug", "???")];
    let refused = ann.page().put("/posts/1", &form).await;
    assert_eq!(refused.status, 422);
    for part in ["Use letters or digits.", "Kept as typed", &field("???")] {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
}

#[rocket::async_test]
async fn an_address_is_never_that_of_something_else_and_never_endless() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for (title, slug) in [
        ("Edit", "edit-post"),
        ("Votes", "votes-post"),
        ("¡¿…?!", "post"),
        ("../../etc/passwd", "etc-passwd"),
    ] {
        let post = publish(&ann, json!({"title": title, "content": "x"})).await;
        let path = format!("/posts/{}/{slug}", post["id"]);
        assert_eq!(post["path"], path);
        let page = app.nobody().page().get_exactly(&path).await;
        assert!(page.status == 200 && page.body.contains("<article"), "{path}: {}", page.body);
    }
    let chosen = json!({"title": "x", "content": "x", "slug": "Comments"});
    assert_eq!(publish(&ann, chosen).await["slug"], "comments-post");
    // Each of these signs becomes words; a person typed 255 of them.
    let title = "\u{1F469}".repeat(255);
    let slug = publish(&ann, json!({"title": title, "content": "x"})).await["slug"].clone();
    assert!(slug.as_str().unwrap().len() <= 60, "{slug}");
    for (slug, code) in [
        (json!("x".repeat(61)), "slug.too_long"),
        (json!("x".repeat(256)), "slug.too_long"),
        (json!(title), "slug.too_long"),
        (json!("!"), "slug.malformed"),
        (json!("nul\u{0}"), "slug.nul_character"),
        (json!(5), "slug.malformed"),
        (json!(null), "slug.malformed"),
    ] {
        for draft in [json!({"title": "x", "content": "x", "slug": slug}), json!({"slug": slug})] {
            let refused = match draft.get("title") {
                Some(_) => ann.api().post("/posts", draft).await,
                None => ann.api().put("/posts/1", draft).await,
            };
            assert_eq!(refused.status, 422, "{slug}: {}", refused.body);
            assert_eq!(refused.json()["errors"][0]["code"], code, "{slug}");
        }
    }
}

#[rocket::async_test]
async fn no_address_of_a_post_is_that_of_a_route() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let routes = app.client.rocket().routes();
    let parts = routes.filter_map(|route| {
        let path = route.uri.path().trim_start_matches("/api/v1").to_owned();
        let part = path.strip_prefix("/posts/<id>/")?.split('/').next()?.to_owned();
        // No slug has a dot.
        (!part.contains(['<', '.'])).then_some(part)
    });
    let parts: BTreeSet<String> = parts.collect();
    assert!(parts.len() >= 9, "{parts:?}");
    for part in parts {
        let post = publish(&ann, json!({"title": "x", "content": "x", "slug": part})).await;
        assert_eq!(post["slug"], format!("{part}-post"));
    }
}

/// The title stands in the address: nobody is led there who may not read the post.
#[rocket::async_test]
async fn the_way_to_a_post_tells_nothing_to_others() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let draft = json!({"title": "Hush", "content": "x", "state": "draft"});
    publish(&ann, draft).await;
    for path in ["/posts/1", "/posts/1/hush", "/posts/1/another"] {
        for person in [&app.nobody(), &bob] {
            assert_eq!(leads(person, path).await, (404, None), "{path}");
        }
    }
    assert_eq!(leads(&ann, "/posts/1").await, moved("/posts/1/hush"));
    assert_eq!(
        ann.page().get_exactly("/posts/1").await.header("cache-control"),
        Some("no-store"),
        "no cache keeps whose it is"
    );
}

/// It may be long.
#[rocket::async_test]
async fn the_way_to_a_post_does_not_read_its_text() {
    let app = App::new().await;
    publish(&app.user("ann").await, json!({"title": "Tides", "content": "x"})).await;
    for (path, is_page) in [("/posts/1", false), ("/posts/1/ebb", false), ("/posts/1/tides", true)]
    {
        let (answer, statements) = recording(app.nobody().page().get_exactly(path)).await;
        let reads_text = statements.iter().any(|(text, _)| text.contains("p.content_html"));
        assert_eq!((answer.status == 200, reads_text), (is_page, is_page), "{path}");
    }
}

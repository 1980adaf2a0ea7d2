//! Feeds in three formats: what a program that follows the site reads.

use feed_rs::model::{Entry, Feed};
use rocket::http::Header;
use rocket::http::Method::Get;
use serde_json::json;

use crate::support::internals::sql;
use crate::support::permission::{Permission, page_only};
use crate::support::{App, ORIGIN, Response, send};

pub const FORMATS: [&str; 3] = ["atom", "rss", "json"];

pub fn permissions() -> Vec<Permission> {
    let paths = [
        "/feed.atom",
        "/feed.rss",
        "/feed.json",
        "/users/<username>/feed.atom",
        "/users/<username>/feed.rss",
        "/users/<username>/feed.json",
        "/tags/<tag>/feed.atom",
        "/tags/<tag>/feed.rss",
        "/tags/<tag>/feed.json",
        "/posts/<id>/comments.atom",
        "/posts/<id>/comments.rss",
        "/posts/<id>/comments.json",
    ];
    paths.map(|path| page_only(Get, path, [200; 4])).into()
}

/// The feed with this address, which lacks the format.
pub async fn feed(app: &App, address: &str, format: &str) -> Feed {
    let answer = app.nobody().page().get(&format!("{address}.{format}")).await;
    assert_eq!(answer.status, 200, "{address}.{format}: {}", answer.body);
    parsed(&answer)
}

pub fn parsed(answer: &Response) -> Feed {
    feed_rs::parser::parse(answer.body.as_bytes())
        .unwrap_or_else(|e| panic!("{e} in {}", answer.body))
}

pub fn title(entry: &Entry) -> &str {
    &entry.title.as_ref().unwrap().content
}

pub fn titles(feed: &Feed) -> Vec<&str> {
    feed.entries.iter().map(title).collect()
}

/// The text that a reader shows: the content, or what stands for it.
pub fn text(entry: &Entry) -> &str {
    let content = entry.content.as_ref().and_then(|content| content.body.as_deref());
    content.or(entry.summary.as_ref().map(|text| text.content.as_str())).unwrap()
}

fn links(links: &[feed_rs::model::Link]) -> Vec<&str> {
    links.iter().map(|link| link.href.as_str()).collect()
}

#[rocket::async_test]
async fn each_format_has_the_latest_posts_with_all_that_a_reader_shows() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob-ö").await);
    for number in 1..=19 {
        ann.posts(&format!("Part {number}")).await;
    }
    let text_of = "See [the first](/posts/1), [below](#end), [elsewhere](https://e.example/?a&b).";
    let post = json!({"title": "On *tides* & <b>ebb</b>", "content": text_of});
    let id = ann.api().post("/posts", post).await.json()["id"].clone();
    bob.posts("The last").await;
    let edited = json!({"title": "On tides & <b>ebb</b>"});
    let edited = ann.api().put(&format!("/posts/{id}"), edited).await.json();
    for (format, kind) in [("atom", "atom+xml"), ("rss", "rss+xml"), ("json", "feed+json")] {
        let answer = app.nobody().page().get(&format!("/feed.{format}")).await;
        let kind = format!("application/{kind}; charset=utf-8");
        assert_eq!(answer.header("content-type"), Some(kind.as_str()));
        let feed = parsed(&answer);
        assert_eq!(feed.title.as_ref().unwrap().content, "Postly");
        assert_eq!(feed.language.as_deref(), Some("en"), "{format}");
        let own = format!("{ORIGIN}/feed.{format}");
        let found = links(&feed.links);
        assert!(found.contains(&own.as_str()), "{format}: {found:?}");
        assert!(found.iter().any(|link| *link == format!("{ORIGIN}/")), "{format}: {found:?}");
        assert_eq!(feed.entries.len(), 20, "{format}");
        assert_eq!(titles(&feed)[..3], ["The last", "On tides & <b>ebb</b>", "Part 19"]);
        assert_eq!(titles(&feed)[19], "Part 2");
        let [last, second, ..] = feed.entries.as_slice() else { unreachable!() };
        assert_eq!(second.id, format!("{ORIGIN}/posts/{id}"));
        assert_eq!(links(&second.links), [format!("{}/on-tides-b-ebb-b", second.id)]);
        assert_eq!(last.authors[0].name.as_deref(), Some("bob-ö"), "{format}");
        assert_eq!(second.authors[0].name.as_deref(), Some("ann"), "{format}");
        if format == "json" {
            let name = answer.json()["items"][0]["authors"][0]["url"].clone();
            assert_eq!(name, format!("{ORIGIN}/users/bob-%C3%B6"));
        }
        let published = edited["published_at"].as_str().unwrap().parse().unwrap();
        // RSS has neither fractions of seconds nor a time of the last edit.
        let is_same = |a: chrono::DateTime<chrono::Utc>, b: chrono::DateTime<chrono::Utc>| {
            if format == "rss" {
                a.timestamp() == b.timestamp()
            } else {
                (a - b).num_milliseconds() == 0
            }
        };
        assert!(is_same(second.published.unwrap(), published), "{format}");
        if format != "rss" {
            let updated = edited["updated_at"].as_str().unwrap().parse().unwrap();
            assert!(is_same(second.updated.unwrap(), updated), "{format}");
        }
        // Wherever it is shown, a link leads to the same page.
        let html = text(second);
        for address in [
            &format!("{ORIGIN}/posts/1"),
            &format!("{}/on-tides-b-ebb-b#end", second.id),
            "https://e.example/?a&amp;b",
        ] {
            assert!(html.contains(&format!("href=\"{address}\"")), "{format}: {html}");
        }
        assert!(text(last).contains("<em>The last</em>"), "{format}: {}", text(last));
    }
}

#[rocket::async_test]
async fn a_feed_is_exact_right_after_a_change_and_otherwise_not_sent_again() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for format in FORMATS {
        assert_eq!(feed(&app, "/feed", format).await.entries.len(), 0);
        let id = ann.posts("Here").await;
        for address in ["/feed", "/users/ann/feed"] {
            let path = format!("{address}.{format}");
            let answer = app.nobody().page().get(&path).await;
            assert_eq!(titles(&parsed(&answer)), ["Here"], "{path}");
            let tag = Header::new("If-None-Match", answer.header("etag").unwrap().to_owned());
            let again = send(&app, Get, &path, vec![tag.clone()], None::<&str>).await;
            assert_eq!((again.status, again.body.as_str()), (304, ""), "{path}");
            let edit = json!({"title": "Changed"});
            ann.api().put(&format!("/posts/{id}"), edit).await;
            let changed = send(&app, Get, &path, vec![tag], None::<&str>).await;
            assert_eq!(changed.status, 200, "{path}");
            assert_eq!(titles(&parsed(&changed)), ["Changed"], "{path}");
            ann.api().put(&format!("/posts/{id}"), json!({"title": "Here"})).await;
        }
        assert_eq!(ann.api().delete(&format!("/posts/{id}")).await.status, 204);
        for address in ["/feed", "/users/ann/feed"] {
            assert_eq!(feed(&app, address, format).await.entries.len(), 0, "{address}.{format}");
        }
    }
}

#[rocket::async_test]
async fn a_persons_feed_has_their_posts_alone_and_nobody_elses() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    ann.posts("Tides").await;
    bob.posts("Bread").await;
    let draft = bob.posts("Not yet").await;
    sql("UPDATE posts SET published_at = NULL WHERE id = $1")
        .bind(draft)
        .execute(app.db.writer())
        .await
        .unwrap();
    for format in FORMATS {
        let found = feed(&app, "/users/BOB/feed", format).await;
        assert_eq!(titles(&found), ["Bread"], "{format}");
        assert_eq!(found.title.as_ref().unwrap().content, "bob · Postly");
        // Whatever the spelling that was asked for.
        let own = format!("{ORIGIN}/users/bob/feed.{format}");
        assert!(links(&found.links).contains(&own.as_str()), "{:?}", found.links);
        assert_eq!(titles(&feed(&app, "/feed", format).await), ["Bread", "Tides"], "{format}");
        // The author reads the same as anybody.
        let own = bob.page().get(&format!("/feed.{format}")).await;
        assert_eq!(titles(&parsed(&own)), ["Bread", "Tides"], "{format}");
        for missing in ["/users/nobody/feed", "/users/%00/feed"] {
            let answer = app.nobody().page().get(&format!("{missing}.{format}")).await;
            assert_eq!(answer.status, 404, "{missing}.{format}");
        }
    }
    assert_eq!(app.nobody().page().get("/feed.xml").await.status, 404);
}

#[rocket::async_test]
async fn the_comments_on_a_post_have_a_feed_with_the_newest_first() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let (post, other) = (ann.posts("On <tides>").await, ann.posts("Bread").await);
    let comment = async |post: i64, parent: Option<i64>, content: &str| {
        let new = json!({"content": content, "parent_id": parent});
        let created = bob.api().post(&format!("/posts/{post}/comments"), new).await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.json()["id"].as_i64().unwrap()
    };
    let address = format!("/posts/{post}/comments");
    let texts = async |format: &str| -> Vec<String> {
        feed(&app, &address, format).await.entries.iter().map(|e| text(e).to_owned()).collect()
    };
    for format in FORMATS {
        assert!(texts(format).await.is_empty());
    }
    let first = comment(post, None, "First, [see](/posts/1)").await;
    comment(other, None, "Elsewhere").await;
    let reply = comment(post, Some(first), "A *reply*").await;
    comment(post, Some(reply), "Deeper").await;
    let link = format!("<a href=\"{ORIGIN}/posts/1\" rel=\"nofollow ugc noopener\">see</a>");
    for format in FORMATS {
        let found = feed(&app, &address, format).await;
        assert_eq!(found.title.as_ref().unwrap().content, "Comments on On <tides>");
        assert!(links(&found.links).contains(&format!("{ORIGIN}{address}").as_str()));
        assert_eq!(titles(&found)[0], "bob on On <tides>");
        assert_eq!(found.entries[2].id, format!("{ORIGIN}/comments/{first}"));
        let last = format!("<p>First, {link}</p>");
        let expected = ["<p>Deeper</p>", "<p>A <em>reply</em></p>", &last];
        assert_eq!(
            texts(format).await.iter().map(|text| text.trim()).collect::<Vec<_>>(),
            expected
        );
    }
    // It stays for the sake of what was replied to it, without a text and an author.
    assert_eq!(bob.api().delete(&format!("/comments/{reply}")).await.status, 204);
    for format in FORMATS {
        let found = texts(format).await;
        assert_eq!(found.len(), 2, "{format}: {found:?}");
        assert!(found[0].contains("Deeper") && found[1].contains("First"), "{found:?}");
    }
    for number in 1..=20 {
        comment(post, None, &format!("{number} {}", "\\".repeat(9_900))).await;
    }
    let long = sql("UPDATE comments SET content_html = $1").bind("'".repeat(300_000));
    long.execute(app.db.writer()).await.unwrap();
    for format in FORMATS {
        let found = feed(&app, &address, format).await;
        assert_eq!(found.entries.len(), 20);
        assert!(text(&found.entries[0]).starts_with("20"), "{}", text(&found.entries[0]));
        let answer = app.nobody().page().get(&format!("{address}.{format}")).await;
        assert!(answer.body.len() < 100_000, "{format}: {}", answer.body.len());
    }
    let hide = sql("UPDATE posts SET published_at = NULL WHERE id = $1").bind(post);
    hide.execute(app.db.writer()).await.unwrap();
    for missing in [address, "/posts/999/comments".to_owned(), "/posts/x/comments".to_owned()] {
        let answer = ann.page().get(&format!("{missing}.atom")).await;
        assert_eq!(answer.status, 404, "{missing}");
    }
}

#[rocket::async_test]
async fn a_tag_has_a_feed_of_its_own_under_each_of_its_names() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for (title, tags) in
        [("Tides", json!(["sea"])), ("Bread", json!([])), ("Ships", json!("sea, c++"))]
    {
        ann.api().post("/posts", json!({"title": title, "content": "x", "tags": tags})).await;
    }
    for format in FORMATS {
        let found = feed(&app, "/tags/SEA/feed", format).await;
        assert_eq!(titles(&found), ["Ships", "Tides"], "{format}");
        assert_eq!(found.title.as_ref().unwrap().content, "sea · Postly");
        assert_eq!(titles(&feed(&app, "/tags/c%2B%2B/feed", format).await), ["Ships"]);
        let missing = app.nobody().page().get(&format!("/tags/none/feed.{format}")).await;
        assert_eq!(missing.status, 404);
    }
    let page = app.nobody().page().get("/tags/c%2B%2B").await.body;
    assert!(page.contains("href=\"/tags/c%2B%2B/feed.atom\""), "{page}");
}

//! What the entries of feeds hold, whatever people have written.

use serde_json::json;

use super::feeds::{FORMATS, feed, parsed, text, title, titles};
use crate::support::App;
use crate::support::internals::{now, sql};

/// No XML document may have these characters, in whatever way they are written.
#[rocket::async_test]
async fn what_people_type_leaves_a_feed_well_formed() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("x").await;
    let marked = "</title>]]>&amp;<![CDATA[\"'";
    let escaped = "&lt;/title&gt;]]&gt;&amp;amp;&lt;![CDATA[&quot;&#39;";
    let strange = format!("{marked}\u{1}\u{b}\u{1f}\u{fffe}\u{ffff}");
    sql("UPDATE posts SET title = $1, excerpt = $1, content_html = $2")
        .bind(strange.as_str())
        .bind("<p>]]&gt; a\u{1}b\u{ffff}</p>")
        .execute(app.db.writer())
        .await
        .unwrap();
    let root = app.admin("root").await;
    let saved = root.api().patch("/admin/settings", json!({"description": marked})).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    for format in FORMATS {
        let found = feed(&app, "/feed", format).await;
        assert_eq!(titles(&found), [marked], "{format}");
        let description = if format == "rss" { escaped } else { marked };
        assert_eq!(found.description.unwrap().content, description, "{format}");
        assert_eq!(text(&found.entries[0]), "<p>]]&gt; ab</p>", "{format}");
    }
}

/// Texts that grow when they are escaped, and links that grow when they become absolute.
#[rocket::async_test]
async fn a_feed_of_huge_posts_has_their_beginnings_and_is_bounded() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let of = |piece: &str, size: usize| piece.repeat(size / piece.len());
    let almost = 20 * 1024;
    let kinds = [
        ("whole", of("&lt;", 4_000)),
        ("whole", of("x", almost)),
        ("cut", of("x", 1024 * 1024)),
        ("cut", of("\"", almost)),
        ("cut", of("\\", almost)),
        ("cut", of("<a href=\"/\">", almost)),
    ];
    for number in 0..24 {
        let id = ann.posts("x").await;
        let (kind, html) = &kinds[number % kinds.len()];
        sql("UPDATE posts SET title = $1, excerpt = $2, content_html = $3 WHERE id = $4")
            .bind(format!("{kind}{}", "\"".repeat(250)))
            .bind(format!("Beginning{}", "'".repeat(270)))
            .bind(html.as_str())
            .bind(id)
            .execute(app.db.writer())
            .await
            .unwrap();
    }
    for format in FORMATS {
        let answer = app.nobody().page().get(&format!("/feed.{format}")).await;
        // What is larger is neither kept nor compressed.
        assert!(answer.body.len() < 512 * 1024, "{format}: {}", answer.body.len());
        assert!(answer.header("etag").is_some());
        let found = parsed(&answer);
        assert_eq!(found.entries.len(), 20);
        for entry in &found.entries {
            let is_cut = text(entry).starts_with("Beginning");
            assert_eq!(is_cut, title(entry).starts_with("cut"), "{format}: {}", text(entry));
        }
    }
    // All of them as long as they may be.
    sql("UPDATE posts SET content_html = $1")
        .bind(of("x", almost))
        .execute(app.db.writer())
        .await
        .unwrap();
    for format in FORMATS {
        let answer = app.nobody().page().get(&format!("/feed.{format}")).await;
        assert!(answer.body.len() > 20 * almost && answer.body.len() < 512 * 1024, "{format}");
    }
    // What an older version of the renderer made is not passed on.
    sql("UPDATE posts SET content_html = '<script>', rendering = 1, updated_at = $1")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
    for format in FORMATS {
        let found = feed(&app, "/feed", format).await;
        assert!(found.entries.iter().all(|entry| text(entry).starts_with("Beginning")));
    }
}

#[rocket::async_test]
async fn the_tags_of_a_post_are_its_categories() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = json!({"title": "Tides", "content": "x", "tags": ["sea", "c++", "q&a"]});
    let refused = ann.api().post("/posts", post).await;
    assert_eq!(refused.field_errors(), ["tags"], "so that no tag has to be escaped");
    let post = json!({"title": "Tides", "content": "x", "tags": ["sea", "c++", "океан"]});
    assert_eq!(ann.api().post("/posts", post).await.status, 201);
    ann.posts("Without").await;
    ann.api().post("/posts/1/comments", json!({"content": "Twice?"})).await;
    for format in FORMATS {
        for address in ["/feed", "/users/ann/feed", "/tags/sea/feed"] {
            let found = feed(&app, address, format).await;
            let categories = |title_of: &str| -> Vec<String> {
                let mut entries = found.entries.iter().filter(|entry| title(entry) == title_of);
                let entry = entries.next().into_iter();
                entry.flat_map(|entry| &entry.categories).map(|c| c.term.clone()).collect()
            };
            assert_eq!(categories("Tides"), ["sea", "c++", "океан"], "{address}.{format}");
            assert_eq!(categories("Without"), [""; 0], "{address}.{format}");
        }
        let comments = feed(&app, "/posts/1/comments", format).await;
        assert_eq!(comments.entries[0].categories.len(), 0, "{format}");
    }
    let rss = app.nobody().page().get("/feed.json").await;
    assert!(rss.json()["items"][0].get("tags").is_none(), "{}", rss.body);
}

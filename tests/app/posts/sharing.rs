//! What a page tells programs that show a link to it, and how people copy its address.

use serde_json::{Value, json};

use crate::support::{App, ORIGIN};

/// The values of `content` of the meta elements with this property.
fn graph<'a>(page: &'a str, property: &str) -> Vec<&'a str> {
    let start = format!("<meta property=\"{property}\" content=\"");
    page.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

/// The addresses of the feeds that a page names.
fn feeds(page: &str) -> Vec<&str> {
    let links = page.split("<link rel=\"alternate\" type=\"application/").skip(1);
    links.map(|rest| rest.split("href=\"").nth(1).unwrap().split('"').next().unwrap()).collect()
}

fn canonical(page: &str) -> Option<&str> {
    page.split_once("<link rel=\"canonical\" href=\"")?.1.split('"').next()
}

fn linked_data(page: &str) -> Value {
    let (_, rest) = page.split_once("<script type=\"application/ld+json\">").unwrap();
    serde_json::from_str(rest.split("</script>").next().unwrap()).unwrap()
}

#[rocket::async_test]
async fn pages_name_their_feeds_where_programs_and_people_look() {
    let app = App::new().await;
    let ann = app.user("ann-ö").await;
    let post = format!("/posts/{}", ann.posts("Tides").await);
    let person = "/users/ann-%C3%B6";
    for (page, feed) in [
        ("/", "/feed"),
        ("/?sort=top", "/feed"),
        ("/?author=ann-%C3%B6", &format!("{person}/feed")),
        (person, &format!("{person}/feed")),
        (&post, &format!("{post}/comments")),
        (&format!("{post}/comments"), &format!("{post}/comments")),
    ] {
        let body = app.nobody().page().get(page).await.body;
        let found = feeds(&body);
        for format in ["atom", "rss", "json"] {
            let address = format!("{feed}.{format}");
            assert!(found.contains(&address.as_str()), "{page}: {found:?}");
            assert_eq!(app.nobody().page().get(&address).await.status, 200, "{address}");
        }
        assert!(body.contains("<a href=\"/feed.atom\">Feed</a>"), "{page}");
        if feed != "/feed" && !page.starts_with("/?") {
            assert!(body.contains(&format!("<a href=\"{feed}.atom\">Feed")), "{page}: {body}");
        }
    }
}

#[rocket::async_test]
async fn a_page_has_one_address_and_says_what_a_link_to_it_shows() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let named = json!({"site_name": "Harbour & Lights", "description": "About \"boats\""});
    assert_eq!(root.api().patch("/admin/settings", named).await.status, 200);
    let post = format!("/posts/{}/on-tides", ann.posts("On <tides>").await);
    for _ in 0..20 {
        ann.posts("More").await;
    }
    for (path, kind, title) in [
        ("/", "website", "Harbour &amp; Lights"),
        ("/users/ann", "profile", "ann"),
        (&post, "article", "On &lt;tides&gt;"),
    ] {
        // With the parameters that others add to links, too.
        for query in ["", "?utm_source=x"] {
            let page = app.nobody().page().get(&format!("{path}{query}")).await.body;
            let address = format!("{ORIGIN}{path}");
            assert_eq!(canonical(&page), Some(address.as_str()), "{path}");
            assert_eq!(graph(&page, "og:url"), [address], "{path}");
            assert_eq!(graph(&page, "og:type"), [kind], "{path}");
            assert_eq!(graph(&page, "og:title"), [title], "{path}");
            assert_eq!(graph(&page, "og:site_name"), ["Harbour &amp; Lights"], "{path}");
        }
    }
    let home = app.nobody().page().get("/").await.body;
    assert_eq!(graph(&home, "og:description"), ["About &quot;boats&quot;"]);
    for list in ["/posts", "/users/ann"] {
        let next = app.nobody().api().get(list).await.json()["next"].clone();
        let path = if list == "/posts" { "/" } else { list };
        let further = format!("{path}?before={}", next.as_str().unwrap());
        let page = app.nobody().page().get(&further).await.body;
        assert_eq!(canonical(&page), None, "another page has other posts");
    }

    let page = app.nobody().page().get(&post).await.body;
    let resource = post.strip_suffix("/on-tides").unwrap();
    let current = app.nobody().api().get(resource).await.json();
    let time = |page: &str, name: &str| -> Option<chrono::DateTime<chrono::Utc>> {
        graph(page, &format!("article:{name}_time")).first().map(|time| time.parse().unwrap())
    };
    let published: chrono::DateTime<chrono::Utc> =
        current["published_at"].as_str().unwrap().parse().unwrap();
    let found = time(&page, "published").unwrap();
    assert_eq!(found.timestamp_millis(), published.timestamp_millis());
    assert_eq!(time(&page, "modified"), None);
    assert_eq!(graph(&page, "og:description"), ["About On &lt;tides&gt;."]);
    assert_eq!(graph(&page, "article:author"), [format!("{ORIGIN}/users/ann")]);
    ann.api().put(resource, json!({"title": "On ebb"})).await;
    let page = app.nobody().page().get(&post).await.body;
    assert!(time(&page, "modified") > Some(found), "{page}");
}

#[rocket::async_test]
async fn a_post_is_described_for_search_engines_and_nothing_breaks_out_of_it() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let title = "</script><script>alert(1)</script><!--<script> \"\\ & ' \u{2028}";
    let post = json!({"title": title, "content": title});
    let created = ann.api().post("/posts", post).await.json();
    let path = created["path"].as_str().unwrap();
    let page = app.nobody().page().get(path).await.body;
    let data = linked_data(&page);
    assert_eq!(data["@context"], "https://schema.org");
    assert_eq!(data["@type"], "BlogPosting");
    assert_eq!(data["headline"], created["title"]);
    assert_eq!(data["description"], created["excerpt"]);
    assert_eq!(data["url"], format!("{ORIGIN}{path}"));
    assert_eq!(data["author"]["name"], "ann");
    assert_eq!(data["author"]["url"], format!("{ORIGIN}/users/ann"));
    assert_eq!(data["publisher"]["name"], "Postly");
    assert_eq!((&data["inLanguage"], &data["commentCount"]), (&json!("en"), &json!(0)));
    assert_eq!(data["datePublished"], created["published_at"]);
    assert_eq!(data["dateModified"], created["published_at"]);
    // No browser finds the beginning or the end of an element in it.
    let (_, rest) = page.split_once("<script type=\"application/ld+json\">").unwrap();
    let (inside, _) = rest.split_once("</script>\n").unwrap();
    assert!(!inside.contains(['<', '>', '&']), "{inside}");
    let post = format!("/posts/{}", created["id"]);
    ann.api().put(&post, json!({"title": "Tides"})).await;
    let edited = app.nobody().api().get(&post).await.json();
    let data = linked_data(&app.nobody().page().get(&post).await.body);
    assert_eq!(data["headline"], "Tides");
    assert_eq!(data["dateModified"], edited["updated_at"]);
}

#[rocket::async_test]
async fn the_address_of_a_post_can_be_copied_without_scripts() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}/tides", ann.posts("Tides").await);
    for page in [app.nobody().page().get(&path).await, ann.page().get(&path).await] {
        let (_, share) = page.body.split_once("<details class=\"share\">").unwrap();
        let share = share.split("</details>").next().unwrap();
        assert!(share.contains("<summary>Share</summary>"), "{share}");
        assert!(share.contains(&format!("value=\"{ORIGIN}{path}\" readonly")), "{share}");
    }
}

//! The sitemap, and what search engines may read.

use rocket::http::Header;
use rocket::http::Method::Get;

use crate::house::permissions;
use crate::support::internals::sql;
use crate::support::permission::{Permission, page_only};
use crate::support::{App, ORIGIN, database, send};

pub fn permissions() -> Vec<Permission> {
    let paths = ["/sitemap.xml", "/sitemaps/<file>", "/robots.txt"];
    paths.map(|path| page_only(Get, path, [200; 4])).into()
}

/// The texts of all elements with this name.
fn texts<'a>(xml: &'a str, name: &str) -> Vec<&'a str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    xml.split(&start).skip(1).map(|rest| rest.split(&end).next().unwrap()).collect()
}

async fn sitemap(app: &App, path: &str) -> String {
    let answer = app.nobody().page().get(path).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    assert_eq!(answer.header("content-type"), Some("application/xml; charset=utf-8"));
    assert!(answer.body.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"), "{path}");
    answer.body
}

#[rocket::async_test]
async fn a_sitemap_has_every_page_that_anybody_may_read_and_is_exact() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    assert_eq!(texts(&sitemap(&app, "/sitemap.xml").await, "loc"), [format!("{ORIGIN}/")]);
    let (first, draft) = (ann.posts("Tides").await, ann.posts("Not yet").await);
    let last = ann.posts("Bread").await;
    sql("UPDATE posts SET published_at = NULL WHERE id = $1")
        .bind(draft)
        .execute(app.db.writer())
        .await
        .unwrap();
    let at = |time: &str| time.parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    for (id, published, updated) in [
        (first, "2026-01-02T03:04:05Z", None),
        (last, "2026-01-02T03:04:05Z", Some("2026-11-29T17:00:00.5Z")),
    ] {
        sql("UPDATE posts SET published_at = $1, updated_at = $2 WHERE id = $3")
            .bind(at(published))
            .bind(updated.map(at))
            .bind(id)
            .execute(app.db.writer())
            .await
            .unwrap();
    }
    let listed = sitemap(&app, "/sitemap.xml").await;
    let address = |path: &str| format!("{ORIGIN}{path}");
    let posts = [(first, "tides"), (last, "bread")]
        .map(|(id, slug)| address(&format!("/posts/{id}/{slug}")));
    assert_eq!(texts(&listed, "loc"), [&[address("/")], posts.as_slice()].concat());
    assert_eq!(texts(&listed, "lastmod"), ["2026-01-02T03:04:05Z", "2026-11-29T17:00:00Z"]);
    assert!(listed.starts_with("<?xml") && listed.ends_with("</urlset>\n"), "{listed}");
    assert_eq!(sitemap(&app, "/sitemaps/1.xml").await, listed, "it is the only file");

    let answer = app.nobody().page().get("/sitemap.xml").await;
    let tag = Header::new("If-None-Match", answer.header("etag").unwrap().to_owned());
    assert_eq!(send(&app, Get, "/sitemap.xml", vec![tag], None::<&str>).await.status, 304);
    assert_eq!(ann.api().delete(&format!("/posts/{first}")).await.status, 204);
    assert!(!sitemap(&app, "/sitemap.xml").await.contains(&posts[0]), "it is gone");
    for missing in ["0", "2", "-1", "01", "+1", "x", "9223372036854775807", ""] {
        let path = format!("/sitemaps/{missing}.xml");
        assert_eq!(app.nobody().page().get(&path).await.status, 404, "{path}");
    }
    assert_eq!(app.nobody().page().get("/sitemaps/1").await.status, 404);
}

/// Posts with these ids.
async fn fill(app: &App, first: i64, last: i64) {
    let given = if database::is_postgres() { "OVERRIDING SYSTEM VALUE" } else { "" };
    // The longest address.
    let title = "x".repeat(60);
    let text = format!(
        "WITH RECURSIVE n (i) AS (SELECT CAST({first} AS BIGINT) UNION ALL \
         SELECT i + 1 FROM n WHERE i < {last}) \
         INSERT INTO posts (id, user_id, title, content, content_html, excerpt, rendering, \
         created_at, published_at) {given} SELECT i, (SELECT id FROM users WHERE username = 'ann'), \
         '{title}', 'x', 'x', 'x', 2, p.created_at, p.created_at FROM n JOIN posts p ON p.id = 1"
    );
    sql(String::leak(text)).execute(app.db.writer()).await.unwrap();
}

#[rocket::async_test]
async fn a_large_site_has_an_index_of_files_that_are_bounded() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    assert_eq!(ann.posts("The first").await, 1);
    let files = async || -> Vec<String> {
        let index = sitemap(&app, "/sitemap.xml").await;
        assert!(index.ends_with("</sitemapindex>\n"), "{index}");
        texts(&index, "loc").into_iter().map(|one| one.replace(ORIGIN, "")).collect()
    };
    fill(&app, 2, 2_000).await;
    let only = sitemap(&app, "/sitemap.xml").await;
    assert_eq!(texts(&only, "loc").len(), 2_001);
    assert!(only.len() < 512 * 1024, "{}", only.len());
    fill(&app, 2_001, 2_001).await;
    assert_eq!(files().await, ["/sitemaps/1.xml", "/sitemaps/2.xml"]);
    let first = sitemap(&app, "/sitemaps/1.xml").await;
    assert_eq!(first, only, "it does not change when posts are added");
    let second = sitemap(&app, "/sitemaps/2.xml").await;
    assert_eq!(texts(&second, "loc"), [format!("{ORIGIN}/posts/2001/{}", "x".repeat(60))]);
    // As if many had been deleted.
    fill(&app, 1_000_000, 1_000_000).await;
    assert_eq!(files().await.len(), 500);
    assert_eq!(texts(&sitemap(&app, "/sitemaps/3.xml").await, "loc"), [""; 0]);
    fill(&app, 1_000_000_000_000, 1_000_000_000_000).await;
    let found = files().await;
    assert_eq!((found.len(), found.last().unwrap().as_str()), (5_000, "/sitemaps/500000000.xml"));
    assert_eq!(app.nobody().page().get("/sitemaps/1.xml").await.status, 404, "it is in no list");
    let index = app.nobody().page().get("/sitemap.xml").await;
    assert!(index.body.len() < 512 * 1024 && index.header("etag").is_some());
}

/// Whether a rule of `robots.txt` matches an address (RFC 9309, section 2.2.3).
fn matches(rule: &str, address: &str) -> bool {
    let (rule, is_whole) = rule.strip_suffix('$').map_or((rule, false), |rule| (rule, true));
    let mut pieces = rule.split('*');
    let Some(mut rest) = address.strip_prefix(pieces.next().unwrap()) else { return false };
    for piece in pieces {
        let Some(at) = rest.rfind(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    !is_whole || rest.is_empty()
}

#[rocket::async_test]
async fn crawlers_find_the_sitemap_and_leave_private_pages_alone() {
    let app = App::new().await;
    let answer = app.nobody().page().get("/robots.txt").await;
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
    let lines: Vec<&str> = answer.body.lines().collect();
    assert!(lines.contains(&format!("Sitemap: {ORIGIN}/sitemap.xml").as_str()), "{lines:?}");
    assert_eq!(lines[0], "User-agent: *");
    let rules: Vec<&str> =
        lines.iter().filter_map(|line| line.strip_prefix("Disallow: ")).collect();
    let is_private = |address: &str| rules.iter().any(|rule| matches(rule, address));
    // Whatever leads nobody but to the log-in.
    let mut count = 0;
    for row in permissions::all() {
        let is_closed = row.page.is_some_and(|[nobody, ..]| nobody == 303);
        if row.method == Get && is_closed && !row.path.starts_with("/.well-known/") {
            let address = permissions::concrete(row.path);
            assert!(is_private(&address), "{address} is missing");
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
    for address in ["/login?next=/", "/login/code", "/admin", "/me", "/me?x=1", "/search?q=x"] {
        assert!(is_private(address), "{address}");
    }
    for address in [
        "/",
        "/?sort=top",
        "/posts/1",
        "/posts/1/news",
        "/posts/1/comments",
        "/comments/1",
        "/users/ann",
        "/media/x",
        "/meadow",
        "/feed.atom",
        "/posts/1/edition",
        "/rules",
        "/sitemap.xml",
        "/static/css/site.css",
        "/docs/guide",
    ] {
        assert!(!is_private(address), "{address}");
    }
}

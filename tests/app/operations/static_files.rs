//! Style sheets, scripts, fonts and the icon.

use chrono::{DateTime, Utc};
use rocket::http::Header;
use rocket::http::Method::Get;

use crate::support::permission::{Permission, page_only};
use crate::support::{App, send};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/static/<path..>", [200; 4]),
        page_only(Get, "/favicon.ico", [308; 4]),
        page_only(Get, "/theme.css", [200; 4]),
        // Not configured.
        page_only(Get, "/.well-known/security.txt", [404; 4]),
    ]
}

#[rocket::async_test]
async fn static_files_are_kept_by_browsers_and_known_by_their_contents() {
    let app = App::new().await;
    let home = app.nobody().page().get("/").await.body;
    let start = home.find("/static/css/base.css?v=").unwrap();
    let path = home[start..].split('"').next().unwrap();
    let file = app.nobody().page().get(path).await;
    assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(file.header("content-type"), Some("text/css; charset=utf-8"));
    let tag = Header::new("If-None-Match", file.header("etag").unwrap().to_owned());
    assert_eq!(send(&app, Get, path, vec![tag], None::<&str>).await.status, 304);
    assert_eq!(
        app.nobody().page().get("/static/css/base.css").await.header("cache-control"),
        Some("no-cache")
    );
}

#[rocket::async_test]
async fn security_txt_names_the_contact_if_there_is_one() {
    let path = "/.well-known/security.txt";
    assert_eq!(App::new().await.nobody().page().get(path).await.status, 404);
    let app = App::with(&[("security_contact", "mailto:security@posts.example")]).await;
    let file = app.nobody().page().get(path).await;
    assert_eq!(
        (file.status, file.header("content-type")),
        (200, Some("text/plain; charset=utf-8"))
    );
    let fields: Vec<_> = file.body.lines().map(|line| line.split_once(": ").unwrap()).collect();
    let value = |name: &str| {
        let values: Vec<_> = fields.iter().filter(|field| field.0 == name).collect();
        assert_eq!(values.len(), 1, "{name} in {}", file.body);
        values[0].1
    };
    assert_eq!(value("Contact"), "mailto:security@posts.example");
    assert_eq!(value("Canonical"), "http://postly.test/.well-known/security.txt");
    let days = (value("Expires").parse::<DateTime<Utc>>().unwrap() - Utc::now()).num_days();
    assert!((30..365).contains(&days), "RFC 9116 recommends less than a year: {days}");
}

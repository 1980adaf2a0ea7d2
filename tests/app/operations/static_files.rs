//! Style sheets, scripts, fonts and the icon.

use rocket::http::Header;
use rocket::http::Method::Get;

use crate::support::permission::{Permission, page_only};
use crate::support::{App, send};

pub fn permissions() -> Vec<Permission> {
    vec![page_only(Get, "/static/<path..>", [200; 4]), page_only(Get, "/favicon.ico", [308; 4])]
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

//! The logo of the site.

use std::time::Instant;

use rocket::http::Method::{Delete, Get, Post};
use rocket::http::{Header, Method};

use crate::support::binary::DEADLINE;
use crate::support::permission::{ADMINS_DELETE, Permission, both, page_only};
use crate::support::{App, IMAGE, ORIGIN, Person, Response, send, upload};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/logo", [404; 4]),
        page_only(Get, "/admin/logo", [404, 404, 404, 200]),
        both(Post, "/admin/logo", ADMINS_DELETE).scope("admin").with_image(IMAGE),
        both(Delete, "/admin/logo", ADMINS_DELETE).scope("admin"),
    ]
}

/// Sends an image through one of the doors.
async fn put(person: &Person<'_>, app: &App, image: &[u8], is_api: bool) -> Response {
    let (kind, body) = upload(image, is_api);
    let mut headers = vec![kind];
    let path = if is_api {
        let token = person.token.as_ref().unwrap();
        headers.push(Header::new("Authorization", format!("Bearer {token}")));
        "/api/v1/admin/logo"
    } else {
        headers.push(Header::new("Origin", ORIGIN));
        let cookie = person.cookie.as_ref().unwrap();
        headers.push(Header::new("Cookie", format!("postly={cookie}")));
        "/admin/logo"
    };
    headers.push(Header::new("Content-Length", body.len().to_string()));
    send(app, Method::Post, path, headers, Some(body)).await
}

/// The address of the logo in the head of the page, if there is one.
fn address(page: &str) -> Option<&str> {
    let (_, rest) = page.split_once("<img class=\"logo\" src=\"")?;
    rest.split('"').next()
}

#[rocket::async_test]
async fn a_logo_comes_through_either_door_and_goes_again() {
    let app = App::new().await;
    let other = app.another().await;
    let root = app.admin("root").await;
    for is_api in [true, false] {
        assert_eq!(address(&app.nobody().page().get("/").await.body), None);
        let saved = put(&root, &app, IMAGE, is_api).await;
        assert_eq!(saved.status, if is_api { 204 } else { 303 }, "{}", saved.body);
        let home = app.nobody().page().get("/").await.body;
        let logo = address(&home).expect("the logo stands on each page");
        let image = app.nobody().page().get(logo).await;
        assert_eq!((image.status, image.header("content-type")), (200, Some("image/png")));
        assert_eq!(image.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert_eq!(image.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(
            app.nobody().page().get("/logo").await.header("cache-control"),
            Some("no-cache")
        );
        let start = Instant::now();
        while address(&other.nobody().page().get("/login").await.body) != Some(logo) {
            assert!(start.elapsed() < DEADLINE, "the other instance never shows it");
        }
        let events = root.api().get("/admin/audit?q=settings").await.json();
        assert_eq!(events["items"][0]["detail"], "logo", "{events}");
        let removed = match is_api {
            true => root.api().delete("/admin/logo").await,
            false => root.page().delete("/admin/logo", &[]).await,
        };
        assert_eq!(removed.status, saved.status, "{}", removed.body);
    }
    assert_eq!(app.nobody().page().get("/logo").await.status, 404);
}

#[rocket::async_test]
async fn what_is_not_a_small_image_is_refused() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let gif = b"GIF89a\x01\0\x01\0\0\0\0;";
    // The header alone decides about width and height.
    let mut wide = IMAGE.to_vec();
    wide[16..20].copy_from_slice(&2_001u32.to_be_bytes());
    let mut long = IMAGE.to_vec();
    long.resize(256 * 1024 + 1, 0);
    for (image, code, words) in [
        (&b""[..], "file.required", "Choose an image."),
        (svg, "file.malformed", "This is not a PNG, JPEG or WebP image."),
        (gif, "file.malformed", "This is not a PNG, JPEG or WebP image."),
        (&IMAGE[..12], "file.malformed", "This is not a PNG, JPEG or WebP image."),
        (&wide, "file.out_of_range", "at most 2,000 pixels"),
        (&long, "file.too_long", "at most 262,144 are allowed"),
    ] {
        let api = put(&root, &app, image, true).await;
        assert_eq!(api.status, 422, "{code}: {}", api.body);
        assert_eq!(api.json()["errors"][0]["code"], code, "{}", api.body);
        let page = put(&root, &app, image, false).await;
        assert_eq!(page.status, 422, "{code}: {}", page.body);
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for is_api in [true, false] {
        let huge = put(&root, &app, &vec![0; 2 << 20], is_api).await;
        assert_eq!(huge.status, 413, "{}", huge.body);
    }
    let json = root.api().post("/admin/logo", serde_json::json!({})).await;
    assert_eq!(json.status, 415);
    assert_eq!(root.page().post("/admin/logo", &[("file", "x")]).await.status, 415);
    assert_eq!(address(&app.nobody().page().get("/").await.body), None);
}

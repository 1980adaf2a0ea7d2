//! The cross-origin check.

use rocket::http::{ContentType, Header, Method};
use serde_json::json;

use crate::support::{App, ORIGIN, send};

#[rocket::async_test]
async fn no_other_site_changes_anything() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Tides").await;
    let cookie = format!("postly={}", ann.cookie.clone().unwrap());
    let foreign: [&[(&'static str, &str)]; 9] = [
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
        &[("Sec-Fetch-Site", "same-site"), ("Origin", ORIGIN)],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "https://postly.test")],
        &[("Origin", "http://postly.test:8080")],
        &[("Origin", "http://postly.test@evil.example")],
        &[],
    ];
    let post = format!("/posts/{id}");
    let vote = format!("{post}/vote");
    let paths: [(&str, &str); 9] = [
        ("/posts", "title=x&content=y"),
        (&post, "_method=put&title=x"),
        (&post, "_method=delete"),
        (&vote, "_method=put"),
        ("/posts/preview", "content=y"),
        ("/login", "username=a&password=b"),
        ("/register", "username=a&password=b"),
        ("/logout", ""),
        ("/admin/users/ann", "_method=delete"),
    ];
    for headers in foreign {
        for (path, body) in paths {
            let mut all: Vec<Header<'static>> =
                headers.iter().map(|(name, value)| Header::new(*name, value.to_string())).collect();
            all.push(Header::new("Cookie", cookie.clone()));
            all.push(ContentType::Form.into());
            let refused = send(&app, Method::Post, path, all, Some(body)).await;
            assert_eq!(refused.status, 403, "{headers:?} {path}");
            assert!(refused.body.contains("another site"));
            // Whoever runs the site under another address needs to know what to change.
            let text = refused.body.replace("&#x2F;", "/");
            assert!(text.contains(ORIGIN) && text.contains("POSTLY_PUBLIC_URL"), "{text}");
        }
    }
    assert_eq!(ann.page().get("/me").await.status, 200, "nobody was logged out");
    let posts = ann.api().get("/posts").await.json();
    assert_eq!(
        (posts["items"].as_array().unwrap().len(), &posts["items"][0]["title"]),
        (1, &json!("Tides"))
    );
    let ours = vec![
        Header::new("Sec-Fetch-Site", "same-origin"),
        Header::new("Origin", ORIGIN),
        Header::new("Cookie", cookie),
        ContentType::Form.into(),
    ];
    assert_eq!(
        send(&app, Method::Post, "/posts", ours, Some("title=x&content=y")).await.status,
        303
    );
}

//! Scripts of other sites: they may use the API if the operator has named their site.

use rocket::http::Method::{Get, Options, Put};
use rocket::http::{ContentType, Header, Method};

use crate::support::{App, Response, send};

const APP: &str = "https://app.example";

async fn ask(
    app: &App,
    method: Method,
    path: &str,
    origin: &str,
    more: &[(&'static str, &'static str)],
) -> Response {
    let mut headers = vec![Header::new("Origin", origin.to_owned()), ContentType::JSON.into()];
    headers.extend(more.iter().map(|(name, value)| Header::new(*name, *value)));
    send(app, method, path, headers, None::<&str>).await
}

const PREFLIGHT: [(&str, &str); 2] = [
    ("Access-Control-Request-Method", "PUT"),
    ("Access-Control-Request-Headers", "authorization,content-type,if-match"),
];

/// Whether a cache is told that the answer differs by origin.
fn differs_by_origin(answer: &Response) -> bool {
    answer.headers.iter().any(|(name, value)| name == "vary" && value == "Origin")
}

#[rocket::async_test]
async fn named_sites_may_use_the_api_and_no_other_may() {
    let app = App::with(&[("cors_origins", "https://app.example, http://localhost:5173")]).await;
    for origin in [APP, "http://localhost:5173"] {
        let list = ask(&app, Get, "/api/v1/posts", origin, &[]).await;
        assert_eq!((list.status, list.header("access-control-allow-origin")), (200, Some(origin)));
        let exposed = list.header("access-control-expose-headers").unwrap();
        for name in ["Link", "ETag", "Location", "RateLimit", "Retry-After", "X-Request-Id"] {
            assert!(exposed.split(", ").any(|header| header == name), "{name} in {exposed}");
        }
        assert_eq!(list.header("access-control-allow-credentials"), None, "never with cookies");
        assert!(differs_by_origin(&list));
        let asked = ask(&app, Options, "/api/v1/posts/1", origin, &PREFLIGHT).await;
        assert_eq!((asked.status, asked.body.as_str()), (204, ""));
        assert_eq!(asked.header("access-control-allow-origin"), Some(origin));
        assert!(asked.header("access-control-allow-methods").unwrap().contains("PUT"));
        let allowed = asked.header("access-control-allow-headers").unwrap().to_lowercase();
        for name in ["authorization", "content-type", "if-match"] {
            assert!(allowed.contains(name), "{name} in {allowed}");
        }
        let failed = ask(&app, Put, "/api/v1/posts/1", origin, &[]).await;
        assert_eq!(failed.status, 401, "errors can be read, too");
        assert_eq!(failed.header("access-control-allow-origin"), Some(origin));
    }
    for origin in ["https://evil.example", "http://app.example", "https://app.example:8443", "null"]
    {
        let list = ask(&app, Get, "/api/v1/posts", origin, &[]).await;
        assert_eq!((list.status, list.header("access-control-allow-origin")), (200, None));
        assert!(differs_by_origin(&list));
        let asked = ask(&app, Options, "/api/v1/posts/1", origin, &PREFLIGHT).await;
        assert_eq!(asked.header("access-control-allow-methods"), None, "{origin}");
        assert_eq!(asked.header("access-control-allow-origin"), None);
    }
    for path in ["/", "/login", "/healthz", "/theme.css"] {
        let page = ask(&app, Get, path, APP, &[]).await;
        assert_eq!(page.header("access-control-allow-origin"), None, "{path} is no API");
        let asked = ask(&app, Options, path, APP, &PREFLIGHT).await;
        assert_eq!(asked.header("access-control-allow-origin"), None);
    }
}

#[rocket::async_test]
async fn without_a_configuration_there_is_no_sharing() {
    let app = App::new().await;
    let list = ask(&app, Get, "/api/v1/posts", APP, &[]).await;
    assert_eq!(list.header("access-control-allow-origin"), None);
    assert!(!differs_by_origin(&list));
    let asked = ask(&app, Options, "/api/v1/posts/1", APP, &PREFLIGHT).await;
    assert_eq!((asked.status, asked.header("access-control-allow-origin")), (204, None));
    assert_eq!(asked.header("access-control-allow-methods"), None);
}

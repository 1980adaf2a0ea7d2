//! What a shared cache, such as Varnish with the shipped configuration, may keep: for a second, and
//! nothing that is for one person.

use serde_json::json;
use ureq::Agent;
use ureq::http::{Request, Response};

use crate::support::App;
use crate::support::binary::{Caller, Server, Site, eventually};
use crate::support::varnish::Varnish;

/// Varnish keeps everything for so long that nothing ends by itself during the test.
const FOR_LONG: &str = "sub vcl_backend_response {
    if (beresp.http.Cache-Control ~ \"s-maxage\") { set beresp.ttl = 1h; }
}";

fn ask(url: &str, method: &str, headers: &[(&str, &str)]) -> (Response<()>, String) {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
    let agent: Agent = config.allow_non_standard_methods(true).build().into();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut response = agent.run(request.body(()).unwrap()).unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    (response.map(drop), body)
}

fn header<'a>(response: &'a Response<()>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

/// Whether Varnish gave an answer that it had: it names the request that brought it, too.
fn was_kept(response: &Response<()>) -> bool {
    header(response, "x-varnish").contains(' ')
}

fn behind_varnish(more: &str) -> (Site, Server, Varnish, Caller) {
    let site = Site::new();
    let server = site.start();
    let upstream = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let varnish = Varnish::start(upstream, more);
    let ann = server.newcomer("ann").through(varnish.url());
    (site, server, varnish, ann)
}

#[test]
fn varnish_keeps_what_is_public_and_passes_on_the_rest() {
    let (_site, _server, varnish, ann) = behind_varnish(FOR_LONG);
    let id = ann.posts("Tides");
    let slug = json!({"slug": "kept"});
    assert_eq!(ann.ask("PATCH", &format!("/posts/{id}"), Some(slug)).status, 200);
    let post = format!("{}/posts/{id}/kept", varnish.url());
    let json = format!("{}/api/v1/posts/{id}", varnish.url());
    let feed = format!("{}/", varnish.url());
    for url in [&post, &json, &feed] {
        assert!(!was_kept(&ask(url, "GET", &[]).0), "{url}");
        let (kept, body) = ask(url, "GET", &[("Cookie", "statistics=1; postly_device=x")]);
        assert!(was_kept(&kept) && body.contains("Tides"), "{url}");
        assert_eq!(header(&kept, "surrogate-key"), "", "{url}");
    }
    // One for each theme.
    let dark = [("Cookie", "a=b; postly_theme=dark; c=d")];
    assert!(ask(&feed, "GET", &dark).1.contains("data-theme=\"dark\""));
    assert!(was_kept(&ask(&feed, "GET", &[("Cookie", "postly_theme=dark")]).0));
    assert!(!ask(&feed, "GET", &[]).1.contains("data-theme"));
    // Who is logged in, and who has a notice to read, gets an answer of their own.
    let cookie = format!("x=y; postly={}", ann.cookie().unwrap());
    let token = format!("Bearer {}", ann.token.clone().unwrap());
    for (url, name, value) in [
        (&feed, "Cookie", cookie.as_str()),
        (&json, "Authorization", token.as_str()),
        (&feed, "Cookie", "postly_flash=logged-out"),
    ] {
        for _ in 0..2 {
            let (passed, body) = ask(url, "GET", &[(name, value)]);
            assert!(!was_kept(&passed), "{url} with {name}: {value}");
            let control = header(&passed, "cache-control");
            assert!(control == "no-store" || control == "private, no-cache", "{control}");
            let is_own = value != cookie || body.contains("href=\"/me\"");
            assert!(is_own, "{body}");
        }
    }
    assert!(!ask(&feed, "GET", &[]).1.contains("href=\"/me\""));

    // An edit is not seen until Varnish is told to forget.
    let edit = json!({"title": "Ebb"});
    assert_eq!(ann.ask("PATCH", &format!("/posts/{id}"), Some(edit)).status, 200);
    assert!(ask(&post, "GET", &[]).1.contains("Tides"));
    let forget = |key: &str| ask(&feed, "PURGE", &[("Surrogate-Key", key)]).0.status().as_u16();
    assert_eq!(forget("posts-1 || true"), 400);
    assert_eq!(forget(&format!("posts-{id}")), 200);
    for (url, title) in [(&post, "Ebb"), (&json, "Ebb"), (&feed, "Tides")] {
        assert!(ask(url, "GET", &[]).1.contains(title), "{url}");
    }
    assert_eq!(forget("content"), 200);
    assert!(ask(&feed, "GET", &[]).1.contains("Ebb"));
}

#[test]
fn varnish_shows_a_change_by_itself() {
    let (_site, _server, varnish, ann) = behind_varnish("");
    let id = ann.posts("Tides");
    let slug = json!({"slug": "kept"});
    assert_eq!(ann.ask("PATCH", &format!("/posts/{id}"), Some(slug)).status, 200);
    let post = format!("{}/posts/{id}/kept", varnish.url());
    eventually("Varnish has kept it", || was_kept(&ask(&post, "GET", &[]).0));
    assert_eq!(
        ann.ask("PATCH", &format!("/posts/{id}"), Some(json!({"title": "Ebb"}))).status,
        200
    );
    eventually("the change is seen", || ask(&post, "GET", &[]).1.contains("Ebb"));
}

#[rocket::async_test]
async fn what_is_public_says_so_and_nothing_else_does() {
    let app = App::new().await;
    let (ann, nobody) = (app.user("ann").await, app.nobody());
    let id = ann.posts("Tides").await;
    let public = Some("public, max-age=0, must-revalidate, s-maxage=1");
    let path = format!("/posts/{id}");
    for (answer, keys) in [
        (nobody.page().get("/").await, "content".to_owned()),
        (nobody.page().get(&path).await, format!("content posts-{id}")),
        (nobody.api().get(&path).await, format!("content posts-{id}")),
        (nobody.page().get("/users/ann").await, "content users-ann".to_owned()),
    ] {
        assert_eq!(answer.header("cache-control"), public);
        assert_eq!(answer.header("surrogate-key"), Some(keys.as_str()));
    }
    for answer in [
        ann.page().get("/").await,
        ann.api().get("/posts").await,
        ann.api().get(&path).await,
        nobody.page().get("/login").await,
        nobody.page().get("/posts/999").await,
        nobody.api().get("/posts/999").await,
        app.nobody().with_cookie("postly_flash", "logged-out").page().get("/").await,
        app.nobody().with_token("wrong").api().get("/posts").await,
    ] {
        let control = answer.header("cache-control").unwrap_or_default();
        assert!(!control.contains("public") && !control.contains("s-maxage"), "{control}");
        assert_eq!(answer.header("surrogate-key"), None);
    }
}

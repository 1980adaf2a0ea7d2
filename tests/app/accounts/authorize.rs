//! Authorization code with PKCE (RFC 6749 §4.1, RFC 7636, RFC 9207, RFC 9700): requests and consent.

use rocket::http::Header;
use rocket::http::Method::{Get, Post};
use serde_json::{Value, json};

use crate::support::internals::sql;
use crate::support::oauth_client::{Answer, OAuthClient, Proof, REDIRECT_URI, VERIFIER};
use crate::support::permission::{Permission, page_only};
use crate::support::{App, ORIGIN, PASSWORD, Person, Response, encode, send};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/oauth/authorize", [303, 400, 400, 400]),
        page_only(Post, "/oauth/authorize", [307, 400, 400, 400]),
    ]
}

fn pairs<'p>(form: &'p [(&'static str, String)]) -> Vec<(&'static str, &'p str)> {
    form.iter().map(|(key, value)| (*key, value.as_str())).collect()
}

/// Opens the consent page for these parameters.
async fn open(person: &Person<'_>, form: &[(&'static str, String)]) -> Response {
    person.page().get(&format!("/oauth/authorize?{}", encode(&pairs(form)))).await
}

pub fn text(json: &Value, name: &str) -> String {
    json[name].as_str().unwrap_or_else(|| panic!("{name} in {json}")).to_owned()
}

pub fn error(response: &Response) -> (u16, String) {
    assert_eq!(response.header("cache-control"), Some("no-store"));
    (response.status, text(&response.json(), "error"))
}

#[rocket::async_test]
async fn a_person_gives_a_program_access_and_it_gets_tokens_for_that_alone() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    for proof in [Proof::Basic, Proof::Post, Proof::None] {
        let client = OAuthClient::register(&bob, proof).await;
        let page = open(&ann, &client.request("posts:read account")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        for words in [
            "Give “Tide Tables” access?",
            "<strong>ann</strong>",
            "<li>read posts, votes and people</li>",
            "<li>see your account and end your sessions</li>",
            "href=\"/users/bob\"",
            "tides.example",
        ] {
            assert!(page.body.contains(words), "{words} in {}", page.body);
        }
        assert!(!page.body.contains("write, edit"), "{}", page.body);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("form-action 'self' https:;"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");

        let answer = client.ask(&ann, "posts:read account", "allow").await;
        assert_eq!(answer.to, REDIRECT_URI);
        assert_eq!(answer.get("state").as_deref(), Some("a state & more"));
        assert_eq!(answer.get("iss").as_deref(), Some(ORIGIN));
        let code = answer.get("code").unwrap();
        let tokens = client.exchange(&app, &code).await;
        assert_eq!((tokens.status, tokens.header("cache-control")), (200, Some("no-store")));
        let tokens = tokens.json();
        assert_eq!(text(&tokens, "scope"), "posts:read account");
        assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(600)));
        let program = app.nobody().with_token(&text(&tokens, "access_token"));
        assert_eq!(program.api().get("/me").await.json()["username"], "ann");
        let post = program.api().post("/posts", json!({"title": "x", "content": "x"})).await;
        assert_eq!(post.json()["code"], "insufficient_scope");
        for path in ["/me/tokens", "/me/applications", "/me/two-factor"] {
            assert_eq!(program.api().get(path).await.status, 403, "{path}");
        }

        let next = client.refresh(&app, &text(&tokens, "refresh_token")).await;
        assert_eq!(
            (next.status, text(&next.json(), "scope").as_str()),
            (200, "posts:read account")
        );
        let program = app.nobody().with_token(&text(&next.json(), "access_token"));
        assert_eq!(program.api().get("/me").await.status, 200);
        assert_eq!(program.api().get("/me/tokens").await.status, 403);
    }
    let events = ann.api().get("/me/events").await.json();
    let event = &events["items"][1];
    assert_eq!(text(event, "kind"), "application.authorized");
    assert_eq!(text(event, "detail"), "number 3: posts:read account");
    assert_eq!(text(&events["items"][0], "detail"), "application number 3", "{events}");
}

#[rocket::async_test]
async fn without_a_scope_a_program_may_read_posts() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::None).await;
    assert_eq!(text(&client.connect(&ann, "").await, "scope"), "posts:read");
}

#[rocket::async_test]
async fn a_person_who_is_not_logged_in_logs_in_first_and_comes_back() {
    let app = App::new().await;
    let bob = app.user("bob").await;
    let client = OAuthClient::register(&bob, Proof::None).await;
    let path = format!("/oauth/authorize?{}", encode(&pairs(&client.request("account"))));
    let sent = app.nobody().page().get(&path).await;
    assert_eq!(sent.status, 303);
    let to_login = sent.header("location").unwrap().to_owned();
    let form = app.nobody().page().get(&to_login).await;
    let next = url::Url::parse(&format!("http://x{to_login}")).unwrap();
    let next = next.query_pairs().next().unwrap().1.into_owned();
    assert_eq!(next, path);
    assert!(form.body.contains("name=\"next\" value=\"&#x2F;oauth&#x2F;authorize"));
    let login = [("username", "bob"), ("password", PASSWORD), ("next", &next)];
    let back = app.nobody().page().post("/login", &login).await;
    assert_eq!(back.header("location"), Some(path.as_str()));
}

#[rocket::async_test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::None).await;
    let mut requests = Vec::new();
    for uri in [
        "https://evil.example/",
        "https://tides.example/callback/",
        "https://tides.example/callback?x=y",
        "https://tides.example/callback#x",
        "https://tides.example.evil.example/callback",
        "https://tides.example@evil.example/callback",
        "http://127.0.0.1:5000@evil.example/callback",
        "http://127.0.0.1.evil.example/callback",
        "http://tides.example/callback",
        "//evil.example",
        "javascript:alert(1)",
        "",
    ] {
        let client = OAuthClient { redirect_uri: uri.to_owned(), ..client.clone() };
        requests.push(client.request("account"));
    }
    requests
        .push(OAuthClient { client_id: "unknown".to_owned(), ..client.clone() }.request("account"));
    let mut twice = client.request("account");
    twice.push(("redirect_uri", "https://evil.example/".to_owned()));
    requests.push(twice);
    let mut twice = client.request("account");
    twice.push(("client_id", client.client_id.clone()));
    requests.push(twice);
    requests.push(vec![]);
    for request in &mut requests {
        let page = open(&ann, request).await;
        assert_eq!((page.status, page.header("location")), (400, None), "{request:?}");
        assert!(page.body.contains("Nothing was shared"), "{}", page.body);
        request.push(("decision", "allow".to_owned()));
        let decided = ann.page().post("/oauth/authorize", &pairs(request)).await;
        assert_eq!((decided.status, decided.header("location")), (400, None), "{request:?}");
    }
}

#[rocket::async_test]
async fn a_program_is_told_what_is_wrong_with_its_request() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::None).await;
    let long = "s".repeat(2_000);
    for (name, value, expected) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("scope", "everything", "invalid_scope"),
        ("scope", "admin", "invalid_scope"),
        ("scope", " ", "invalid_scope"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("state", &long, "invalid_request"),
    ] {
        let mut request = client.request("account");
        request.iter_mut().find(|(key, _)| *key == name).unwrap().1 = value.to_owned();
        let answer = Answer::of(&open(&ann, &request).await);
        assert_eq!(answer.to, REDIRECT_URI);
        assert_eq!(answer.get("error").as_deref(), Some(expected), "{name}={value}");
        assert_eq!(answer.get("iss").as_deref(), Some(ORIGIN));
        assert!(answer.get("state").is_some() && answer.get("code").is_none(), "{answer:?}");
        if name != "state" {
            request.push(("decision", "allow".to_owned()));
            let decided = ann.page().post("/oauth/authorize", &pairs(&request)).await;
            assert_eq!(Answer::of(&decided).get("error").as_deref(), Some(expected));
        }
    }
    let mut twice = client.request("account");
    twice.push(("scope", "posts:read".to_owned()));
    assert_eq!(Answer::of(&open(&ann, &twice).await).get("error").unwrap(), "invalid_request");

    let denied = client.ask(&ann, "account", "deny").await;
    assert_eq!(denied.get("error").as_deref(), Some("access_denied"));
    assert_eq!(denied.get("state").as_deref(), Some("a state & more"));
    let nothing = client.ask(&ann, "account", "").await;
    assert_eq!(nothing.get("error").as_deref(), Some("access_denied"));

    // From a form of this site, Chromium would not follow the redirect.
    let mut request = client.request("everything");
    request.retain(|(name, _)| *name != "state");
    let headers = vec![
        Header::new("Cookie", format!("postly={}", ann.cookie.clone().unwrap())),
        Header::new("Sec-Fetch-Site", "same-origin"),
    ];
    let path = format!("/oauth/authorize?{}", encode(&pairs(&request)));
    let page = send(&app, Get, &path, headers, None::<&str>).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("tides.example&#x2F;callback?error=invalid_scope"), "{}", page.body);
}

#[rocket::async_test]
async fn a_consent_must_come_from_the_page_of_this_site() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::None).await;
    let mut request = client.request("account");
    request.push(("decision", "allow".to_owned()));
    let headers = vec![
        rocket::http::ContentType::Form.into(),
        Header::new("Cookie", format!("postly={}", ann.cookie.clone().unwrap())),
        Header::new("Origin", "https://tides.example"),
    ];
    let form = Some(encode(&pairs(&request)));
    assert_eq!(send(&app, Post, "/oauth/authorize", headers, form).await.status, 403);
    let codes: i64 = sql("SELECT count(*) FROM authorization_codes").scalar(&app.db).await.unwrap();
    assert_eq!(codes, 0);
}

#[rocket::async_test]
async fn a_native_program_may_listen_at_any_port_of_its_device() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::None).await;
    for (uri, sources, words) in [
        ("http://127.0.0.1:51004/callback", "'self' http: https:;", "a program on this device"),
        ("com.example.tides:/done", "'self' com.example.tides:;", "com.example.tides"),
    ] {
        let client = OAuthClient { redirect_uri: uri.to_owned(), ..client.clone() };
        let page = open(&ann, &client.request("account")).await;
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains(&format!("form-action {sources}")), "{policy}");
        assert!(page.body.contains(words), "{}", page.body);
        let answer = client.ask(&ann, "account", "allow").await;
        assert_eq!(answer.to, uri);
        let code = answer.get("code").unwrap();
        let other = client.exchange_with(&app, &code, "http://127.0.0.1:51005/callback", VERIFIER);
        assert_eq!(error(&other.await), (400, "invalid_grant".to_owned()), "another port");
        assert_eq!(client.exchange(&app, &code).await.status, 200);
    }
}

//! Scopes of sessions (RFC 6749 §3.3 and §6), and what the challenges of the API door say (RFC 6750,
//! RFC 9728).

use rocket::http::ContentType;
use rocket::http::Header;
use rocket::http::Method::{Get, Post};
use serde_json::json;

use crate::support::{App, ORIGIN, PASSWORD, Response, encode, send};

async fn token(app: &App, fields: &[(&str, &str)]) -> Response {
    let headers = vec![ContentType::Form.into()];
    send(app, Post, "/api/v1/auth/token", headers, Some(encode(fields))).await
}

async fn by_password(app: &App, name: &str, scope: Option<&str>) -> Response {
    let mut fields = vec![("grant_type", "password"), ("username", name), ("password", PASSWORD)];
    fields.extend(scope.map(|scope| ("scope", scope)));
    token(app, &fields).await
}

async fn renew(app: &App, refresh_token: &str, scope: Option<&str>) -> Response {
    let mut fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
    fields.extend(scope.map(|scope| ("scope", scope)));
    token(app, &fields).await
}

fn field(response: &Response, name: &str) -> String {
    let text = response.json()[name].as_str().map(str::to_owned);
    text.unwrap_or_else(|| panic!("{name} in {}", response.body))
}

#[rocket::async_test]
async fn a_session_is_restricted_to_the_scopes_that_were_asked_for() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = ann.posts("Tides").await;
    let tokens = by_password(&app, "ann", Some("posts:read account posts:read")).await;
    assert_eq!((tokens.status, field(&tokens, "scope").as_str()), (200, "posts:read account"));
    let mut refresh_token = field(&tokens, "refresh_token");
    let mut access = field(&tokens, "access_token");
    for round in 0..2 {
        let program = app.nobody().with_token(&access);
        assert_eq!(program.api().get("/me").await.status, 200, "{round}");
        assert_eq!(program.api().get(&format!("/posts/{post}")).await.status, 200);
        let refused = program.api().put(&format!("/posts/{post}"), json!({"title": "x"})).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (403, Some("insufficient_scope"))
        );
        for path in ["/me/tokens", "/me/two-factor"] {
            assert_eq!(program.api().get(path).await.status, 403, "{path}");
        }
        let change = json!({"current": PASSWORD, "password": "seven marble lanterns drift"});
        assert_eq!(program.api().put("/me/password", change).await.status, 403);
        let more = json!({"name": "more", "scopes": "posts:write"});
        assert_eq!(program.api().post("/me/tokens", more).await.status, 403);
        assert_eq!(
            program.api().post("/auth/sudo", json!({"password": PASSWORD})).await.status,
            403
        );
        let page = crate::support::Person { cookie: Some(access), ..app.nobody() };
        assert_eq!(page.page().get("/me").await.status, 303, "it is not a cookie");
        // Nor does an exchange widen it.
        let next = renew(&app, &refresh_token, None).await;
        assert_eq!(field(&next, "scope"), "posts:read account");
        refresh_token = field(&next, "refresh_token");
        access = field(&next, "access_token");
    }
    let wider = renew(&app, &refresh_token, Some("posts:read posts:write")).await;
    assert_eq!((wider.status, field(&wider, "error").as_str()), (400, "invalid_scope"));
    let again = renew(&app, &refresh_token, Some("posts:read")).await;
    assert_eq!(again.status, 200, "a refusal does not use the token up: {}", again.body);

    let listed = ann.api().get("/me/sessions").await.json();
    let scopes: Vec<_> =
        listed["items"].as_array().unwrap().iter().map(|one| one["scopes"].clone()).collect();
    assert!(scopes.contains(&json!(["posts:read", "account"])), "{scopes:?}");
    assert!(scopes.contains(&json!(null)), "{scopes:?}");
    assert!(ann.page().get("/me/sessions").await.body.contains("posts:read, account"));
}

/// RFC 6749 §6: the scope of an exchange concerns the access token; the refresh token keeps its own.
#[rocket::async_test]
async fn an_exchange_can_ask_for_less() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let narrow = renew(&app, &ann.refresh_token.clone().unwrap(), Some("posts:read")).await;
    assert_eq!((narrow.status, field(&narrow, "scope").as_str()), (200, "posts:read"));
    let program = app.nobody().with_token(&field(&narrow, "access_token"));
    assert_eq!(program.api().get("/posts").await.status, 200);
    assert_eq!(program.api().get("/me").await.status, 403);
    assert_eq!(program.api().get("/me/tokens").await.status, 403, "no full session either");
    let whole = renew(&app, &field(&narrow, "refresh_token"), None).await;
    assert_eq!(field(&whole, "scope"), "posts:read posts:write account");
    let program = app.nobody().with_token(&field(&whole, "access_token"));
    assert_eq!(program.api().get("/me/tokens").await.status, 200);
}

#[rocket::async_test]
async fn the_answer_always_tells_the_scope_and_an_unknown_one_is_refused() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    app.admin("root").await;
    for scope in [None, Some(""), Some(" ")] {
        let tokens = by_password(&app, "ann", scope).await;
        assert_eq!(field(&tokens, "scope"), "posts:read posts:write account", "{scope:?}");
        let whole = app.nobody().with_token(&field(&tokens, "access_token"));
        assert_eq!(whole.api().get("/me/tokens").await.status, 200, "a full session");
    }
    assert_eq!(
        field(&by_password(&app, "root", None).await, "scope"),
        "posts:read posts:write account admin"
    );
    let login = json!({"username": "ann", "password": PASSWORD});
    let login = app.nobody().api().post("/auth/login", login).await;
    assert_eq!(field(&login, "scope"), "posts:read posts:write account");
    let body = json!({"refresh_token": field(&login, "refresh_token")});
    let next = app.nobody().api().post("/auth/refresh", body).await;
    assert_eq!(field(&next, "scope"), "posts:read posts:write account");

    let before = ann.api().get("/me/sessions").await.json()["items"].as_array().unwrap().len();
    for scope in
        ["everything", "posts:read everything", "admin", "POSTS:READ", "posts:read,account"]
    {
        let refused = by_password(&app, "ann", Some(scope)).await;
        assert_eq!((refused.status, field(&refused, "error").as_str()), (400, "invalid_scope"));
        assert_eq!(refused.header("cache-control"), Some("no-store"));
    }
    let after = ann.api().get("/me/sessions").await.json()["items"].as_array().unwrap().len();
    assert_eq!(after, before, "no session was opened");
    let admin = by_password(&app, "root", Some("admin")).await;
    let admin = app.nobody().with_token(&field(&admin, "access_token"));
    assert_eq!(admin.api().get("/admin/users").await.status, 200);
    assert_eq!(admin.api().get("/me").await.status, 403);
}

#[rocket::async_test]
async fn a_session_with_the_scope_account_knows_itself_and_may_end_others() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let tokens = by_password(&app, "ann", Some("account")).await;
    let program = app.nobody().with_token(&field(&tokens, "access_token"));
    let listed = program.api().get("/me/sessions").await.json();
    assert_eq!(listed["items"][0]["current"], true, "{listed}");
    assert_eq!(program.api().delete("/me/sessions").await.status, 204);
    assert_eq!(program.api().get("/me").await.status, 200, "its own stays");
    assert_eq!(ann.api().get("/me").await.status, 401);
}

#[rocket::async_test]
async fn challenges_have_an_error_only_for_a_bearer_token_and_lead_to_the_metadata() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let metadata =
        format!("resource_metadata=\"{ORIGIN}/.well-known/oauth-protected-resource/api/v1\"");
    let challenge = |response: &Response, status: u16| {
        assert_eq!(response.status, status, "{}", response.body);
        let all: Vec<_> =
            response.headers.iter().filter(|(name, _)| name == "www-authenticate").collect();
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].1.contains(&metadata), "{all:?}");
        all[0].1.clone()
    };
    let wrong = json!({"username": "ann", "password": "wrong"});
    let wrong = app.nobody().api().post("/auth/login", wrong).await;
    let nothing = app.nobody().api().get("/me").await;
    let basic = vec![Header::new("Authorization", "Basic YW5uOng=")];
    let basic = send(&app, Get, "/api/v1/me", basic, None::<&str>).await;
    let refresh = json!({"refresh_token": "prt_unknown"});
    let refresh = app.nobody().api().post("/auth/refresh", refresh).await;
    for response in [wrong, nothing, basic, refresh] {
        let challenge = challenge(&response, 401);
        assert!(challenge.starts_with("Bearer realm=") && !challenge.contains("error="));
    }
    for bad in ["nonsense", "pst_unknown"] {
        let refused = app.nobody().with_token(bad).api().get("/me").await;
        assert!(challenge(&refused, 401).contains("error=\"invalid_token\""));
    }
    ann.api().post("/auth/logout", json!({})).await;
    assert!(challenge(&ann.api().get("/me").await, 401).contains("error=\"invalid_token\""));
    let ann = app.log_in("ann").await;
    let tokens = by_password(&app, "ann", Some("posts:read")).await;
    let program = app.nobody().with_token(&field(&tokens, "access_token"));
    let refused = challenge(&program.api().get("/me").await, 403);
    assert!(refused.contains("error=\"insufficient_scope\", scope=\"account\""), "{refused}");
    assert_eq!(ann.page().get("/nowhere").await.header("www-authenticate"), None);
}

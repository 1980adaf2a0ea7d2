//! OAuth: the password grant, refresh tokens, revocation (RFC 6749 §4.3 and §6, RFC 7009, RFC 9700
//! §4.14).

use std::collections::HashSet;

use rocket::futures::future::join_all;
use rocket::http::ContentType;
use rocket::http::Method::Post;
use serde_json::json;

use crate::support::internals::{now, sha256, sql};
use crate::support::permission::{Permission, api_only};
use crate::support::{App, PASSWORD, Person, Response, encode, send};

pub fn permissions() -> Vec<Permission> {
    vec![
        api_only(Post, "/auth/token", [200; 4]).by_form().with(&[
            ("grant_type", "password"),
            ("username", "aa"),
            ("password", PASSWORD),
        ]),
        api_only(Post, "/auth/refresh", [401; 4]).with(&[("refresh_token", "prt_unknown")]),
        api_only(Post, "/auth/revoke", [200; 4]).by_form().with(&[("token", "prt_unknown")]),
    ]
}

async fn refresh(app: &App, token: &str) -> Response {
    app.nobody().api().post("/auth/refresh", json!({"refresh_token": token})).await
}

async fn form(app: &App, path: &str, fields: &[(&str, &str)]) -> Response {
    let headers = vec![ContentType::Form.into()];
    send(app, Post, &format!("/api/v1/auth/{path}"), headers, Some(encode(fields))).await
}

fn field(response: &Response, name: &str) -> String {
    response.json()[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {}", response.body))
        .to_owned()
}

/// Moves all rotations so far one minute into the past.
async fn age(app: &App) {
    sql("UPDATE refresh_tokens SET created_at = $1")
        .bind(now() - chrono::Duration::minutes(1))
        .execute(app.db.writer())
        .await
        .unwrap();
}

#[rocket::async_test]
async fn the_oauth2_password_form_speaks_the_standard() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = async |fields: &[(&str, &str)]| {
        let headers = vec![ContentType::Form.into()];
        send(&app, Post, "/api/v1/auth/token", headers, Some(encode(fields))).await
    };
    let tokens =
        form(&[("grant_type", "password"), ("username", "ann"), ("password", PASSWORD)]).await;
    assert_eq!((tokens.status, tokens.header("cache-control")), (200, Some("no-store")));
    let token = tokens.json()["access_token"].as_str().map(str::to_owned);
    let again = Person { token, cookie: None, name: ann.name.clone(), ..ann };
    assert_eq!(again.api().get("/me").await.json()["username"], "ann");

    let wrong = [("grant_type", "password"), ("username", "ann"), ("password", "no")];
    for (fields, error) in [
        (&wrong[..], "invalid_grant"),
        (&[("grant_type", "client_credentials")][..], "unsupported_grant_type"),
        (&[("username", "ann"), ("password", PASSWORD)][..], "invalid_request"),
        (&[("grant_type", "password")][..], "invalid_request"),
    ] {
        let refused = form(fields).await;
        assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some(error)));
        assert_eq!(refused.header("cache-control"), Some("no-store"));
    }
}

#[rocket::async_test]
async fn a_refresh_token_is_exchanged_for_the_next() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let first = ann.refresh_token.clone().unwrap();
    let tokens = refresh(&app, &first).await;
    assert_eq!((tokens.status, tokens.header("cache-control")), (200, Some("no-store")));
    assert_eq!(tokens.json()["expires_in"], 600);
    let second = field(&tokens, "refresh_token");
    assert_ne!(second, first);
    let again = app.nobody().with_token(&field(&tokens, "access_token"));
    assert_eq!(again.api().get("/me").await.json()["username"], "ann");
    let grant = [("grant_type", "refresh_token"), ("refresh_token", second.as_str())];
    let third = form(&app, "token", &grant).await;
    assert_eq!((third.status, third.header("cache-control")), (200, Some("no-store")));
    assert_eq!(refresh(&app, &field(&third, "refresh_token")).await.status, 200);

    for bad in ["", "prt_unknown", &ann.token.clone().unwrap()] {
        let status = refresh(&app, bad).await.status;
        assert_eq!(status, if bad.is_empty() { 422 } else { 401 }, "{bad}");
        let grant = [("grant_type", "refresh_token"), ("refresh_token", bad)];
        assert_eq!(form(&app, "token", &grant).await.status, 400);
    }
    let as_access = app.nobody().with_token(&first);
    assert_eq!(as_access.api().get("/me").await.status, 401, "it is not an access token");
}

#[rocket::async_test]
async fn twenty_parallel_refreshes_have_one_successor() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let token = ann.refresh_token.clone().unwrap();
    let all = join_all((0..20).map(|_| refresh(&app, &token))).await;
    assert!(all.iter().all(|response| response.status == 200), "{all:?}");
    let next: HashSet<String> =
        all.iter().map(|response| field(response, "refresh_token")).collect();
    assert_eq!(next.len(), 1);
    let next = next.into_iter().next().unwrap();
    assert_eq!(refresh(&app, &next).await.status, 200, "the client stays logged in");
}

#[rocket::async_test]
async fn a_replayed_refresh_token_ends_its_family_and_is_told() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let stolen = ann.refresh_token.clone().unwrap();
    let mine = field(&refresh(&app, &stolen).await, "refresh_token");
    age(&app).await;
    let mine = field(&refresh(&app, &mine).await, "refresh_token");
    let thief = app.nobody().from("198.51.100.66");
    let body = json!({"refresh_token": stolen});
    assert_eq!(thief.api().post("/auth/refresh", body).await.status, 401);
    assert_eq!(refresh(&app, &mine).await.status, 401, "the whole family is revoked");
    assert_eq!(ann.api().get("/me").await.status, 401, "with its access tokens");
    let page = ann.page().get("/me/sessions").await;
    assert_eq!(page.status, 200, "the browser's session is another family");
    assert!(page.body.contains("copied token") && page.body.contains("198.51.100.66"));
    let ann = app.log_in("ann").await;
    let sessions = ann.api().get("/me/sessions").await.json();
    assert_eq!(sessions["replays"][0]["kind"], "token.replayed");
}

#[rocket::async_test]
async fn a_retry_within_the_grace_gets_the_same_successor() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let token = ann.refresh_token.clone().unwrap();
    let first = field(&refresh(&app, &token).await, "refresh_token");
    let second = field(&refresh(&app, &token).await, "refresh_token");
    assert_eq!(first, second);
    age(&app).await;
    assert_eq!(refresh(&app, &token).await.status, 401, "the grace period is not extended");
}

#[rocket::async_test]
async fn revoking_any_token_ends_what_it_stands_for() {
    let app = App::new().await;
    for kind in ["refresh", "access", "personal"] {
        let name = format!("ann-{kind}");
        let ann = app.user(&name).await;
        let (token, program) = match kind {
            "refresh" => (ann.refresh_token.clone().unwrap(), ann.token.clone().unwrap()),
            "access" => (ann.token.clone().unwrap(), ann.token.clone().unwrap()),
            _ => {
                let draft = json!({"name": "x", "scopes": "account"});
                let token = field(&ann.api().post("/me/tokens", draft).await, "token");
                (token.clone(), token)
            }
        };
        let program = app.nobody().with_token(&program);
        assert_eq!(program.api().get("/me").await.status, 200, "{kind}");
        assert_eq!(form(&app, "revoke", &[("token", &token)]).await.status, 200);
        assert_eq!(program.api().get("/me").await.status, 401, "{kind}");
        assert_eq!(
            form(&app, "revoke", &[("token", &token)]).await.status,
            200,
            "the second time too"
        );
    }
    assert_eq!(form(&app, "revoke", &[("token", "nonsense")]).await.status, 200);
    assert_eq!(form(&app, "revoke", &[]).await.json()["error"], "invalid_request");
}

#[rocket::async_test]
async fn the_database_holds_no_token_but_its_hash() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let draft = json!({"name": "x", "scopes": "account"});
    let personal = field(&ann.api().post("/me/tokens", draft).await, "token");
    let refresh = ann.refresh_token.clone().unwrap();
    for token in [&personal, &refresh] {
        // 256 bits in base64url after a prefix.
        assert_eq!(token.split_once('_').unwrap().1.len(), 43, "{token}");
    }
    let hashes: Vec<(String,)> =
        sql("SELECT hash FROM refresh_tokens UNION ALL SELECT hash FROM api_tokens")
            .all(&app.db)
            .await
            .unwrap();
    assert_eq!(hashes.len(), 2);
    for token in [personal, refresh] {
        let hash = sha256(&token);
        assert!(hashes.iter().any(|(kept,)| *kept == hash));
        assert!(hashes.iter().all(|(kept,)| !kept.contains(&token)));
    }
}

#[rocket::async_test]
async fn a_token_whose_successor_was_used_is_refused_and_kills_nothing_within_the_grace() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let first = ann.refresh_token.clone().unwrap();
    let second = field(&refresh(&app, &first).await, "refresh_token");
    let third = field(&refresh(&app, &second).await, "refresh_token");
    assert_eq!(refresh(&app, &first).await.status, 401, "the second one had arrived");
    assert_eq!(field(&refresh(&app, &second).await, "refresh_token"), third);
    assert_eq!(refresh(&app, &third).await.status, 200, "the session lives");
    age(&app).await;
    assert_eq!(refresh(&app, &first).await.status, 401);
    assert_eq!(ann.api().get("/me").await.status, 401, "a late replay ends it");
}

#[rocket::async_test]
async fn rows_are_bounded_and_the_oldest_token_is_still_recognised() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let first = ann.refresh_token.clone().unwrap();
    let stored = async || -> i64 {
        sql("SELECT count(*) FROM refresh_tokens").scalar(&app.db).await.unwrap()
    };
    let mut token = first.clone();
    for _ in 0..120 {
        token = field(&refresh(&app, &token).await, "refresh_token");
    }
    // On a slow machine, some are old enough to go before that.
    let rows = stored().await;
    assert!(rows <= 100, "{rows} rows, however fast they are exchanged");
    for _ in 0..3 {
        age(&app).await;
        token = field(&refresh(&app, &token).await, "refresh_token");
    }
    assert_eq!(stored().await, 2, "the last one, and the one that it replaced");
    assert_eq!(ann.api().get("/me").await.status, 200);
    assert_eq!(refresh(&app, &first).await.status, 401);
    assert_eq!(refresh(&app, &token).await.status, 401, "a replay ends the family");
    assert_eq!(ann.api().get("/me").await.status, 401);
    let ann = app.log_in("ann").await;
    let events = ann.api().get("/me/events").await.body;
    assert_eq!(events.matches("token.replayed").count(), 1);
}

#[rocket::async_test]
async fn parallel_revocations_are_one_event() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let draft = json!({"name": "x", "scopes": "account"});
    let personal = field(&ann.api().post("/me/tokens", draft).await, "token");
    for (token, kind) in [
        (ann.refresh_token.clone().unwrap(), "session.ended"),
        (personal, "token.revoked"),
        (app.log_in("ann").await.token.unwrap(), "logout"),
    ] {
        let fields = [("token", token.as_str())];
        let all = join_all((0..8).map(|_| form(&app, "revoke", &fields))).await;
        assert!(all.iter().all(|response| response.status == 200), "{all:?}");
        let (events,): (i64,) = sql("SELECT count(*) FROM audit_events WHERE kind = $1")
            .bind(kind)
            .one(&app.db)
            .await
            .unwrap();
        assert_eq!(events, 1, "{kind}");
    }
}

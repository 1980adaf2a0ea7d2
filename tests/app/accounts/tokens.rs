//! Personal API tokens: shown once, scoped, listed, revoked.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Post};
use rocket::http::{ContentType, Header};
use serde_json::json;
use strum::IntoEnumIterator;

use crate::support::internals::{API, Scope, now, sql};
use crate::support::permission::{MEMBERS, MEMBERS_CREATE, MEMBERS_NOT_FOUND, Permission, both};
use crate::support::{App, PASSWORD, Person, encode, send};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/me/tokens", MEMBERS),
        both(Post, "/me/tokens", MEMBERS_CREATE).with(&[("name", "x"), ("scopes", "posts:read")]),
        // The token in the path does not exist.
        both(Delete, "/me/tokens/<id>", MEMBERS_NOT_FOUND),
    ]
}

#[rocket::async_test]
async fn a_token_is_shown_once_used_and_revoked_at_both_doors() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let draft =
        json!({"name": " backup  script ", "scopes": ["posts:read", "account"], "days": 30});
    let created = ann.api().post("/me/tokens", draft).await;
    assert_eq!((created.status, created.header("location")), (201, Some("/api/v1/me/tokens/1")));
    let token = created.json()["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("pst_"));
    let program = app.nobody().with_token(&token).from("192.0.2.9");
    assert_eq!(program.api().get("/me").await.json()["username"], "ann");
    // The last use is recorded after the response.
    let list = loop {
        let list = ann.api().get("/me/tokens").await;
        if list.json()["items"][0]["last_used_at"].is_string() {
            break list;
        }
    };
    let kept = &list.json()["items"][0];
    assert_eq!(
        (&kept["name"], &kept["last_address"]),
        (&json!("backup script"), &json!("192.0.2.9"))
    );
    assert!(kept["last_used_at"].is_string() && !list.body.contains(&token));
    let page = ann.page().get("/me/tokens").await;
    assert!(page.body.contains("backup script") && !page.body.contains(&token));
    assert_eq!(ann.api().delete("/me/tokens/1").await.status, 204);
    assert_eq!(program.api().get("/me").await.status, 401);

    let form =
        [("name", "two"), ("scopes", "posts:read"), ("scopes", "posts:write"), ("days", "7")];
    let created = ann.page().post("/me/tokens", &form).await;
    let created = ann.shown_once(&created).await;
    let start = created.body.find("pst_").unwrap();
    let token = &created.body[start..start + 47];
    let program = app.nobody().with_token(token);
    assert_eq!(program.posts("By a program").await, 1);
    assert!(!ann.page().get("/me/tokens").await.body.contains(token));
    assert_eq!(ann.page().delete("/me/tokens/2", &[]).await.status, 303);
    assert_eq!(program.api().get("/posts").await.status, 401);
}

#[rocket::async_test]
async fn a_token_needs_a_name_scopes_and_an_end() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for (draft, fields) in [
        (json!({}), vec!["name", "scopes"]),
        (json!({"name": "x", "scopes": "everything"}), vec!["scopes"]),
        (json!({"name": "x", "scopes": "admin"}), vec!["scopes"]),
        (json!({"name": "x".repeat(81), "scopes": "account"}), vec!["name"]),
        (json!({"name": "x", "scopes": "account", "days": 0}), vec!["days"]),
        (json!({"name": "x", "scopes": "account", "days": 366}), vec!["days"]),
        (json!({"name": "x", "scopes": 7}), vec!["scopes"]),
    ] {
        let refused = ann.api().post("/me/tokens", draft.clone()).await;
        assert_eq!(
            (refused.status, refused.field_errors()),
            (422, fields.iter().map(|f| f.to_string()).collect()),
            "{draft}"
        );
    }
    let form = [("name", ""), ("scopes", "posts:write"), ("days", "30")];
    let page = ann.page().post("/me/tokens", &form).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("Give the token a name"));
    assert!(page.body.contains("value=\"posts:write\" checked"), "the selection is kept");
    assert_eq!(ann.api().get("/me/tokens").await.json()["items"], json!([]));
}

#[rocket::async_test]
async fn an_expired_token_opens_nothing() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let created =
        ann.api().post("/me/tokens", json!({"name": "x", "scopes": "account"})).await.json();
    let program = app.nobody().with_token(created["token"].as_str().unwrap());
    assert_eq!(program.api().get("/me").await.status, 200);
    sql("UPDATE api_tokens SET expires_at = $1")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(program.api().get("/me").await.status, 401);
    let as_cookie = Person { cookie: program.token.clone(), ..app.nobody() };
    assert_eq!(as_cookie.page().get("/me").await.status, 303, "it is not a cookie");
}

/// Every API route with a personal token and with a session of each scope: exactly what the matrix
/// says. 403 names the missing scope.
#[rocket::async_test]
async fn scopes_reach_as_far_as_the_table_says() {
    let app = App::with(&[("limits", "sessions=9999/h, sessions-address=9999/h")]).await;
    let root = app.admin("root").await;
    let mut programs = Vec::new();
    for scope in Scope::iter() {
        let draft = json!({"name": scope.as_str(), "scopes": scope.as_str()});
        let token = root.api().post("/me/tokens", draft).await.json()["token"].clone();
        programs.push((scope.as_str(), token.as_str().unwrap().to_owned()));
    }
    let mut asked = 0;
    for row in crate::house::permissions::all() {
        let Some(statuses) = row.api else { continue };
        // Handlers that do not authenticate ignore the token.
        if row.scope.is_none() && statuses[0] != 401 || row.path.starts_with("/auth/refresh") {
            continue;
        }
        let path = row.path.replace("<id>", "999").replace("<sid>", "0");
        let path = path
            .replace("<username>", "nobody-there")
            .replace("<tag>", "none")
            .replace("<number>", "9")
            .replace("<slug>", "any");
        let sessions = Scope::iter().map(|scope| (scope.as_str(), String::new()));
        for (scope, token) in programs.iter().cloned().chain(sessions) {
            // Anew: a program with the scope account may have ended it.
            let token = match token.is_empty() {
                true => restricted(&app, "root", scope).await,
                false => token,
            };
            let headers = vec![
                Header::new("Authorization", format!("Bearer {token}")),
                ContentType::JSON.into(),
            ];
            let body = (row.method != Get).then_some("{}");
            let response = send(&app, row.method, &format!("{API}{path}"), headers, body).await;
            let challenge = response.header("www-authenticate").unwrap_or_default();
            let context =
                format!("{} {path} with {scope}: {} {challenge}", row.method, response.status);
            match row.scope {
                Some(needed) if needed == scope => {
                    assert!(!matches!(response.status, 401 | 403), "{context}");
                }
                // What anybody may read, a token without the scope reads as anybody.
                Some(_) if statuses[0] < 400 => {
                    assert!(!matches!(response.status, 401 | 403), "{context}");
                }
                Some(needed) => {
                    assert_eq!(response.status, 403, "{context}");
                    assert!(challenge.contains("insufficient_scope"), "{context}");
                    assert!(challenge.contains(needed), "{context}");
                }
                None => assert!(matches!(response.status, 401 | 403), "{context}"),
            }
            asked += 1;
        }
    }
    assert!(asked > 100, "{asked}");
}

/// The access token of a session that is restricted to this scope.
async fn restricted(app: &App, name: &str, scope: &str) -> String {
    let fields =
        [("grant_type", "password"), ("username", name), ("password", PASSWORD), ("scope", scope)];
    let headers = vec![ContentType::Form.into()];
    let tokens = send(app, Post, "/api/v1/auth/token", headers, Some(encode(&fields))).await;
    tokens.json()["access_token"].as_str().unwrap().to_owned()
}

#[rocket::async_test]
async fn a_token_with_the_scope_admin_dies_with_the_role() {
    let app = App::new().await;
    let (root, ruth) = (app.admin("root").await, app.admin("ruth").await);
    let created =
        ruth.api().post("/me/tokens", json!({"name": "x", "scopes": "admin"})).await.json();
    let program = app.nobody().with_token(created["token"].as_str().unwrap());
    assert_eq!(program.api().get("/admin/users").await.status, 200);
    root.api().patch("/admin/users/ruth", json!({"role": "user"})).await;
    assert_eq!(program.api().get("/admin/users").await.status, 403);
}

#[rocket::async_test]
async fn the_limit_of_tokens_is_exact_also_for_parallel_requests() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let draft = json!({"name": "x", "scopes": "posts:read"});
    for _ in 0..45 {
        assert_eq!(ann.api().post("/me/tokens", draft.clone()).await.status, 201);
    }
    let all = join_all((0..12).map(|_| {
        let (ann, draft) = (&ann, draft.clone());
        async move { ann.api().post("/me/tokens", draft).await.status }
    }))
    .await;
    let count = |status| all.iter().filter(|s| **s == status).count();
    assert_eq!((count(201), count(409)), (5, 7), "{all:?}");
    let tokens = ann.api().get("/me/tokens").await.json();
    assert_eq!(tokens["items"].as_array().unwrap().len(), 50);
}

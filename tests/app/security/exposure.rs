//! Reads change nothing, and responses disclose no more than intended.

use rocket::http::{Header, Method};
use serde_json::{Value, json};

use crate::support::internals::sql;
use crate::support::oauth_client::{OAuthClient, Proof};
use crate::support::{App, send};

#[rocket::async_test]
async fn reading_changes_nothing_and_method_fields_reach_nothing_extra() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("Tides").await;
    let count = async || -> Vec<i64> {
        let (a, b, c, d, e): (i64, i64, i64, i64, i64) = sql("SELECT \
             (SELECT count(*) FROM users), (SELECT count(*) FROM posts), \
             (SELECT count(*) FROM sessions), (SELECT count(*) FROM audit_events), \
             (SELECT count(*) FROM api_tokens) + (SELECT count(*) FROM two_factors) \
             + (SELECT count(*) FROM jobs WHERE kind = 'mail') + (SELECT count(*) FROM link_tokens)")
        .one(&app.db)
        .await
        .unwrap();
        vec![a, b, c, d, e]
    };
    let before = count().await;
    let routes: Vec<_> = app.client.rocket().routes().cloned().collect();
    for route in routes.iter().filter(|route| route.method == Method::Get) {
        let path = route
            .uri
            .path()
            .replace("<id>", "1")
            .replace("<username>", "root")
            .replace("<tag>", "sea")
            .replace("<number>", "1")
            .replace("<slug>", "any");
        let path = path.replace("<path..>", "css/base.css");
        for method in [Method::Get, Method::Head] {
            let mut headers =
                vec![Header::new("Cookie", format!("postly={}", root.cookie.clone().unwrap()))];
            if path.starts_with("/api") {
                let token = root.token.clone().unwrap();
                headers.push(Header::new("Authorization", format!("Bearer {token}")));
            }
            let query = format!("{path}?_method=delete&token=x");
            let response = send(&app, method, &query, headers, None::<&str>).await;
            assert!(response.status < 500, "{method} {query}: {}", response.status);
        }
    }
    assert_eq!(count().await, before);
    for odd in ["get", "trace", "connect", "options", "head", "", "post;delete", "DELETE /"] {
        let response = root.page().with(odd, "/posts/1/edit", &[("title", "x")]).await;
        // The same as requesting the form.
        let reads = matches!(odd, "get" | "head") && response.status == 200;
        assert!(reads || (400..500).contains(&response.status), "{odd}: {}", response.status);
    }
    assert_eq!(count().await, before);
}

#[rocket::async_test]
async fn answers_carry_the_listed_fields_only() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("Tides").await;
    let keys = |value: &Value| -> String {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    let account = "created_at disabled_at email email_verified id mail_failed_at \
        mail_failed_reason mail_failed_to pending_email posts role username";
    assert_eq!(keys(&root.api().get("/me").await.json()), account);
    assert_eq!(keys(&root.api().get("/admin/users").await.json()["items"][0]), account);
    let person = root.api().get("/users/root").await.json();
    assert_eq!(keys(&person["user"]), "created_at id role username");
    let post = root.api().get("/posts/1").await.json();
    assert_eq!(keys(&post["author"]), "id username");
    let session = root.api().get("/me/sessions").await.json()["items"][0].clone();
    let seen = "address application client created_at current device expires_at id last_used_at \
        scopes user_agent";
    assert_eq!(keys(&session), seen);
    root.api().post("/me/tokens", json!({"name": "x", "scopes": "account"})).await;
    let token = root.api().get("/me/tokens").await.json()["items"][0].clone();
    let listed = "created_at expires_at id last_address last_used_at name scopes";
    assert_eq!(keys(&token), listed);
    let client = OAuthClient::register(&root, Proof::Basic).await;
    let application = root.api().get("/me/applications").await.json()["items"][0].clone();
    let listed = "client_id confidential created_at id name redirect_uris";
    assert_eq!(keys(&application), listed);
    let tokens = client.connect(&root, "account").await;
    let told = "access_token expires_in refresh_token scope token_type";
    assert_eq!(keys(&tokens), told);
    let access = root.api().get("/me/tokens").await.json()["applications"][0].clone();
    assert_eq!(keys(&access), "created_at id last_used_at name owner scopes");
    let event = root.api().get("/admin/audit").await.json()["items"][0].clone();
    let seen = "actor actor_id address at detail id kind request_id subject subject_id user_agent";
    assert_eq!(keys(&event), seen);
}

//! The document tells who may do what, as the authorization matrix does.

use serde_json::{Value, json};

use crate::house::permissions;
use crate::support::App;

#[rocket::async_test]
async fn the_document_states_the_scope_of_every_operation() {
    let document = App::new().await.nobody().api().get("/openapi.json").await.json();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        (&schemes["bearer"]["type"], &schemes["bearer"]["scheme"]),
        (&json!("http"), &json!("bearer"))
    );
    let scopes = schemes["oauth2"]["flows"]["password"]["scopes"].as_object().unwrap();
    let names: Vec<&str> = scopes.keys().map(String::as_str).collect();
    assert_eq!(names, ["account", "admin", "posts:read", "posts:write"]);
    for row in permissions::all() {
        let Some(statuses) = row.api else { continue };
        let path = row.path.replace('<', "{").replace('>', "}");
        let method = row.method.as_str().to_lowercase();
        let security = &document["paths"][&path][&method]["security"];
        let needed: Vec<&str> = row.scope.into_iter().collect();
        let ways = [json!({ "oauth2": needed }), json!({ "bearer": [] })];
        let anybody = statuses[0] != 401;
        let expected: Vec<Value> = match (anybody, row.scope) {
            (true, None) => vec![],
            (true, Some(_)) => [json!({})].into_iter().chain(ways).collect(),
            (false, _) => ways.to_vec(),
        };
        // A refused refresh token, or link, is 401 as well.
        if !anybody && row.path.starts_with("/auth/") && security == &json!([]) {
            continue;
        }
        assert_eq!(security, &json!(expected), "{method} {path}");
    }
}

/// A token without `posts:read` is no worse than none.
#[rocket::async_test]
async fn any_token_reads_what_anybody_may() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = ann.posts("Tides").await;
    bob.api().put(&format!("/posts/{id}/vote"), json!({})).await;
    let token = async |scope: &str| {
        let input = json!({"name": scope, "scopes": [scope]});
        let made = bob.api().post("/me/tokens", input).await.json();
        app.nobody().with_token(made["token"].as_str().unwrap())
    };
    let path = format!("/posts/{id}");
    let reader = token("posts:read").await.api().get(&path).await;
    assert_eq!(reader.json()["voted"], true);
    for scope in ["account", "posts:write"] {
        let other = token(scope).await;
        let post = other.api().get(&path).await;
        assert_eq!((post.status, &post.json()["voted"]), (200, &json!(false)), "{scope}");
        assert_eq!(other.api().get("/posts").await.json()["items"][0]["voted"], false);
    }
    let wrong = app.nobody().with_token("pst_wrong").api().get(&path).await;
    assert_eq!(wrong.status, 401, "a token that is no longer valid is still told");
}

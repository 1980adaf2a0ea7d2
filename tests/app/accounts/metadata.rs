//! The metadata of the authorization server (RFC 8414) and of the API (RFC 9728), and the switch of
//! the password grant.

use rocket::http::ContentType;
use rocket::http::Method::{Get, Post};
use serde_json::{Value, json};

use crate::support::permission::{Permission, page_only};
use crate::support::{App, ORIGIN, PASSWORD, encode, send};

const SERVER: &str = "/.well-known/oauth-authorization-server";
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, SERVER, [200; 4]),
        page_only(Get, RESOURCE, [200; 4]),
        page_only(Get, "/.well-known/oauth-protected-resource/api/v1", [200; 4]),
    ]
}

async fn read(app: &App, path: &str) -> Value {
    let response = app.nobody().page().get(path).await;
    assert_eq!(response.status, 200, "{path}");
    assert_eq!(response.header("content-type"), Some("application/json"));
    response.json()
}

#[rocket::async_test]
async fn a_client_finds_everything_that_it_needs() {
    let app = App::at("https://posts.example").await;
    let server = read(&app, SERVER).await;
    let origin = "https://posts.example";
    for (name, path) in [
        ("issuer", ""),
        ("authorization_endpoint", "/oauth/authorize"),
        ("token_endpoint", "/api/v1/auth/token"),
        ("revocation_endpoint", "/api/v1/auth/revoke"),
    ] {
        assert_eq!(server[name], format!("{origin}{path}"));
    }
    assert_eq!(server["response_types_supported"], json!(["code"]));
    assert_eq!(server["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(server["authorization_response_iss_parameter_supported"], true);
    let grants = json!(["authorization_code", "refresh_token", "password"]);
    assert_eq!(server["grant_types_supported"], grants);
    let methods = json!(["none", "client_secret_basic", "client_secret_post"]);
    assert_eq!(server["token_endpoint_auth_methods_supported"], methods);
    let scopes = json!(["posts:read", "posts:write", "account", "admin"]);
    assert_eq!(server["scopes_supported"], scopes);
    for path in ["", "/api/v1"] {
        let resource = read(&app, &format!("{RESOURCE}{path}")).await;
        assert_eq!(resource["resource"], format!("{origin}{path}"));
        assert_eq!(resource["authorization_servers"], json!([origin]));
        assert_eq!(resource["bearer_methods_supported"], json!(["header"]));
        assert_eq!(resource["resource_name"], "Postly");
    }
}

#[rocket::async_test]
async fn a_challenge_leads_to_the_metadata() {
    let app = App::new().await;
    let challenge = app.nobody().api().get("/me").await;
    let challenge = challenge.header("www-authenticate").unwrap().to_owned();
    let (_, rest) = challenge.split_once("resource_metadata=\"").unwrap();
    let path = rest.trim_end_matches('"').strip_prefix(ORIGIN).unwrap();
    let resource = read(&app, path).await;
    assert_eq!(resource["resource"], format!("{ORIGIN}/api/v1"));
}

#[rocket::async_test]
async fn the_password_grant_can_be_turned_off() {
    let app = App::new().await;
    app.user("ann").await;
    let closed = app.another_with(&[("oauth_password_grant", "false")]).await;
    let ask = async |app: &App| {
        let form = [("grant_type", "password"), ("username", "ann"), ("password", PASSWORD)];
        let headers = vec![ContentType::Form.into()];
        send(app, Post, "/api/v1/auth/token", headers, Some(encode(&form))).await
    };
    assert_eq!(ask(&app).await.status, 200);
    let refused = ask(&closed).await;
    let error = refused.json()["error"].clone();
    assert_eq!((refused.status, error), (400, json!("unsupported_grant_type")));
    let grants = json!(["authorization_code", "refresh_token"]);
    assert_eq!(read(&closed, SERVER).await["grant_types_supported"], grants);
    closed.log_in("ann").await;
}

//! What OAuth clients read to set themselves up: the metadata of the authorization server (RFC 8414)
//! and of the API as a protected resource (RFC 9728).

use rocket::serde::json::Json;
use rocket::{State, get};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use crate::models::accounts::scope::Scope;
use crate::models::base::site::Site;
use crate::web::door::API;
use crate::web::public_url::PublicUrl;
use crate::web::room;

room! {
    pages: [server, origin, api],
}

fn scopes() -> Vec<Scope> {
    Scope::iter().collect()
}

/// The authorization server (RFC 8414 §2).
#[get("/.well-known/oauth-authorization-server")]
fn server(url: &State<PublicUrl>, site: &Site) -> Json<Value> {
    let origin = url.origin();
    let mut grants = vec!["authorization_code", "refresh_token"];
    if site.rules.password_grant {
        grants.push("password");
    }
    let methods = ["none", "client_secret_basic", "client_secret_post"];
    Json(json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/oauth/authorize"),
        "token_endpoint": format!("{origin}{API}/auth/token"),
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint": format!("{origin}{API}/auth/revoke"),
        "revocation_endpoint_auth_methods_supported": methods,
        "scopes_supported": scopes(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grants,
        "code_challenge_methods_supported": ["S256"],
        // RFC 9207.
        "authorization_response_iss_parameter_supported": true,
        "protected_resources": [format!("{origin}{API}")],
        "service_documentation": format!("{origin}/docs"),
    }))
}

/// A protected resource (RFC 9728 §2).
fn resource(url: &PublicUrl, site: &Site, path: &str) -> Json<Value> {
    let origin = url.origin();
    Json(json!({
        "resource": format!("{origin}{path}"),
        "authorization_servers": [origin],
        "scopes_supported": scopes(),
        "bearer_methods_supported": ["header"],
        "resource_name": site.settings.current().site_name,
        "resource_documentation": format!("{origin}/docs"),
    }))
}

/// The whole site, for clients that know nothing but its address: the name of a resource must be the
/// address that its metadata was found by (RFC 9728 §3.3).
#[get("/.well-known/oauth-protected-resource")]
fn origin(url: &State<PublicUrl>, site: &Site) -> Json<Value> {
    resource(url, site, "")
}

/// The API.
#[get("/.well-known/oauth-protected-resource/api/v1")]
fn api(url: &State<PublicUrl>, site: &Site) -> Json<Value> {
    resource(url, site, API)
}

//! Every POST of the API door honours an Idempotency-Key.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use rocket::http::{Header, Method};
use serde_json::json;

use super::permissions::{self, Credentials, send_row_with};
use crate::support::database::{Snapshot, contents};
use crate::support::permission::Permission;
use crate::support::{App, Response};

/// A site with post 1 and its author, an admin, who may do everything.
async fn fixture() -> (Snapshot, Credentials) {
    let app = App::new().await;
    let credentials = {
        let owner = app.admin("aa").await;
        crate::posts::prepare(&owner).await;
        (owner.cookie, owner.token)
    };
    (app.into_snapshot().await, credentials)
}

async fn ask(app: &App, who: &Credentials, row: &Permission, key: &str) -> Response {
    let key = Header::new("Idempotency-Key", key.to_owned());
    send_row_with(app, Ipv4Addr::LOCALHOST.into(), who, row, true, vec![key]).await
}

/// The contents of the database, but for who was seen when, and what runs in the background.
async fn state(app: &App) -> Vec<(String, Vec<String>)> {
    let contents = contents(&app.database_url()).await;
    let ignored = ["sessions", "throttles", "jobs", "checkups"];
    contents.into_iter().filter(|(table, _)| !ignored.contains(&table.as_str())).collect()
}

#[rocket::async_test]
async fn every_post_of_the_api_is_carried_out_once() {
    let (snapshot, admin) = fixture().await;
    let nobody = (None, None);
    let mut replayed = BTreeSet::new();
    for row in permissions::all() {
        if row.method != Method::Post || row.api.is_none() {
            continue;
        }
        let app = App::copy_of(&snapshot).await;
        let who = if row.api.unwrap()[0] == 401 { &admin } else { &nobody };
        let wrong = ask(&app, who, &row, "not a key").await;
        let code = wrong.json()["code"].clone();
        assert_eq!(
            (wrong.status, code),
            (400, json!("idempotency_key.invalid")),
            "POST {} ignores the key: its handler needs a body, such as NoBody",
            row.path
        );
        let first = ask(&app, who, &row, "key").await;
        let before = state(&app).await;
        let second = ask(&app, who, &row, "key").await;
        assert_eq!(state(&app).await, before, "POST {} did something twice", row.path);
        if first.status < 300 && row.path != "/auth/logout" {
            assert_eq!((second.status, &second.body), (first.status, &first.body), "{}", row.path);
            for name in ["content-type", "location", "etag", "cache-control"] {
                assert_eq!(second.header(name), first.header(name), "{name} of {}", row.path);
            }
            assert_eq!(first.header("idempotency-replayed"), None);
            assert_eq!(second.header("idempotency-replayed"), Some("true"), "{}", row.path);
            replayed.insert(row.path);
        }
    }
    for path in ["/posts", "/posts/preview", "/auth/login", "/auth/register", "/me/tokens"] {
        assert!(replayed.contains(path), "{replayed:?}");
    }
}

/// The document names the header, and what comes of it, for every POST and nothing else.
#[rocket::async_test]
async fn the_document_describes_it() {
    let document = App::new().await.nobody().api().get("/openapi.json").await.json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            let key = json!({"$ref": "#/components/parameters/Idempotency-Key"});
            let has_key = parameters.contains(&key);
            assert_eq!(has_key, method == "post", "{method} {path}");
            for status in ["400", "409", "422"] {
                let response = &operation["responses"][status];
                let shared = response["$ref"].as_str().map(|name| name.trim_start_matches('#'));
                let response = shared.map_or(response, |name| document.pointer(name).unwrap());
                let content = response["content"].to_string();
                assert!(!has_key || content.contains("/Problem"), "{status} of {path}");
            }
        }
    }
}

//! The API document describes the mounted routes.

use std::collections::BTreeSet;

use rocket::http::Method::Get;

use super::doors::mounted;
use crate::support::App;
use crate::support::permission::{Permission, api_only, page_only};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/docs", [200; 4]),
        page_only(Get, "/redoc", [200; 4]),
        page_only(Get, "/docs/errors", [200; 4]),
        page_only(Get, "/docs/guide", [200; 4]),
        api_only(Get, "/openapi.json", [200; 4]),
    ]
}

#[rocket::async_test]
async fn every_api_route_is_in_the_document_and_nothing_else() {
    let app = App::new().await;
    let mounted: BTreeSet<String> = mounted(&app)
        .1
        .iter()
        .map(|(method, path)| {
            let path = path.replace('<', "{").replace('>', "}");
            format!("{} {path}", method.to_lowercase())
        })
        .collect();
    let document = app.nobody().api().get("/openapi.json").await.json();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(mounted, described);
    // Swagger UI and generators tell operations apart by their ids alone.
    let operations = document["paths"].as_object().unwrap().values();
    let operations = operations.flat_map(|item| item.as_object().unwrap().values());
    let ids: BTreeSet<&str> = operations.map(|one| one["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), described.len(), "two operations have the same id: {ids:?}");
    let schemas = &document["components"]["schemas"];
    for (schema, field) in
        [("Login", "password"), ("Registration", "password"), ("PostSummary", "votes")]
    {
        assert!(schemas[schema]["properties"][field].is_object(), "{schema}.{field}");
    }
}

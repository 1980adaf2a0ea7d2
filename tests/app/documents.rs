//! The rules of the site and its privacy policy.

use rocket::http::Method::Get;
use serde_json::json;

use crate::support::App;
use crate::support::permission::{PUBLIC, Permission, both};

pub fn permissions() -> Vec<Permission> {
    let nothing = [(404, 404); 4];
    vec![
        both(Get, "/rules", nothing),
        both(Get, "/rules/versions", PUBLIC),
        both(Get, "/rules/versions/<id>", nothing),
        both(Get, "/privacy", nothing),
        both(Get, "/privacy/versions", PUBLIC),
        both(Get, "/privacy/versions/<id>", nothing),
    ]
}

#[rocket::async_test]
async fn a_document_is_shown_with_all_its_versions() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let nobody = app.nobody();
    for name in ["rules", "privacy"] {
        let (path, link) = (format!("/{name}"), format!("href=\"/{name}\""));
        assert!(!nobody.page().get("/").await.body.contains(&link));
        for text in ["Be *kind*.\r\n<script>", "Be **honest**.", "Be **honest**. "] {
            let saved = root.api().patch("/admin/settings", json!({name: text})).await;
            assert_eq!(saved.status, 200, "{}", saved.body);
        }
        assert!(nobody.page().get("/").await.body.contains(&link), "each page leads there");
        let page = nobody.page().get(&path).await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("<strong>honest</strong>"), "{}", page.body);
        let document = nobody.api().get(&path).await.json();
        assert_eq!((&document["version"], &document["current"]), (&json!(2), &json!(true)));
        assert_eq!(document["content"], "Be **honest**.");
        let first = nobody.page().get(&format!("{path}/versions/1")).await;
        assert!(first.body.contains("<em>kind</em>") && first.body.contains("earlier version"));
        assert!(!first.body.contains("<script>"), "it is as safe as a post");
        let versions = nobody.api().get(&format!("{path}/versions?limit=1")).await.json();
        assert_eq!(versions["items"][0]["version"], 2);
        assert!(versions["next"].is_string());
        root.api().patch("/admin/settings", json!({name: ""})).await;
        assert_eq!(nobody.page().get(&path).await.status, 404, "withdrawn");
        assert!(!nobody.page().get("/").await.body.contains(&link));
        assert_eq!(nobody.api().get(&format!("{path}/versions/3")).await.status, 404);
        let versions = nobody.page().get(&format!("{path}/versions")).await.body;
        assert!(versions.contains("Version 3: withdrawn") && versions.contains("/versions/2\""));
    }
}

//! Parameters of lists: unknown and repeated ones are errors at the API door.

use serde_json::json;

use crate::support::App;

#[rocket::async_test]
async fn an_unknown_filter_is_an_error_and_not_everything() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("Tides").await;
    for path in
        ["/posts", "/users/root", "/posts/1/votes", "/dashboard", "/admin/posts", "/me/events"]
    {
        let refused = root.api().get(&format!("{path}?colour=red&limit=1")).await;
        assert_eq!((refused.status, refused.field_errors()), (422, vec!["colour".to_owned()]));
        assert_eq!(refused.json()["errors"][0]["code"], "colour.undefined", "{path}");
        assert_eq!(root.api().get(&format!("{path}?limit=1")).await.status, 200, "{path}");
    }
    // Links from elsewhere bring more.
    assert_eq!(app.nobody().page().get("/?utm_source=mail").await.status, 200);
    let many: String = (0..900).map(|n| format!("x{n}=1&")).collect();
    let refused = root.api().get(&format!("/posts?{many}")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.len() < 10_000, "{}", refused.body.len());
}

/// What the document offers is accepted, and nothing else.
#[rocket::async_test]
async fn every_documented_parameter_is_known() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("Tides").await;
    root.api().patch("/posts/1", json!({"series": "Coast"})).await;
    root.api().post("/posts/1/comments", json!({"content": "Twice?"})).await;
    let document = root.api().get("/openapi.json").await.json();
    let mut lists = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let parameters = item["get"]["parameters"].as_array().into_iter().flatten();
        let names: Vec<&str> = parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        if names.is_empty() {
            continue;
        }
        lists += 1;
        let path = path.replace("{id}", "1").replace("{username}", "root");
        for name in names {
            let value = if name == "limit" { "1" } else { "" };
            let answer = root.api().get(&format!("{path}?{name}={value}")).await;
            assert_eq!(answer.status, 200, "{path}?{name}: {}", answer.body);
        }
        assert_eq!(root.api().get(&format!("{path}?nonsense=1")).await.status, 422, "{path}");
    }
    assert!(lists >= 11, "{lists}");
}

#[rocket::async_test]
async fn repetition_is_told_by_name() {
    let app = App::new().await;
    for (query, field) in [("limit=1&limit=2", "limit"), ("sort=new&sort=top", "sort")] {
        let refused = app.nobody().api().get(&format!("/posts?{query}")).await;
        assert_eq!((refused.status, refused.field_errors()), (422, vec![field.to_owned()]));
        let code = format!("{field}.repeated");
        assert_eq!(refused.json()["errors"][0]["code"], json!(code));
    }
}

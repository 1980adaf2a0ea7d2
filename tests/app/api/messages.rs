//! Messages for programs: plain words, without the parser's, and without the page's.

use serde_json::json;

use crate::support::App;

#[rocket::async_test]
async fn numbers_of_the_wrong_kind_are_told_in_plain_words() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    for version in [json!(1.5), json!("one"), json!({}), json!([1]), json!(true)] {
        let refused = ann.api().put("/posts/1", json!({"version": version})).await;
        assert_eq!((refused.status, refused.field_errors()), (422, vec!["version".to_owned()]));
        assert_eq!(refused.json()["detail"], "Send the version as a whole number.");
    }
    let saved = ann.api().put("/posts/1", json!({"content": "Two.", "version": 1.0})).await;
    assert_eq!(saved.status, 200, "JSON does not tell 1.0 from 1: {}", saved.body);
    let huge = ann.api().put("/posts/1", json!({"content": "Three.", "version": 1e300})).await;
    assert_eq!(huge.status, 412, "{}", huge.body);
    let refused = ann.api().post("/posts", json!({"title": 1, "content": {}})).await;
    assert_eq!(refused.status, 422);
    for word in ["variant", "untagged", "expected", "map", "string"] {
        assert!(!refused.body.contains(word), "{word} in {}", refused.body);
    }
}

#[rocket::async_test]
async fn a_stale_edit_tells_a_program_what_to_do() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    ann.api().put("/posts/1", json!({"content": "Two."})).await;
    let stale = ann.api().put("/posts/1", json!({"content": "Three.", "version": 1})).await;
    assert_eq!((stale.status, &stale.json()["code"]), (412, &json!("version_conflict")));
    let detail = stale.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("If-Match") && !detail.contains("below"), "{detail}");
    let form = [("title", "Tides"), ("content", "Three."), ("version", "1")];
    let page = ann.page().put("/posts/1", &form).await;
    assert!(
        page.status == 409 && page.body.contains("Saving replaces the newer version"),
        "{}",
        page.body
    );
}

//! Errors have stable codes; the reference lists them, and every text is in `locales/`.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::source::{code, tokens};
use super::{files, root};
use crate::support::App;

/// Ids of messages with this prefix in the language file.
fn messages(prefix: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("locales/en.ftl")).unwrap();
    text.lines()
        .filter_map(|line| line.split_once(" ="))
        .filter_map(|(id, _)| id.strip_prefix(prefix))
        .filter(|id| !id.contains(' '))
        .map(str::to_owned)
        .collect()
}

/// The arguments of `Flash("…")` and the like.
fn used_in_src(constructor: &str) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    for file in files(&root().join("src"), "rs") {
        let text = fs::read_to_string(file).unwrap();
        for part in text.split(&format!("{constructor}(\"")).skip(1) {
            used.insert(part.split('"').next().unwrap().replace('.', "-"));
        }
    }
    assert!(used.len() > 20, "{used:?}");
    used
}

#[test]
fn every_notice_and_kind_of_event_has_a_text_and_every_text_is_used() {
    assert_eq!(used_in_src("Flash"), messages("flash-"));
    assert_eq!(used_in_src("EventKind"), messages("event-"));
}

/// Field messages refer to fields that exist, so that no unused message remains.
#[test]
fn every_text_of_a_field_belongs_to_a_field() {
    let mut words = BTreeSet::new();
    for file in files(&root().join("src"), "rs") {
        let text = fs::read_to_string(file).unwrap();
        words.extend(tokens(&code(&text)));
        for quoted in text.split('"') {
            words.insert(quoted.to_owned());
        }
    }
    for id in messages("field-") {
        let (field, _) = id.rsplit_once('-').unwrap();
        assert!(field == "input" || words.contains(field), "field-{id}");
    }
}

#[rocket::async_test]
async fn a_problem_leads_to_its_entry_in_the_reference() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = ann.posts("Tides").await;
    let reference = app.nobody().page().get("/docs/errors").await;
    assert_eq!(reference.status, 200);
    let path = format!("/posts/{id}");
    let stale = json!({"title": "Other", "version": 7});
    for (response, code) in [
        (ann.api().put(&format!("{path}/vote"), json!({})).await, "posts.own_vote"),
        (bob.api().put(&path, json!({"title": "x"})).await, "not_author"),
        (bob.api().get("/admin/users").await, "admin.required"),
        (app.nobody().api().get("/me").await, "unauthenticated"),
        (app.nobody().with_token("nonsense").api().get("/me").await, "access_token.invalid"),
        (ann.api().get("/posts/999").await, "not_found"),
        (ann.api().put(&path, stale).await, "version_conflict"),
        (ann.api().patch("/posts", json!({})).await, "method_not_allowed"),
        (ann.api().post("/posts", json!({"content": "x"})).await, "invalid_input"),
        (
            app.nobody()
                .api()
                .post(
                    "/auth/register",
                    json!({"username": "ANN",
            "password": "violet otter paddles upstream"}),
                )
                .await,
            "already_taken",
        ),
    ] {
        let problem = response.json();
        assert_eq!(problem["code"], code, "{problem}");
        let kind = problem["type"].as_str().unwrap();
        assert_eq!(kind, format!("http://postly.test/docs/errors#{code}"));
        assert!(reference.body.contains(&format!("<tr id=\"{code}\">")), "{code}");
    }
    let invalid = ann.api().post("/posts", json!({"title": "t".repeat(300)})).await.json();
    let codes: Vec<&str> =
        invalid["errors"].as_array().unwrap().iter().map(|e| e["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["title.too_long", "content.required"]);
    for rule in ["too_long", "required"] {
        assert!(reference.body.contains(&format!("<tr id=\"rule-{rule}\">")), "{rule}");
    }
}

//! Summaries and who can read a post, when it is edited twice and when it is restored.

use serde_json::json;

use crate::support::App;
use crate::support::internals::sql;

/// The fields of the form as it was when it was opened, but for these.
fn form<'f>(changed: &[(&'f str, &'f str)]) -> Vec<(&'f str, &'f str)> {
    let opened = [
        ("title", "Tides"),
        ("content", "One.\n\nTwo."),
        ("summary", "In short"),
        ("visibility", "public"),
        ("version", "1"),
    ];
    let value = |(name, opened)| {
        let new = changed.iter().find(|(changed, _)| *changed == name);
        (name, new.map_or(opened, |(_, value)| *value))
    };
    opened.map(value).to_vec()
}

fn post() -> serde_json::Value {
    json!({"title": "Tides", "content": "One.\n\nTwo.", "summary": "In short"})
}

#[rocket::async_test]
async fn a_summary_is_a_part_of_each_version_and_is_restored() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.api().post("/posts", post()).await;
    assert_eq!(ann.api().get("/posts/1/revisions/1").await.json()["summary"], "In short");
    ann.api().put("/posts/1", json!({"summary": ""})).await;
    for (number, summary) in [(1, "In short"), (2, "")] {
        let path = format!("/posts/1/revisions/{number}");
        assert_eq!(ann.api().get(&path).await.json()["summary"], summary);
    }
    assert!(ann.page().get("/posts/1/revisions/1").await.body.contains("In short</p>"));
    let compared = ann.page().get("/posts/1/revisions/2?compare=").await.body;
    assert!(compared.contains("In short"), "{compared}");
    ann.api().post("/posts/1/revisions/1/restore", json!({})).await;
    assert_eq!(ann.api().get("/posts/1").await.json()["summary"], "In short");
    ann.api().put("/posts/1", json!({"summary": "Another"})).await;
    ann.page().post("/posts/1/revisions/2/restore", &[]).await;
    assert_eq!(ann.api().get("/posts/1").await.json()["summary"], "");
    // One that was kept before summaries were: the summary stays.
    sql("UPDATE post_revisions SET summary = NULL, visibility = NULL WHERE number = 1")
        .execute(app.db.writer())
        .await
        .unwrap();
    ann.api().put("/posts/1", json!({"title": "Ebb", "summary": "It stays"})).await;
    let old = ann.api().get("/posts/1/revisions/1").await.json();
    assert_eq!((&old["title"], &old["summary"]), (&json!("Tides"), &json!(null)));
    ann.api().post("/posts/1/revisions/1/restore", json!({})).await;
    let post = ann.api().get("/posts/1").await.json();
    assert_eq!((&post["title"], &post["summary"]), (&json!("Tides"), &json!("It stays")));
}

#[rocket::async_test]
async fn a_summary_that_somebody_else_has_changed_is_not_changed_back() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.api().post("/posts", post()).await;
    ann.api().put("/posts/1", json!({"summary": "Shorter"})).await;
    // Nothing was changed in this form.
    assert_eq!(ann.page().put("/posts/1", &form(&[])).await.status, 303);
    assert_eq!(ann.api().get("/posts/1").await.json()["summary"], "Shorter");
    // The text was changed, and not the summary.
    let merged = ann.page().put("/posts/1", &form(&[("content", "One.\n\nThree.")])).await;
    assert_eq!(merged.status, 409, "{}", merged.body);
    assert!(merged.body.contains("value=\"Shorter\""), "{}", merged.body);
    // Both changed it.
    let merged = ann.page().put("/posts/1", &form(&[("summary", "Longer")])).await;
    assert_eq!(merged.status, 409, "{}", merged.body);
    assert!(merged.body.contains("value=\"Longer\"") && merged.body.contains("Shorter</q>"));
    assert_eq!(ann.api().get("/posts/1").await.json()["summary"], "Shorter", "nothing is saved");
    let again = form(&[("summary", "Longer"), ("version", "2")]);
    assert_eq!(ann.page().put("/posts/1", &again).await.status, 303);
    assert_eq!(ann.api().get("/posts/1").await.json()["summary"], "Longer");
}

#[rocket::async_test]
async fn a_form_that_was_opened_before_shows_a_post_to_nobody_again() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.api().post("/posts", post()).await;
    ann.api().put("/posts/1", json!({"visibility": "private"})).await;
    let changed = form(&[("content", "One.\n\nThree.")]);
    let visibility = async || ann.api().get("/posts/1").await.json()["visibility"].clone();
    assert_eq!(ann.page().put("/posts/1", &changed).await.status, 303);
    let saved = ann.api().get("/posts/1").await.json();
    assert_eq!(
        (&saved["content"], &saved["visibility"]),
        (&json!("One.\n\nThree."), &json!("private"))
    );
    // Both changed it: somebody has to choose, and until then it is as it was saved.
    let both = form(&[("visibility", "members"), ("content", "One.\n\nThree.")]);
    let asked = ann.page().put("/posts/1", &both).await;
    assert_eq!(asked.status, 409, "{}", asked.body);
    let told = "<em>only you</em>; you sent <em>members who have the link</em>";
    assert!(asked.body.contains(told), "{}", asked.body);
    assert!(
        asked.body.contains("value=\"private\" checked")
            || asked.body.contains("value=\"private\" selected")
    );
    assert_eq!(visibility().await, "private");
    let chosen =
        form(&[("visibility", "members"), ("content", "One.\n\nThree."), ("version", "3")]);
    assert_eq!(ann.page().put("/posts/1", &chosen).await.status, 303);
    assert_eq!(visibility().await, "members");
    // Somebody else has changed the text alone: the wish stands in the form.
    ann.api().put("/posts/1", json!({"content": "Five."})).await;
    let text = form(&[("visibility", "unlisted"), ("content", "Six."), ("version", "4")]);
    let merged = ann.page().put("/posts/1", &text).await;
    assert_eq!(merged.status, 409, "{}", merged.body);
    assert!(merged.body.contains("value=\"unlisted\" checked"), "{}", merged.body);
    assert!(!merged.body.contains("; you sent"), "{}", merged.body);
}

/// Of a draft no version is kept, so that nobody knows what its form had when it was opened.
#[rocket::async_test]
async fn of_a_draft_somebody_is_asked_who_may_read_it() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let mut draft = post();
    draft["state"] = json!("draft");
    ann.api().post("/posts", draft).await;
    ann.api().put("/posts/1", json!({"visibility": "private"})).await;
    let asked = ann.page().put("/posts/1", &form(&[])).await;
    assert_eq!(asked.status, 409, "{}", asked.body);
    assert!(asked.body.contains("<em>only you</em>; you sent <em>everyone</em>"), "{}", asked.body);
    assert_eq!(ann.api().get("/posts/1").await.json()["visibility"], "private");
}

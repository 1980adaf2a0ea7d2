//! The forms for comments: beside the discussion and on pages of their own.

use rocket::http::Method::Get;
use serde_json::json;

use crate::support::internals::{recording, sql};
use crate::support::permission::{MEMBERS_PAGE, Permission, page_only};
use crate::support::{App, Response};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/posts/<id>/comments/new", MEMBERS_PAGE),
        page_only(Get, "/comments/<id>/edit", [303, 403, 200, 200]),
    ]
}

#[rocket::async_test]
async fn a_browser_comments_replies_edits_and_loses_nothing() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let post = ann.posts("Tides").await;
    let path = format!("/posts/{post}/comments");
    let made = bob.page().post(&path, &[("content", "So *true*."), ("parent_id", "")]).await;
    assert_eq!((made.status, made.header("location")), (303, Some("/comments/1")));
    let page = ann.page().get("/comments/1").await.body;
    assert!(page.contains("So <em>true</em>."), "{page}");
    let form = ann.page().get(&format!("{path}/new?parent_id=1")).await.body;
    assert!(form.contains("So <em>true</em>.") && form.contains("value=\"1\""), "{form}");
    let reply = ann.page().post(&path, &[("content", "Is it?"), ("parent_id", "1")]).await;
    assert_eq!(reply.header("location"), Some("/comments/2"));
    assert!(bob.page().get("/comments/2").await.body.contains("href=\"/comments/1\""));
    // What is refused is shown again.
    let long = "x".repeat(10_001);
    let refused = bob.page().post(&path, &[("content", &long), ("parent_id", "1")]).await;
    assert!(refused.status == 422 && refused.body.contains(&long), "{}", refused.status);
    assert!(refused.body.contains("name=\"parent_id\" value=\"1\""));
    for (content, parent, status) in [(" ", "1", 422), ("Well", "999", 409), ("Well", "x", 422)] {
        let refused = bob.page().post(&path, &[("content", content), ("parent_id", parent)]).await;
        assert_eq!(refused.status, status, "{content:?} {parent}");
    }
    let edit = bob.page().get("/comments/1/edit").await.body;
    assert!(edit.contains("So *true*."), "{edit}");
    let saved = bob.page().put("/comments/1", &[("content", "So false."), ("version", "1")]).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some("/comments/1")));
    assert!(bob.page().get("/comments/1").await.body.contains("edited"));
    let late = bob.page().put("/comments/1", &[("content", "Late."), ("version", "1")]).await;
    assert!(late.status == 409 && late.body.contains("Late."), "{}", late.status);
    let kept: Vec<(i64, String)> =
        sql("SELECT version, content FROM comment_revisions").all(&app.db).await.unwrap();
    assert_eq!(kept, [(1, "So *true*.".to_owned())]);
}

/// A page whose answer was kept, and is the same but for the id of its form.
fn is_same(one: &Response, other: &Response) -> bool {
    one.body.replace(one.form_id(), "") == other.body.replace(other.form_id(), "")
}

#[rocket::async_test]
async fn whoever_is_logged_in_comments_below_the_discussion() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let path = format!("/posts/{}", ann.posts("Tides").await);
    let comments = format!("{path}/comments");
    for page in [&format!("{path}/tides"), &comments] {
        let visit = async |person: &crate::support::Person<'_>| person.page().get(page).await;
        let (first, own) = (visit(&bob).await, visit(&ann).await);
        let ((second, statements), elsewhere) =
            (recording(visit(&bob)).await, visit(&app.log_in("bob").await).await);
        let is_kept = !statements.iter().any(|(text, _)| text.contains("FROM posts"));
        assert!(is_kept && is_same(&first, &second) && is_same(&first, &elsewhere), "{page}");
        let visits = [&first, &second, &elsewhere, &own];
        for (number, visit) in visits.iter().enumerate() {
            assert_eq!(visit.form_id().len(), 32, "{page}");
            for other in &visits[..number] {
                assert_ne!(visit.form_id(), other.form_id(), "{page}");
                assert_ne!(visit.header("etag"), other.header("etag"), "{page}");
            }
        }
        let nobody = app.nobody().page().get(page).await.body;
        assert!(!nobody.contains("form_id") && !nobody.contains("<textarea"), "{nobody}");
        assert!(nobody.contains(&format!("href=\"{path}/comments/new\"")), "{nobody}");

        // Sent twice from one visit it is one comment; from another visit it is another one.
        let send = async |page: &Response| {
            let form = [("content", "Me *too*."), ("form_id", page.form_id())];
            let made = bob.page().post(&comments, &form).await;
            assert_eq!(made.status, 303, "{}", made.body);
            made.header("location").unwrap().to_owned()
        };
        let made = send(&first).await;
        assert_eq!(send(&first).await, made);
        assert_ne!(send(&second).await, made);
        let shown = bob.page().get(page).await.body;
        assert_eq!(
            shown.matches("Me <em>too</em>.").count(),
            if page != &comments { 2 } else { 4 }
        );
    }
    assert_eq!(bob.page().post(&comments, &[("content", "")]).await.status, 422);
    ann.api().put(&format!("{comments}/closed"), json!({})).await;
    for page in [&path, &comments] {
        let closed = bob.page().get(page).await.body;
        assert!(closed.contains("The comments are closed.") && !closed.contains("<textarea"));
    }
}

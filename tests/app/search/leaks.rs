//! What nobody may see is not found, and what is found is shown safely.

use serde_json::json;

use super::{NOTHING, ask, find, shown};
use crate::support::App;
use crate::support::internals::sql;

#[rocket::async_test]
async fn what_is_hidden_or_gone_is_found_by_nobody() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let (hidden, changed, gone) =
        (ann.posts("Hidden secret").await, ann.posts("Secret").await, ann.posts("Secret").await);
    let path = format!("/posts/{hidden}/comments");
    ann.api().post(&path, json!({"content": "A secret below"})).await;
    let path = format!("/posts/{changed}/comments");
    let comment = ann.api().post(&path, json!({"content": "Another secret"})).await.json();
    let below = json!({"content": "Reply", "parent_id": comment["id"]});
    assert_eq!(ann.api().post(&path, below).await.status, 201);
    assert_eq!(find(&ann, "comments", "secret").await.len(), 2);
    assert_eq!(find(&ann, "posts", "secret").await, [gone, changed, hidden]);

    sql("UPDATE posts SET published_at = NULL WHERE id = $1")
        .bind(hidden)
        .execute(app.db.writer())
        .await
        .unwrap();
    ann.api().put(&format!("/posts/{changed}"), json!({"title": "Open", "content": "x"})).await;
    assert_eq!(ann.api().delete(&format!("/posts/{gone}")).await.status, 204);
    // It stays as a row, because of the reply.
    assert_eq!(ann.api().delete(comment["path"].as_str().unwrap()).await.status, 204);
    for person in [&app.nobody(), &ann, &root] {
        for q in
            ["secret", "hidden", "-nothing secret", "author:ann secret", "after:2020-01-01 secret"]
        {
            for kind in ["posts", "comments"] {
                assert_eq!(find(person, kind, q).await, NOTHING, "{kind} {q}");
            }
        }
    }
    assert_eq!(find(&ann, "posts", "open").await, [changed]);
    assert_eq!(find(&ann, "comments", "reply").await.len(), 1);

    // With the account, everything goes.
    assert_eq!(root.api().delete("/admin/users/ann").await.status, 204);
    for kind in ["posts", "comments", "people"] {
        assert_eq!(find(&root, kind, "ann").await, NOTHING, "{kind}");
        assert_eq!(find(&root, kind, "reply").await, NOTHING, "{kind}");
    }
    for table in ["post_words", "comment_words", "name_search"] {
        let text = format!("SELECT count(*) FROM {table} WHERE text LIKE '%ann%'");
        let rows: i64 = sql(String::leak(text)).scalar(&app.db).await.unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[rocket::async_test]
async fn texts_are_shown_and_never_run() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let attack = "<script>alert(1)</script> & {{7*7}} tide";
    ann.api().post("/posts", json!({"title": attack, "content": format!("`{attack}`")})).await;
    let item = ask(&ann, "posts", "tide script").await["items"][0].clone();
    let expected = "<[script]>alert(1)</[script]> & {{7*7}} [tide]";
    assert_eq!(shown(&item["title"]), expected);
    assert_eq!(shown(&item["excerpt"]), expected);
    let page = ann.page().get("/search?q=tide+%3Cscript%3E").await.body;
    assert!(!page.contains("<script>alert") && page.contains("{{7*7}}"), "{page}");
    assert!(
        page.contains("&lt;<mark>script</mark>&gt;") && page.contains("<mark>tide</mark>"),
        "{page}"
    );
    assert!(page.contains("content=\"noindex\""), "{page}");
}

#[rocket::async_test]
async fn searches_are_limited() {
    let app = App::with(&[("limits", "searches=3/h, searches-address=5/h")]).await;
    let ann = app.user("ann").await;
    // They are counted soon after the answer.
    let mut statuses = Vec::new();
    for _ in 0..200 {
        let answer = ann.api().get("/search?q=tide").await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert!(answer.header("retry-after").is_some(), "{answer:?}");
            break;
        }
    }
    assert!(statuses.starts_with(&[200, 200, 200]) && statuses.ends_with(&[429]), "{statuses:?}");
    let page = ann.page().get("/search?q=spring+tide").await;
    assert_eq!(page.status, 429);
    assert!(
        page.body.contains("value=\"spring tide\"") && page.body.contains("wait"),
        "{}",
        page.body
    );
    // The form itself costs nothing.
    assert_eq!(ann.page().get("/search").await.status, 200);
}

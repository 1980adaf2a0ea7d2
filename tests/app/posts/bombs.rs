//! Texts that are made to cost as much as possible, through both doors.

use serde_json::json;

use crate::support::App;
use crate::support::internals::sql;

/// 100,000 characters.
fn repeated(text: &str) -> String {
    text.chars().cycle().take(100_000).collect()
}

/// 3.4 kB that would become 2.4 MB.
fn table() -> String {
    format!("|{}\n|{}\n{}", "a|".repeat(200), "-|".repeat(200), "a\n".repeat(1300))
}

/// Quotes that are open on every line.
fn containers() -> String {
    "> ".repeat(25_000) + &"a\n".repeat(25_000)
}

#[rocket::async_test]
async fn what_is_deeply_nested_is_shown_with_fewer_levels() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for bomb in [">", "> - ", "- ", "1. ", "*a_", "![[", "<", "`", "&", "[a](b", "<!--", "~~a "] {
        let draft = json!({"title": "Bomb", "content": repeated(bomb)});
        let preview = ann.api().post("/posts/preview", draft.clone()).await;
        assert_eq!(preview.status, 200, "{bomb}");
        let created = ann.api().post("/posts", draft.clone()).await;
        assert_eq!(created.status, 201, "{bomb}");
        let html = created.json()["content_html"].as_str().unwrap().to_owned();
        assert_eq!(preview.json()["content_html"], html.as_str());
        assert!(html.len() < 1024 * 1024, "{bomb}: {}", html.len());
        for element in ["<blockquote", "<ul", "<ol", "<em>", "<del>"] {
            // None of these texts closes an element before the end.
            let opened = html.matches(element).count();
            assert!(opened <= 32 || bomb == "~~a ", "{bomb}: {opened} {element}");
        }
    }
    let form = [("title", "Bomb"), ("content", &*repeated(">"))];
    let created = ann.page().post("/posts", &form).await;
    assert_eq!(created.status, 303);
    let shown = app.nobody().page().get(created.header("location").unwrap()).await;
    assert_eq!((shown.status, shown.body.matches("<blockquote").count()), (200, 32));
}

#[rocket::async_test]
async fn what_is_too_complex_is_a_complaint_and_nothing_typed_is_lost() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}", ann.posts("Kept").await);
    for bomb in [table(), containers()] {
        let draft = || json!({"title": "Bomb", "content": bomb});
        for refused in [
            ann.api().post("/posts", draft()).await,
            ann.api().post("/posts/preview", draft()).await,
            ann.api().put(&path, draft()).await,
            ann.api().put(&format!("{path}/preview"), draft()).await,
        ] {
            assert_eq!(refused.status, 422);
            assert_eq!(refused.json()["errors"][0]["code"], "content.too_complex");
        }
        let form = [("title", "Typed title"), ("content", bomb.as_str())];
        for refused in [
            ann.page().post("/posts", &form).await,
            ann.page().post("/posts/preview", &form).await,
            ann.page().put(&path, &form).await,
            ann.page().put(&format!("{path}/preview"), &form).await,
        ] {
            assert_eq!(refused.status, 422);
            assert!(refused.body.contains("too complex to show"));
            assert!(refused.body.contains("value=\"Typed title\""));
            let kept = &bomb[..20].replace('>', "&gt;");
            assert!(refused.body.contains(kept.as_str()), "the text is still there");
        }
    }
    let posts: i64 = sql("SELECT count(*) FROM posts").scalar(&app.db).await.unwrap();
    assert_eq!(posts, 1);
    assert_eq!(ann.api().get(&path).await.json()["title"], "Kept");
}

/// Posts from before there were limits.
#[rocket::async_test]
async fn an_old_post_that_is_too_complex_is_shown_as_plain_text() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Old").await;
    let age =
        sql("UPDATE posts SET rendering = 1, content = $1, content_html = 'old' WHERE id = $2");
    age.bind(table()).bind(id).execute(app.db.writer()).await.unwrap();
    let post = app.nobody().api().get(&format!("/posts/{id}")).await.json();
    let html = post["content_html"].as_str().unwrap();
    assert!(html.starts_with("<pre tabindex=\"0\" dir=\"ltr\"><code>|a|a|") && html.len() < 10_000);
    let page = app.nobody().page().get(&format!("/posts/{id}")).await;
    assert!(page.status == 200 && page.body.contains("<code>|a|a|"));
}

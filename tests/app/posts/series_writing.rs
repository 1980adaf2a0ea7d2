//! How a post comes to a series and leaves it: by programs, in the editor, and in the next version of a post.

use rocket::futures::future::join_all;
use serde_json::{Value, json};

use super::drafts::write;
use super::series::part;
use crate::support::App;
use crate::support::internals::sql;

/// The title of the series of post 1, as its author sees it.
async fn series(ann: &crate::support::Person<'_>) -> Value {
    ann.api().get("/posts/1").await.json()["series"]["title"].clone()
}

#[rocket::async_test]
async fn a_program_puts_a_post_into_a_series_and_takes_it_out() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = write(&ann, json!({"title": "Tides", "content": "x"})).await;
    assert_eq!(post["series"], Value::Null);
    let edited = ann.api().put("/posts/1", json!({"series": "Coast"})).await.json();
    assert_eq!((&edited["series"]["title"], &edited["version"]), (&json!("Coast"), &json!(2)));
    // A field that is missing changes nothing, nor does another spelling.
    let edited = ann.api().patch("/posts/1", json!({"title": "Ebb"})).await.json();
    assert_eq!((&edited["series"]["title"], &edited["version"]), (&json!("Coast"), &json!(3)));
    let edited = ann.api().put("/posts/1", json!({"series": "COAST"})).await.json();
    assert_eq!((&edited["series"]["title"], &edited["version"]), (&json!("Coast"), &json!(3)));
    for nothing in [json!(null), json!(""), json!("  ")] {
        for method in ["PUT", "PATCH"] {
            assert_eq!(ann.api().put("/posts/1", json!({"series": "Coast"})).await.status, 200);
            let left = match method {
                "PUT" => ann.api().put("/posts/1", json!({"series": nothing})).await,
                _ => ann.api().patch("/posts/1", json!({"series": nothing})).await,
            };
            assert_eq!(left.status, 200, "{method} {nothing}: {}", left.body);
            assert_eq!(left.json()["series"], Value::Null, "{method} {nothing}");
        }
    }
    for (wrong, code) in [
        (json!("x".repeat(101)), "series.too_long"),
        (json!("\u{200b}"), "series.invisible"),
        (json!(7), "series.malformed"),
        (json!({"id": 1}), "series.malformed"),
    ] {
        for path in ["/posts", "/posts/1"] {
            let input = json!({"title": "x", "content": "x", "series": wrong});
            let refused = match path {
                "/posts" => ann.api().post(path, input).await,
                _ => ann.api().put(path, input).await,
            };
            assert_eq!(refused.status, 422, "{wrong}: {}", refused.body);
            assert_eq!(refused.json()["errors"][0]["code"], code, "{wrong}");
        }
    }
    // An earlier version is only a text: restoring it moves the post nowhere.
    ann.api().put("/posts/1", json!({"series": "Coast"})).await;
    let restored = ann.api().post("/posts/1/revisions/1/restore", json!({})).await;
    assert_eq!(restored.json()["title"], "Tides", "{}", restored.body);
    assert_eq!(series(&ann).await, "Coast");
}

#[rocket::async_test]
async fn a_browser_chooses_a_series_and_nothing_typed_is_lost() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = ann.page().get("/posts/new").await.body;
    assert!(form.contains("<datalist id=\"own-series\">\n</datalist>"), "{form}");
    let fields = [("title", "Tides"), ("content", "x"), ("series", "<Coast> & \"sea\"")];
    assert_eq!(ann.page().post("/posts", &fields).await.status, 303);
    for path in ["/posts/new", "/posts/1/edit"] {
        let form = ann.page().get(path).await.body;
        let option = "<option value=\"&lt;Coast&gt; &amp; &quot;sea&quot;\">";
        assert!(form.contains(option), "{path}: {form}");
    }
    let form = ann.page().get("/posts/1/edit").await.body;
    let field = "name=\"series\" type=\"text\" value=\"&lt;Coast&gt; &amp; &quot;sea&quot;\"";
    assert!(form.contains(field), "{form}");
    // In the preview, and when something is wrong.
    let typed = [("title", ""), ("content", "*x*"), ("series", "Dunes")];
    for (method, path, status) in [
        ("post", "/posts/preview", 200),
        ("post", "/posts", 422),
        ("put", "/posts/1/preview", 200),
        ("put", "/posts/1", 422),
    ] {
        let answer = match method {
            "post" => ann.page().post(path, &typed).await,
            _ => ann.page().put(path, &typed).await,
        };
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.body.contains("name=\"series\" type=\"text\" value=\"Dunes\""), "{path}");
        assert!(answer.body.contains("<option value=\"&lt;Coast"), "{path}: {}", answer.body);
    }
    let left: i64 = sql("SELECT count(*) FROM series").scalar(&app.db).await.unwrap();
    assert_eq!(left, 1, "what is only shown makes no series");
    let emptied = [("title", "Tides"), ("content", "x"), ("series", ""), ("version", "1")];
    assert_eq!(ann.page().put("/posts/1", &emptied).await.status, 303);
    assert_eq!(series(&ann).await, Value::Null);
}

#[rocket::async_test]
async fn the_next_version_keeps_what_was_typed_and_makes_no_series() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    part(&ann, "Tides", "Coast").await;
    let is_typed = async |title: &str| {
        let form = ann.page().get("/posts/1/edit").await.body;
        form.contains(&format!("name=\"series\" type=\"text\" value=\"{title}\""))
    };
    let kept = ann.api().put("/posts/1/draft", json!({"title": "Ebb"})).await.json();
    assert_eq!(kept["series"], Value::Null, "nothing was said of it");
    assert!(is_typed("Coast").await);
    let kept = ann.api().put("/posts/1/draft", json!({"title": "Ebb", "series": " Dun"})).await;
    assert_eq!((kept.status, &kept.json()["series"]), (200, &json!(" Dun")));
    assert!(is_typed(" Dun").await);
    let form = [("title", "Ebb"), ("content", "x"), ("series", "")];
    assert_eq!(ann.page().put("/posts/1/draft", &form).await.status, 303);
    assert_eq!(ann.api().get("/posts/1/draft").await.json()["series"], "");
    assert!(is_typed("").await);
    let long = json!({"title": "Ebb", "series": "x".repeat(101)});
    assert_eq!(ann.api().put("/posts/1/draft", long).await.field_errors(), ["series"]);
    assert_eq!(series(&ann).await, "Coast", "the post is as it was");
    let count: i64 = sql("SELECT count(*) FROM series").scalar(&app.db).await.unwrap();
    assert_eq!(count, 1);
    // Saving the series alone saves what was kept, too.
    ann.api().put("/posts/1", json!({"series": "Dunes"})).await;
    assert_eq!(ann.api().get("/posts/1/draft").await.status, 404);
    // What was typed survives a conflict.
    ann.api().put("/posts/1", json!({"content": "Another window"})).await;
    let form = [("title", "Tides"), ("content", "This one"), ("series", "Coast"), ("version", "1")];
    let merge = ann.page().put("/posts/1", &form).await;
    assert_eq!(merge.status, 409);
    assert!(merge.body.contains("name=\"series\" type=\"text\" value=\"Coast\""), "{}", merge.body);
}

#[rocket::async_test]
async fn an_admin_who_edits_a_post_leaves_its_series_alone() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    part(&ann, "Tides", "Coast").await;
    part(&root, "News", "Notices").await;
    let form = root.page().get("/posts/1/edit").await.body;
    assert!(!form.contains("name=\"series\""), "{form}");
    let fields = [("title", "Moderated"), ("content", "x"), ("version", "1")];
    assert_eq!(root.page().put("/posts/1", &fields).await.status, 303);
    assert_eq!(
        root.api().put("/posts/1", json!({"title": "x", "series": "coast"})).await.status,
        200
    );
    assert_eq!(series(&ann).await, "Coast");
    for other in [json!("Notices"), json!("New"), json!(null)] {
        let refused = root.api().put("/posts/1", json!({"series": other})).await;
        assert_eq!(
            (refused.status, &refused.json()["code"]),
            (403, &json!("not_author")),
            "{other}"
        );
    }
    assert_eq!(series(&ann).await, "Coast");
    // Of an unlisted post, the admin is not told the series, and so does not remove it.
    ann.api().put("/posts/1", json!({"visibility": "unlisted"})).await;
    let seen = root.api().get("/posts/1").await.json();
    let back = json!({"title": "y", "series": seen["series"]});
    assert_eq!(root.api().put("/posts/1", back).await.status, 200);
    assert_eq!(series(&ann).await, "Coast");
}

#[rocket::async_test]
async fn an_author_has_two_hundred_series_of_five_hundred_posts() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for statement in [
        "INSERT INTO series (user_id, title, title_key, created_at) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 200) \
         SELECT u.id, 'Series ' || n, 'series ' || n, u.created_at FROM n, users u",
        "INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, created_at, \
         published_at, series_id) \
         WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 499) \
         SELECT u.id, 'Part', 'x', 'x', 'x', 3, u.created_at, u.created_at, 1 FROM n, users u",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    part(&ann, "The last one", "Series 1").await;
    for (series, why) in [
        ("Series 1", "This series has 500 posts already"),
        ("Series 201", "You have 200 series already"),
    ] {
        let post = json!({"title": "One more", "content": "x", "series": series, "state": "draft"});
        let refused = ann.api().post("/posts", post).await;
        assert_eq!((refused.status, refused.field_errors()), (422, vec!["series".to_owned()]));
        assert!(refused.body.contains(why), "{}", refused.body);
        let form = [("title", "One more"), ("content", "Kept words"), ("series", series)];
        let refused = ann.page().post("/posts", &form).await;
        assert_eq!(refused.status, 422);
        assert!(refused.body.contains("Kept words") && refused.body.contains("href=\"#series\""));
    }
    let id = part(&ann, "In another", "Series 2").await;
    let path = format!("/posts/{id}");
    assert_eq!(ann.api().put(&path, json!({"series": "Series 1"})).await.status, 422);
    assert_eq!(ann.api().put(&path, json!({"series": "Series 3"})).await.status, 200);
    let last = app.nobody().page().get("/series/1").await.body;
    assert!(last.contains("500 parts"), "{last}");
}

#[rocket::async_test]
async fn of_parallel_posts_one_makes_the_series() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let titles = ["Coast", "coast", "COAST", " Coast", "cOAST", "Coast"];
    let ids = join_all(titles.map(|series| part(&ann, "x", series))).await;
    assert_eq!(ids.len(), 6);
    let count: i64 = sql("SELECT count(*) FROM series").scalar(&app.db).await.unwrap();
    assert_eq!(count, 1);
    let posts: i64 = sql("SELECT count(*) FROM posts WHERE series_id IS NOT NULL")
        .scalar(&app.db)
        .await
        .unwrap();
    assert_eq!(posts, 6);
}

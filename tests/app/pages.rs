//! What pages contain, for every kind of reader.

use crate::support::internals::sql;
use crate::support::{App, send};
use rocket::http::{Header, Method};

#[rocket::async_test]
async fn every_page_can_be_opened() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let id = ann.posts("Tides").await;
    let post = format!("/posts/{id}");
    for path in [
        "/",
        "/?sort=top",
        &post,
        &format!("{post}/votes"),
        "/users/ann",
        "/login",
        "/register",
        "/docs",
        "/redoc",
        "/healthz",
        "/readyz",
    ] {
        assert_eq!(app.nobody().page().get(path).await.status, 200, "{path}");
    }
    for path in ["/", "/posts/new", &format!("{post}/edit"), "/me", "/dashboard"] {
        let page = ann.page().get(path).await;
        assert_eq!((page.status, page.header("cache-control")), (200, Some("no-store")), "{path}");
        assert!(page.body.contains("Log out"));
    }
    for path in ["/admin/posts", "/admin/users"] {
        assert_eq!(root.page().get(path).await.status, 200, "{path}");
    }
}

#[rocket::async_test]
async fn what_people_type_is_shown_and_never_run() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let attack = "<script>alert(1)</script>{{7*7}}\"'><img src=x onerror=alert(1)>";
    let form = [("title", attack), ("content", attack)];
    assert_eq!(ann.page().post("/posts", &form).await.status, 303);
    for path in ["/", "/posts/1", "/posts/1/edit", "/posts/1/votes", "/dashboard", "/users/ann"] {
        let page = ann.page().get(path).await;
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"), "{path}");
        assert!(page.body.contains("{{7*7}}"), "{path}: templates are not run on data");
    }
    let encoded = "%3Cscript%3Ealert(1)%3C/script%3E";
    for path in
        [format!("/?author={encoded}"), format!("/{encoded}"), format!("/login?next=/{encoded}")]
    {
        assert!(!app.nobody().page().get(&path).await.body.contains("<script>alert"), "{path}");
    }
}

#[rocket::async_test]
async fn a_flash_message_is_shown_once_and_cannot_be_written_by_others() {
    let app = App::new().await;
    let with = async |value: &str| {
        let cookie = Header::new("Cookie", format!("postly_flash={value}"));
        send(&app, Method::Get, "/", vec![cookie], None::<&str>).await
    };
    let shown = with("logged-out").await;
    assert!(shown.body.contains("You are logged out."));
    assert_eq!(shown.cookie("postly_flash").as_deref(), Some(""), "it is shown once");
    assert!(!with("You+owe+us+money").await.body.contains("money"));
}

#[rocket::async_test]
async fn addresses_and_times_are_written_as_browsers_show_and_html_allows() {
    let app = App::new().await;
    let ann = app.user("ann-b").await;
    let id = ann.posts("Tides").await;
    ann.api().put(&format!("/posts/{id}"), serde_json::json!({"title": "Ebb"})).await;
    let post = format!("/posts/{id}");
    for path in ["/", &post, "/users/ann-b", "/dashboard", "/me/sessions", "/me/events"] {
        let page = ann.page().get(path).await.body;
        assert!(!page.contains("%2D"), "{path}: {page}");
        let times: Vec<&str> =
            page.split("datetime=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(!times.is_empty(), "{path}");
        for time in times {
            let is_short = time.len() == "2026-11-28T17:00:00.123Z".len() && time.ends_with('Z');
            assert!(is_short, "{path}: {time}");
        }
    }
    assert!(ann.page().get("/").await.body.contains("href=\"/users/ann-b\""));
    // Programs get the exact moment.
    let at: chrono::DateTime<chrono::Utc> = "2026-11-28T17:00:00.123456Z".parse().unwrap();
    sql("UPDATE posts SET published_at = $1").bind(at).execute(app.db.writer()).await.unwrap();
    let exact = app.nobody().api().get(&post).await.json()["published_at"].clone();
    assert_eq!(exact, "2026-11-28T17:00:00.123456Z");
    assert!(app.nobody().page().get(&post).await.body.contains("\"2026-11-28T17:00:00.123Z\""));
}

#[rocket::async_test]
async fn pages_by_votes_are_not_called_older() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for title in ["One", "Two", "Three"] {
        ann.posts(title).await;
    }
    let next = async |sort: &str| {
        let page = ann.api().get(&format!("/posts?sort={sort}&limit=1")).await.json();
        let cursor = page["next"].as_str().unwrap().to_owned();
        ann.page().get(&format!("/?sort={sort}&limit=1&before={cursor}")).await.body
    };
    let (new, top) = (next("new").await, next("top").await);
    assert!(new.contains("← Newer") && new.contains("Older →"), "{new}");
    assert!(top.contains("← Previous") && top.contains("Next →"), "{top}");
}

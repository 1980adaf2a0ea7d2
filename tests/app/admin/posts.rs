//! The lists of posts and of users: searching, paging, and hidden from everybody else.

use rocket::http::Method::Get;
use serde_json::json;

use crate::support::App;
use crate::support::permission::{ADMINS, Permission, both};

pub fn permissions() -> Vec<Permission> {
    vec![both(Get, "/admin/posts", ADMINS).scope("admin")]
}

#[rocket::async_test]
async fn lists_are_searched_and_paged() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    app.user("under_score").await;
    ann.posts("Night TRAIN").await;
    ann.posts("100% rye").await;
    for (path, count) in [
        ("/admin/posts", 2),
        ("/admin/posts?q=train", 1),
        ("/admin/posts?q=ANN", 2),
        ("/admin/posts?q=100%25", 1),
        ("/admin/posts?q=zzz", 0),
        ("/admin/users", 3),
        ("/admin/users?q=ann", 1),
        ("/admin/users?q=mail.example", 3),
        ("/admin/users?q=_", 1),
        ("/admin/users?limit=2", 2),
    ] {
        let list = root.api().get(path).await;
        assert_eq!(list.json()["items"].as_array().unwrap().len(), count, "{path}: {}", list.body);
        assert_eq!(root.page().get(path).await.status, 200);
    }
    let page = root.page().get("/admin/users?q=ann").await;
    assert!(page.body.contains("ann@mail.example") && page.body.contains("value=\"ann\""));
    let people = root.api().get("/admin/users?q=ann").await.json();
    assert_eq!(people["items"][0]["posts"], 2);
}

#[rocket::async_test]
async fn the_posts_of_one_author_are_listed_and_searched() {
    let app = App::new().await;
    let (root, ann, bob) =
        (app.admin("root").await, app.user("ann-b").await, app.user("bob").await);
    let train = ann.posts("Night train").await;
    let rye = ann.posts("Rye by bob").await;
    bob.posts("Train of thought").await;
    for (query, expected) in [
        ("author=ANN-B", vec![rye, train]),
        ("author=ann-b&q=train", vec![train]),
        ("author=ann-b&q=bob", vec![rye]),
        ("author=ann-b&q=ann", vec![]),
        ("author=root", vec![]),
    ] {
        let path = format!("/admin/posts?{query}");
        let list = root.api().get(&path).await.json();
        let ids: Vec<i64> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|post| post["id"].as_i64().unwrap())
            .collect();
        assert_eq!(ids, expected, "{query}");
        assert_eq!(root.page().get(&path).await.status, 200);
    }
    assert_eq!(root.api().get("/admin/posts?author=ANN-B").await.json()["author"], "ann-b");
    assert_eq!(root.api().get("/admin/posts?author=nobody").await.status, 404);
    assert_eq!(root.page().get("/admin/posts?author=nobody").await.status, 404);
    let page = root.page().get("/admin/posts?author=ann-b&limit=1").await.body;
    assert!(page.contains("href=\"/admin/users?username=ann-b\""), "{page}");
    assert!(page.contains("&amp;author=ann-b\">Older"), "{page}");
    assert!(page.contains("type=\"hidden\" name=\"author\" value=\"ann-b\""), "{page}");
}

#[rocket::async_test]
async fn for_everybody_else_there_is_nothing_here() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for path in ["/admin/posts", "/admin/users"] {
        assert_eq!(ann.page().get(path).await.status, 404);
        assert_eq!(app.nobody().page().get(path).await.status, 404);
        assert_eq!(ann.api().get(path).await.status, 403);
        assert_eq!(app.nobody().api().get(path).await.status, 401);
    }
}

#[rocket::async_test]
async fn pages_for_admins_do_not_show_themselves() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for who in [&app.nobody(), &ann] {
        let there = who.page().post("/admin/audit", &[]).await;
        let nothing = who.page().post("/admin/nothing", &[]).await;
        assert_eq!((there.status, nothing.status), (404, 404));
        assert_eq!(there.header("allow"), None);
    }
}

/// Many people may read them: they can be found and deleted like others.
#[rocket::async_test]
async fn posts_that_are_in_no_other_list_are_found_by_admins() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    ann.posts("Public").await;
    let mut ids = Vec::new();
    for (title, visibility, state) in [
        ("Hidden 1", "unlisted", "published"),
        ("Hidden 2", "unlisted", "published"),
        ("Hidden 3", "members", "published"),
        ("Hidden 4", "private", "published"),
        ("Hidden 5", "unlisted", "draft"),
    ] {
        let post =
            json!({"title": title, "content": "x", "visibility": visibility, "state": state});
        ids.push(ann.api().post("/posts", post).await.json()["id"].as_i64().unwrap());
    }
    let titles = async |query: &str| -> Vec<String> {
        let list = root.api().get(&format!("/admin/posts?{query}")).await;
        assert_eq!(list.status, 200, "{}", list.body);
        let list = list.json();
        let items = list["items"].as_array().unwrap();
        items.iter().map(|post| post["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles("").await, ["Public"]);
    assert_eq!(titles("visibility=public").await, ["Public"]);
    assert_eq!(titles("visibility=unlisted").await, ["Hidden 2", "Hidden 1"]);
    assert_eq!(titles("visibility=members").await, ["Hidden 3"]);
    let first = root.api().get("/admin/posts?visibility=unlisted&limit=1").await.json();
    let next = first["next"].as_str().unwrap();
    assert_eq!(titles(&format!("visibility=unlisted&limit=1&before={next}")).await, ["Hidden 1"]);
    for (query, code) in [
        ("visibility=private", "visibility.unknown"),
        ("visibility=unlisted&q=hidden", "visibility.exclusive"),
        ("visibility=members&author=ann", "visibility.exclusive"),
    ] {
        let refused = root.api().get(&format!("/admin/posts?{query}")).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (422, &json!(code)));
        assert_eq!(root.page().get(&format!("/admin/posts?{query}")).await.status, 422);
    }
    // As the form of the list sends them.
    let page = root.page().get("/admin/posts?visibility=unlisted").await.body;
    assert!(page.contains("Unlisted posts") && page.contains("Hidden 1"), "{page}");
    let selected = format!("id={}&id={}&id={}", ids[0], ids[3], ids[4]);
    let asked = root.page().get(&format!("/admin/posts/bulk?{selected}")).await.body;
    assert!(asked.contains("Hidden 1") && !asked.contains("Hidden 4"), "{asked}");
    let form = [("id", ids[0].to_string()), ("id", ids[3].to_string()), ("id", ids[4].to_string())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, id)| (*name, id.as_str())).collect();
    root.page().post("/admin/posts/bulk", &form).await;
    assert_eq!(titles("visibility=unlisted").await, ["Hidden 2"]);
    assert_eq!(
        ann.api().get(&format!("/posts/{}", ids[3])).await.status,
        200,
        "it was not for them"
    );
}

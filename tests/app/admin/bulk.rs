//! Actions on what is selected in the lists: first a page that says what will happen, then doing it.

use rocket::futures::future::join_all;
use rocket::http::Method::{Get, Post};
use serde_json::json;

use crate::support::internals::{now, sql};
use crate::support::permission::{Permission, page_only};
use crate::support::{App, Person, encode, event_kinds};

pub fn permissions() -> Vec<Permission> {
    let fields = &[("id", "1"), ("action", "disable")];
    vec![
        page_only(Get, "/admin/posts/bulk", [404, 404, 404, 303]),
        page_only(Post, "/admin/posts/bulk", [404, 404, 404, 303]).with(fields),
        page_only(Get, "/admin/users/bulk", [404, 404, 404, 303]),
        page_only(Post, "/admin/users/bulk", [404, 404, 404, 303]).with(fields),
    ]
}

/// The fields of a form in which these rows are selected.
fn selecting<'a>(ids: &'a [String], more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    ids.iter().map(|id| ("id", id.as_str())).chain(more.iter().copied()).collect()
}

/// Sends a form, and returns where it leads and the notice that is shown there.
async fn act(root: &Person<'_>, path: &str, form: &[(&str, &str)]) -> (String, String) {
    let done = root.page().post(path, form).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let to = done.header("location").unwrap().to_owned();
    (to.clone(), notice(root, &to, &done.cookie("postly_flash").unwrap()).await)
}

async fn notice(root: &Person<'_>, path: &str, flash: &str) -> String {
    let again = Person { cookie: root.cookie.clone(), ..root.app.nobody() };
    let page = again.with_cookie("postly_flash", flash).page().get(path).await.body;
    let (_, rest) = page.split_once("role=\"status\"").unwrap_or_else(|| panic!("{page}"));
    rest.split_once('>').unwrap().1.split("</p>").next().unwrap().to_owned()
}

#[rocket::async_test]
async fn selected_posts_are_listed_first_and_then_deleted() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let kept = bob.posts("Kept").await;
    let mut ids = vec!["9999".to_owned()];
    for n in 1..10 {
        ids.push(ann.posts(&format!("Buy now {n}")).await.to_string());
    }
    let next = ("next", "/admin/posts?author=ann");
    let form = selecting(&ids, &[next]);
    let page = root.page().get(&format!("/admin/posts/bulk?{}", encode(&form))).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("Delete 9 posts?"), "{}", page.body);
    assert!(page.body.contains("1 of the selected posts is already gone"), "{}", page.body);
    for n in 1..10 {
        assert!(page.body.contains(&format!(">Buy now {n}</a>")), "{}", page.body);
    }
    assert!(!page.body.contains("Kept"));
    let count = app.nobody().api().get("/posts").await.json()["items"].as_array().unwrap().len();
    assert_eq!(count, 10, "looking changes nothing");

    let (to, said) = act(&root, "/admin/posts/bulk", &form).await;
    assert_eq!((to.as_str(), said.as_str()), (next.1, "9 posts deleted. One was already gone."));
    let left = app.nobody().api().get("/posts").await.json();
    assert_eq!(
        (left["items"].as_array().unwrap().len(), &left["items"][0]["id"]),
        (1, &json!(kept))
    );
    let log = root.api().get("/admin/audit?kind=post.deleted&person=root").await.json();
    assert_eq!(event_kinds(&log).len(), 9, "each is audited");
    assert_eq!(log["items"][8]["detail"], format!("post {}", ids[1]));
    let (_, again) = act(&root, "/admin/posts/bulk", &form).await;
    assert_eq!(again, "No post was deleted. 10 were already gone.");
}

#[rocket::async_test]
async fn a_selection_is_neither_empty_nor_endless() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let many: Vec<String> = (1..102).map(|id: i64| id.to_string()).collect();
    for path in ["/admin/posts/bulk", "/admin/users/bulk"] {
        let nothing = root.page().get(&format!("{path}?next=/admin/users%3Fq%3Dx")).await;
        assert_eq!(
            (nothing.status, nothing.header("location")),
            (303, Some("/admin/users?q=x")),
            "{path}"
        );
        let said = notice(&root, "/admin/users", &nothing.cookie("postly_flash").unwrap()).await;
        assert_eq!(said, "Select something in the list first.");
        for ids in [&many[..], &["x".to_owned()]] {
            let form = selecting(ids, &[("action", "delete")]);
            let asked = root.page().get(&format!("{path}?{}", encode(&form))).await;
            let sent = root.page().post(path, &form).await;
            assert_eq!((asked.status, sent.status), (422, 422), "{path}");
        }
        let elsewhere = root.page().get(&format!("{path}?next=//evil.example")).await;
        assert!(elsewhere.header("location").unwrap().starts_with("/admin/"));
    }
    for action in ["", "&action=", "&action=promote"] {
        let asked = root.page().get(&format!("/admin/users/bulk?id=1{action}")).await;
        assert_eq!(asked.status, 422, "{action}");
    }
}

#[rocket::async_test]
async fn selected_people_are_disabled_and_who_is_skipped_is_said() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.admin("bob").await);
    let off = app.user("off").await;
    root.api().patch("/admin/users/off", json!({"disabled": true})).await;
    let ids: Vec<String> =
        [root.id, ann.id, bob.id, off.id, 9999].map(|id| id.to_string()).to_vec();
    let form = selecting(&ids, &[("action", "disable"), ("next", "/admin/users?limit=50")]);
    let page = root.page().get(&format!("/admin/users/bulk?{}", encode(&form))).await.body;
    for text in [
        "Disable 2 accounts?",
        "Nothing: this is your own account",
        "Nothing: already disabled",
        "1 of the selected accounts is already gone",
        "ann@mail.example",
    ] {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert_eq!(ann.api().get("/me").await.status, 200, "looking changes nothing");

    let (to, said) = act(&root, "/admin/users/bulk", &form).await;
    assert_eq!(to, "/admin/users?limit=50");
    assert_eq!(
        said,
        "2 accounts are disabled and logged out everywhere. One account needed no change. \
         One account was already gone. Your own account was left as it is."
    );
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert_eq!(bob.page().get("/admin/users").await.status, 303, "to the log-in");
    let log = root.api().get("/admin/audit?kind=user.disabled&person=root").await.json();
    assert_eq!(event_kinds(&log).len(), 3, "nobody twice");

    let form = selecting(&ids, &[("action", "enable")]);
    let (to, said) = act(&root, "/admin/users/bulk", &form).await;
    assert_eq!(to, "/admin/users");
    assert!(said.starts_with("3 accounts enabled. One account was already gone."), "{said}");
    app.log_in("ann").await;
}

/// More posts than one transaction deletes.
const MANY: i64 = 250;

#[rocket::async_test]
async fn posts_of_selected_people_go_and_their_accounts_stay() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    bob.posts("Kept").await;
    for (person, parent) in [(&ann, None), (&bob, Some(1)), (&ann, Some(2))] {
        let text = if person.name == "ann" { "Spam" } else { "Kept" };
        let comment = json!({"content": text, "parent_id": parent});
        person.api().post("/posts/1/comments", comment).await;
    }
    let fill = "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL \
        SELECT i + 1 FROM n WHERE i < $1) \
        INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, created_at, \
        published_at) SELECT $2, 'Spam', 'x', 'x', 'x', 1, $3, $3 FROM n";
    sql(fill).bind(MANY).bind(ann.id).bind(now()).execute(app.db.writer()).await.unwrap();
    let ids = [ann.id.to_string()];
    let form = selecting(&ids, &[("action", "purge")]);
    let page = root.page().get(&format!("/admin/users/bulk?{}", encode(&form))).await.body;
    assert!(page.contains("Disable 1 account and delete 250 posts?"), "{page}");
    let (_, said) = act(&root, "/admin/users/bulk", &form).await;
    assert_eq!(
        said,
        "1 account is disabled and logged out everywhere, and 250 posts were deleted."
    );
    let account = root.api().get("/admin/users?username=ann").await.json();
    assert_eq!(account["items"][0]["posts"], 0);
    assert!(account["items"][0]["disabled_at"].is_string());
    let left = app.nobody().api().get("/posts?limit=100").await.json();
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
    let comments = app.nobody().api().get("/posts/1/comments").await.json();
    let texts: Vec<_> =
        comments["items"].as_array().unwrap().iter().map(|c| c["content"].clone()).collect();
    assert_eq!(texts, ["", "Kept"], "a comment stays empty while there is a reply to it");
    let log = root.api().get("/admin/audit?kind=comment.deleted&person=ann").await.json();
    assert_eq!(log["items"][0]["detail"], "comments 1, 3");
    let log = root.api().get("/admin/audit?kind=post.deleted&person=ann").await.json();
    let named: Vec<&str> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|event| event["detail"].as_str().unwrap()["posts ".len()..].split(", "))
        .collect();
    assert_eq!(named.len(), 250, "each post is named in the log");
}

#[rocket::async_test]
async fn selected_people_are_deleted_but_never_the_last_admin() {
    let app = App::new().await;
    let (root, eve, ann) = (app.admin("root").await, app.admin("eve").await, app.user("ann").await);
    ann.posts("Gone").await;
    let ids = [ann.id.to_string()];
    let form = selecting(&ids, &[("action", "delete")]);
    let page = root.page().get(&format!("/admin/users/bulk?{}", encode(&form))).await.body;
    assert!(page.contains("Delete 1 account and 1 post?"), "{page}");
    let (_, said) = act(&root, "/admin/users/bulk", &form).await;
    assert_eq!(said, "1 account was deleted with its posts.");
    assert_eq!(app.nobody().api().get("/users/ann").await.status, 404);

    // Two admins who delete each other.
    let (roots, eves) = ([root.id.to_string()], [eve.id.to_string()]);
    join_all([(&root, &eves), (&eve, &roots)].map(|(admin, others)| async move {
        let form = selecting(others, &[("action", "delete")]);
        admin.page().post("/admin/users/bulk", &form).await
    }))
    .await;
    let alive =
        join_all([&root, &eve].map(|admin| async { admin.api().get("/admin").await.status }));
    assert_eq!(alive.await.iter().filter(|status| **status == 200).count(), 1);
}

#[rocket::async_test]
async fn actions_on_selections_are_limited() {
    let app = App::with(&[("limits", "selections=1/h")]).await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let ids = [ann.id.to_string()];
    let form = selecting(&ids, &[("action", "enable")]);
    assert_eq!(root.page().post("/admin/users/bulk", &form).await.status, 303);
    let form = selecting(&ids, &[("action", "delete")]);
    assert_eq!(root.page().post("/admin/users/bulk", &form).await.status, 429);
    assert_eq!(root.page().post("/admin/posts/bulk", &form).await.status, 429);
    assert_eq!(ann.api().get("/me").await.status, 200);
}

//! Series: their pages, the place of a post in one, who sees what, renaming and deleting them.

use rocket::http::Method::{Delete, Get, Patch, Put};
use serde_json::{Value, json};

use super::drafts::{later, write};
use crate::support::internals::sql;
use crate::support::permission::{AtBothDoors, PUBLIC, Permission, api_only, both, page_only};
use crate::support::{App, Person};

pub fn permissions() -> Vec<Permission> {
    const CHANGE: AtBothDoors = [(303, 401), (403, 403), (303, 200), (303, 200)];
    const DELETE: AtBothDoors = [(303, 401), (403, 403), (303, 204), (303, 204)];
    let title = &[("title", "Changed")];
    vec![
        both(Get, "/series/<id>", PUBLIC).scope("posts:read"),
        api_only(Get, "/series/<id>/posts", [200; 4]).scope("posts:read"),
        page_only(Get, "/series/<id>/edit", [303, 403, 200, 200]),
        both(Put, "/series/<id>", CHANGE).with(title).scope("posts:write"),
        both(Patch, "/series/<id>", CHANGE).with(title).scope("posts:write"),
        both(Delete, "/series/<id>", DELETE).scope("posts:write"),
        both(Get, "/users/<username>/series", PUBLIC).scope("posts:read"),
    ]
}

/// Publishes a post in a series, and returns its id.
pub async fn part(person: &Person<'_>, title: &str, series: &str) -> i64 {
    let post = json!({"title": title, "content": "x", "series": series});
    write(person, post).await["id"].as_i64().unwrap()
}

/// The box about the series on the page of a post; empty if there is none.
pub async fn place(person: &Person<'_>, id: i64) -> String {
    let page = person.page().get(&format!("/posts/{id}")).await;
    assert_eq!(page.status, 200, "{id}");
    let rest = page.body.split_once("<nav class=\"series\"").map_or("", |(_, rest)| rest);
    rest.split("</nav>").next().unwrap().to_owned()
}

/// The titles of the parts of series 1, which are the same at both doors.
async fn parts(person: &Person<'_>) -> Vec<String> {
    let list = person.api().get("/series/1/posts").await.json();
    let items = list["items"].as_array().unwrap().iter();
    let titles: Vec<String> =
        items.map(|post| post["title"].as_str().unwrap().to_owned()).collect();
    let page = person.page().get("/series/1").await.body;
    let places: Vec<_> = titles.iter().map(|title| page.find(&format!(">{title}</a>"))).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{titles:?}: {page}");
    titles
}

#[rocket::async_test]
async fn a_series_is_made_by_the_first_post_that_names_it() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let post = json!({"title": "Ebb", "content": "x", "series": " On  Tides "});
    let post = write(&ann, post).await;
    assert_eq!(post["series"], json!({"id": 1, "title": "On Tides", "path": "/series/1"}));
    part(&ann, "Flood", "on tides").await;
    // Another person's is another one.
    part(&bob, "Gulls", "On Tides").await;
    let series = app.nobody().api().get("/series/1").await;
    assert_eq!(series.status, 200);
    let view = series.json();
    assert_eq!(
        (&view["title"], &view["path"], &view["parts"], &view["author"]["username"]),
        (&json!("On Tides"), &json!("/series/1"), &json!(2), &json!("ann"))
    );
    assert!(view["latest_at"].is_string() && view["created_at"].is_string(), "{view}");
    assert_eq!(parts(&app.nobody()).await, ["Ebb", "Flood"]);
    let listed = app.nobody().api().get("/posts").await.json();
    let series: Vec<&Value> =
        listed["items"].as_array().unwrap().iter().map(|post| &post["series"]["id"]).collect();
    assert_eq!(series, [&json!(2), &json!(1), &json!(1)]);
    let page = app.nobody().page().get("/series/1").await.body;
    for text in ["<h1 dir=\"auto\">On Tides</h1>", "2 parts by", "/users/ann", "rel=\"canonical\""]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("Rename or delete"), "{page}");
    for nowhere in ["/series/3", "/series/01", "/series/x", "/users/nobody/series"] {
        assert_eq!(app.nobody().page().get(nowhere).await.status, 404, "{nowhere}");
    }
    let list = app.nobody().api().get("/users/ann/series").await.json();
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["items"][0]["title"], "On Tides");
    assert!(app.nobody().page().get("/users/ann/series").await.body.contains("On Tides"));
    for path in ["/users/ann", "/users/ann/comments"] {
        let profile = app.nobody().page().get(path).await.body;
        assert!(profile.contains("href=\"/users/ann/series\""), "{path}: {profile}");
    }
}

#[rocket::async_test]
async fn a_post_says_where_it_stands_and_what_comes_before_and_after() {
    const NO: (bool, bool) = (false, false);
    let app = App::new().await;
    let ann = app.user("ann").await;
    let [first, second, third] = [
        part(&ann, "First", "Tides").await,
        part(&ann, "Second", "Tides").await,
        part(&ann, "Third", "Tides").await,
    ];
    let other = ann.posts("Apart").await;
    let links = async |id: i64| {
        let found = place(&app.nobody(), id).await;
        let link = |rel: &str, title: &str| {
            let pieces: Vec<&str> = found.split("<a ").collect();
            let is_it = |piece: &&str| {
                piece.contains(&format!("rel=\"{rel}\""))
                    && piece.contains(&format!(">{title}</a>"))
            };
            pieces.iter().any(is_it)
        };
        ["First", "Second", "Third"].map(|title| (link("prev", title), link("next", title)))
    };
    assert!(place(&app.nobody(), first).await.contains("Part 1 of 3 in"));
    assert!(place(&app.nobody(), second).await.contains("Part 2 of 3 in"));
    assert_eq!(links(first).await, [NO, (false, true), NO]);
    assert_eq!(links(second).await, [(true, false), NO, (false, true)]);
    assert_eq!(links(third).await, [NO, (true, false), NO]);
    assert_eq!(place(&app.nobody(), other).await, "");
    // Those of the feed are no longer what comes before and after.
    let page = app.nobody().page().get(&format!("/posts/{second}")).await.body;
    assert_eq!(
        (page.matches("rel=\"prev\"").count(), page.matches("rel=\"next\"").count()),
        (1, 1)
    );
    // The date of publication orders them; in the same moment, the number.
    let dated = json!({"published_at": "2020-01-01T00:00:00Z"});
    assert_eq!(ann.api().patch(&format!("/posts/{third}"), dated).await.status, 200);
    assert_eq!(parts(&app.nobody()).await, ["Third", "First", "Second"]);
    assert!(place(&app.nobody(), third).await.contains("Part 1 of 3 in"));
    sql("UPDATE posts SET published_at = (SELECT min(created_at) FROM posts)")
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(parts(&app.nobody()).await, ["First", "Second", "Third"]);
    assert_eq!(links(second).await, [(true, false), NO, (false, true)]);
    // The API's answer, and so its tag, is the post alone.
    let path = format!("/posts/{first}");
    let tag = app.nobody().api().get(&path).await.header("etag").map(str::to_owned);
    part(&ann, "Fourth", "Tides").await;
    assert_eq!(app.nobody().api().get(&path).await.header("etag").map(str::to_owned), tag);
    assert!(place(&app.nobody(), first).await.contains("Part 1 of 4 in"));
}

#[rocket::async_test]
async fn what_is_not_public_is_no_part_and_betrays_no_series() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let hidden = [
        json!({"state": "draft"}),
        json!({"published_at": later(100)}),
        json!({"visibility": "private"}),
        json!({"visibility": "members"}),
        json!({"visibility": "unlisted"}),
    ];
    for (n, state) in hidden.iter().enumerate() {
        let mut post =
            json!({"title": format!("Hidden {n}"), "content": "x", "series": "Whispers"});
        post.as_object_mut().unwrap().extend(state.as_object().unwrap().clone());
        assert_eq!(write(&ann, post).await["series"]["title"], "Whispers", "its author is told");
    }
    // For her alone there is such a series.
    for person in [&app.nobody(), &bob, &root] {
        for path in ["/series/1", "/series/1/posts", "/series/1/edit"] {
            let (page, api) = (person.page().get(path).await, person.api().get(path).await);
            assert!(page.status != 200 && api.status != 200, "{path} for {}", person.name);
            assert!(!page.body.contains("Whispers") && !api.body.contains("Whispers"), "{path}");
        }
        for path in ["/users/ann", "/users/ann/series", "/posts/4", "/posts/5"] {
            let (page, api) = (person.page().get(path).await, person.api().get(path).await);
            assert!(!page.body.contains("Whispers") && !api.body.contains("Whispers"), "{path}");
        }
        let profile = person.page().get("/users/ann").await.body;
        assert!(!profile.contains("href=\"/users/ann/series\""), "{profile}");
        assert_eq!(person.api().get("/users/ann").await.json()["has_series"], false);
    }
    for change in ["PUT", "DELETE"] {
        let answer = match change {
            "PUT" => root.api().put("/series/1", json!({"title": "x"})).await,
            _ => root.api().delete("/series/1").await,
        };
        assert_eq!(answer.status, 404, "{change}");
    }
    assert_eq!(ann.api().get("/users/ann").await.json()["has_series"], true);
    let page = ann.page().get("/series/1").await;
    assert!(page.status == 200 && page.body.contains("None of its posts is public yet"));
    assert!(ann.page().get("/users/ann/series").await.body.contains("nothing public yet"));
    assert!(ann.page().get("/posts/1").await.body.contains("In the series"));
    // Beside public ones, they are not counted.
    let [six, seven] =
        [part(&ann, "Heard", "Whispers").await, part(&ann, "Heard again", "Whispers").await];
    for person in [&app.nobody(), &bob, &root, &ann] {
        assert_eq!(person.api().get("/series/1").await.json()["parts"], 2, "{}", person.name);
        assert_eq!(parts(person).await, ["Heard", "Heard again"]);
        for (id, number) in [(six, 1), (seven, 2)] {
            let found = place(person, id).await;
            assert!(found.contains(&format!("Part {number} of 2 in")), "{found}");
            assert!(!found.contains("Hidden"), "{found}");
        }
    }
    assert_eq!(bob.api().get("/posts/5").await.json()["series"], Value::Null);
    assert_eq!(ann.api().get("/posts/5").await.json()["series"]["id"], 1);
    let link = ann.api().post("/posts/1/shares", json!({})).await.json();
    let shared = app.nobody().page().get(link["path"].as_str().unwrap()).await.body;
    assert!(shared.contains("Hidden 0") && !shared.contains("Whispers"), "{shared}");
    // Published, a draft is a part; taken back, it is none.
    assert_eq!(ann.api().put("/posts/1/publication", json!({})).await.status, 200);
    assert_eq!(parts(&bob).await, ["Heard", "Heard again", "Hidden 0"]);
    assert!(place(&bob, seven).await.contains("Hidden 0"));
    assert_eq!(ann.api().delete("/posts/1/publication").await.status, 200);
    assert_eq!(parts(&bob).await, ["Heard", "Heard again"]);
    assert!(!place(&bob, seven).await.contains("Hidden 0"));
}

#[rocket::async_test]
async fn long_series_have_pages_that_count_on() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for n in 1..=5 {
        part(&ann, &format!("No. {n}"), "Tides").await;
        part(&ann, &format!("x{n}"), &format!("Another {n}")).await;
    }
    let first = app.nobody().api().get("/series/1/posts?limit=2").await.json();
    let second = format!("?limit=2&before={}", first["next"].as_str().unwrap());
    let second_list = app.nobody().api().get(&format!("/series/1/posts{second}")).await.json();
    let titles = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items.map(|post| post["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles(&first), ["No. 1", "No. 2"]);
    assert_eq!(titles(&second_list), ["No. 3", "No. 4"]);
    assert_eq!(second_list["series"]["title"], "Tides");
    let page = app.nobody().page().get(&format!("/series/1{second}")).await.body;
    assert!(
        page.contains("<ol class=\"parts\" start=\"3\">") && page.contains("5 parts"),
        "{page}"
    );
    assert!(page.contains("rel=\"prev\"") && page.contains("rel=\"next\""), "{page}");
    let back = format!("?limit=2&after={}", second_list["previous"].as_str().unwrap());
    let back = app.nobody().api().get(&format!("/series/1/posts{back}")).await.json();
    assert_eq!(titles(&back), ["No. 1", "No. 2"]);
    // A person's series, the latest first.
    let list = app.nobody().api().get("/users/ann/series?limit=2").await.json();
    assert_eq!(titles(&list), ["Another 5", "Another 4"]);
    let next = format!("?limit=2&before={}", list["next"].as_str().unwrap());
    let list = app.nobody().api().get(&format!("/users/ann/series{next}")).await.json();
    assert_eq!(titles(&list), ["Another 3", "Another 2"]);
    assert_eq!(app.nobody().api().get("/series/1/posts?limit=x").await.status, 422);
    assert_eq!(app.nobody().api().get("/series/1/posts?sort=new").await.status, 422);
}

#[rocket::async_test]
async fn a_series_is_renamed_and_deleted_and_its_posts_stay() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let first = part(&ann, "First", "Tides").await;
    part(&ann, "Second", "Sand").await;
    part(&bob, "Third", "Gulls").await;
    let renamed = ann.api().put("/series/1", json!({"title": " Spring  tides"})).await;
    assert_eq!((renamed.status, &renamed.json()["title"]), (200, &json!("Spring tides")));
    assert_eq!(ann.api().patch("/series/1", json!({"title": "SPRING tides"})).await.status, 200);
    assert!(place(&app.nobody(), first).await.contains("SPRING tides"));
    let path = format!("/posts/{first}");
    assert_eq!(app.nobody().api().get(&path).await.json()["series"]["title"], "SPRING tides");
    assert_eq!(ann.api().put("/series/1", json!({})).await.json()["title"], "SPRING tides");
    for (title, status, code) in [
        (json!("sand"), 409, "title.taken"),
        (json!(""), 422, "title.required"),
        (Value::Null, 422, "title.required"),
        (json!("x".repeat(101)), 422, "title.too_long"),
        (json!("\u{202e}x"), 422, "title.invisible"),
    ] {
        let refused = ann.api().put("/series/1", json!({"title": title})).await;
        assert_eq!(refused.status, status, "{title}: {}", refused.body);
        assert_eq!(refused.json()["errors"][0]["code"], code, "{title}");
    }
    assert_eq!(bob.api().put("/series/1", json!({"title": "Mine"})).await.status, 403);
    // By forms.
    let form = ann.page().get("/series/1/edit").await.body;
    assert!(form.contains("value=\"SPRING tides\"") && form.contains("Delete this series"));
    let taken = ann.page().put("/series/1", &[("title", "SAND")]).await;
    assert_eq!(taken.status, 409);
    assert!(taken.body.contains("value=\"SAND\"") && taken.body.contains("href=\"#title\""));
    let saved = ann.page().put("/series/1", &[("title", "Tides")]).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some("/series/1")));
    assert_eq!(saved.cookie("postly_flash").as_deref(), Some("series-saved"));
    assert!(ann.page().get("/series/1").await.body.contains("Rename or delete"));
    // Admins can, too, which is audited.
    assert_eq!(root.api().put("/series/3", json!({"title": "Birds"})).await.status, 200);
    assert_eq!(root.page().delete("/series/3", &[]).await.status, 303);
    let events = root.api().get("/admin/audit?person=bob").await.json();
    for kind in ["series.changed", "series.deleted"] {
        let is_there = |event: &Value| event["kind"] == kind && event["detail"] == "series 3";
        assert!(events["items"].as_array().unwrap().iter().any(is_there), "{events}");
    }
    let deleted = ann.page().delete("/series/1", &[]).await;
    assert_eq!(deleted.header("location"), Some("/users/ann/series"));
    assert_eq!(app.nobody().page().get("/series/1").await.status, 404);
    let post = app.nobody().api().get(&path).await.json();
    assert_eq!((&post["title"], &post["series"]), (&json!("First"), &Value::Null));
    assert_eq!(place(&app.nobody(), first).await, "");
    assert_eq!(ann.api().delete("/series/2").await.status, 204);
    assert_eq!(ann.api().delete("/series/2").await.status, 404);
    // The name is free again; with its author, a series goes.
    part(&ann, "Fourth", "Tides").await;
    assert_eq!(root.api().delete("/admin/users/ann").await.status, 204);
    let left: i64 = sql("SELECT count(*) FROM series").scalar(&app.db).await.unwrap();
    assert_eq!(left, 0);
}

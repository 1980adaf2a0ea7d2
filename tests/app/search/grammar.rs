//! What people type, at both doors.

use serde_json::{Value, json};

use super::{NOTHING, ask, find, ids, shown};
use crate::support::internals::{now, sql};
use crate::support::{App, Person, encode};

async fn write(person: &Person<'_>, title: &str, content: &str) -> i64 {
    let post = person.api().post("/posts", json!({"title": title, "content": content})).await;
    assert_eq!(post.status, 201, "{}", post.body);
    post.json()["id"].as_i64().unwrap()
}

#[rocket::async_test]
async fn words_phrases_and_filters_narrow_what_is_found() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let sea = write(&ann, "On spring tides", "The *sea* comes twice a day.").await;
    let food = write(&ann, "Crème brûlée", "A tide of cream, and no sea.").await;
    let moon = write(&bob, "The moon", "It pulls the sea. Straße, 世界の海, e-mail.").await;
    sql("INSERT INTO tags (name, created_at) VALUES ('sea', $1), ('ocean', $1)")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
    for statement in [
        "UPDATE tags SET alias_of = (SELECT id FROM tags WHERE name = 'sea') WHERE name = 'ocean'",
        "INSERT INTO post_tags (post_id, tag_id, position, published_at) \
         SELECT p.id, t.id, 0, p.published_at FROM posts p JOIN tags t ON t.name = 'sea' \
         WHERE p.title = 'The moon'",
    ] {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
    // With its tags.
    assert_eq!(
        bob.api().put(&format!("/posts/{moon}"), json!({"title": "A moon"})).await.status,
        200
    );
    let nobody = app.nobody();
    for (q, expected) in [
        ("sea", vec![moon, food, sea]),
        ("tides", vec![sea, food]),
        ("TIDE sea", vec![sea, food]),
        ("\"spring tide\"", vec![sea]),
        ("\"tide spring\"", vec![]),
        ("spring sea", vec![sea]),
        ("sea -cream", vec![moon, sea]),
        ("sea -\"no sea\"", vec![moon, sea]),
        ("-sea", vec![]),
        ("-tide", vec![moon]),
        ("creme BRULEE", vec![food]),
        ("strasse", vec![moon]),
        ("世界", vec![moon]),
        ("界世", vec![]),
        ("email", vec![]),
        ("e-mail", vec![moon]),
        ("author:ann", vec![food, sea]),
        ("author:ANN cream", vec![food]),
        ("sea -author:ann", vec![moon]),
        ("tag:sea", vec![moon]),
        ("tag:Ocean sea", vec![moon]),
        ("-tag:sea", vec![food, sea]),
        ("ann", vec![food, sea]),
        ("after:2020-01-01", vec![moon, food, sea]),
        ("before:2020-01-01 sea", vec![]),
        ("-after:2020-01-01 sea", vec![]),
        ("nowhere", vec![]),
    ] {
        assert_eq!(find(&nobody, "posts", q).await, expected, "{q}");
        let page = nobody.page().get(&format!("/search?{}", encode(&[("q", q)]))).await;
        assert_eq!(page.status, 200, "{q}");
        for id in [sea, food, moon] {
            let is_shown = page.body.contains(&format!("href=\"/posts/{id}/"));
            assert_eq!(is_shown, expected.contains(&id), "{q}: {id}");
        }
    }
}

#[rocket::async_test]
async fn days_are_those_of_the_publication_in_utc() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let mut posts = Vec::new();
    for at in ["2026-01-30T23:59:59Z", "2026-01-31T00:00:00Z", "2026-02-01T12:00:00Z"] {
        let id = write(&ann, "Tides", "x").await;
        let at: chrono::DateTime<chrono::Utc> = at.parse().unwrap();
        sql("UPDATE posts SET published_at = $1 WHERE id = $2")
            .bind(at)
            .bind(id)
            .execute(app.db.writer())
            .await
            .unwrap();
        // Indexed anew, with the day.
        ann.api().put(&format!("/posts/{id}"), json!({"content": "y"})).await;
        posts.push(id);
    }
    let [first, second, third] = posts[..] else { unreachable!() };
    for (q, expected) in [
        ("tide before:2026-01-31", vec![first]),
        ("tide after:2026-01-31", vec![third, second]),
        ("after:2026-01-31 before:2026-02-01", vec![second]),
        ("after:2026-02-02 before:2026-02-03", vec![]),
        ("before:0001-01-01", vec![]),
        ("after:9999-12-31", vec![]),
    ] {
        assert_eq!(find(&ann, "posts", q).await, expected, "{q}");
    }
}

#[rocket::async_test]
async fn comments_and_people_are_found() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("Zoë-ann").await);
    let post = ann.posts("Tides").await;
    let path = format!("/posts/{post}/comments");
    let comment = bob.api().post(&path, json!({"content": "What about *waves*?"})).await.json();
    let id = comment["id"].as_i64().unwrap();
    let answer = ask(&app.nobody(), "comments", "wave").await;
    let item = &answer["items"][0];
    assert_eq!((ids(&answer), &item["kind"]), (vec![id], &json!("comment")));
    assert_eq!((&item["path"], &item["author"]["username"]), (&comment["path"], &json!("Zoë-ann")));
    assert_eq!(shown(&item["excerpt"]), "What about [waves]?");
    assert_eq!(shown(&item["title"]), "Tides");
    for (q, expected) in [
        ("wave author:zoë-ann", vec![id]),
        ("wave author:ann", vec![]),
        ("wave tag:none", vec![]),
        ("-wave", vec![]),
        ("tides", vec![]),
    ] {
        assert_eq!(find(&ann, "comments", q).await, expected, "{q}");
    }
    for (q, expected) in [
        ("ann", vec![ann.id, bob.id]), // The whole name first.
        ("ANN", vec![ann.id, bob.id]),
        ("zoe", vec![bob.id]),
        ("oe ann", vec![bob.id]),
        ("zoe-ann", vec![bob.id]),
        ("ann -zoë", vec![ann.id]),
        ("an", vec![bob.id, ann.id]),
        ("mail", vec![]), // In everybody's e-mail address.
        ("-ann", vec![]),
    ] {
        let found = find(&app.nobody(), "people", q).await;
        let found = if q == "an" { found.into_iter().rev().collect() } else { found };
        assert_eq!(found.len(), expected.len(), "{q}: {found:?}");
        assert!(q == "an" || found == expected, "{q}: {found:?}");
    }
    let answer = ask(&app.nobody(), "people", "zoe tag:x before:2026-01-01").await;
    assert_eq!(answer["items"][0]["path"], "/users/Zo%C3%AB-ann", "{answer}");
    assert_eq!(shown(&answer["items"][0]["title"]), "[Zoë]-ann");
    let codes = answer["notes"].as_array().unwrap().iter().map(|note| note["code"].clone());
    assert_eq!(codes.collect::<Vec<_>>(), ["not_applicable", "not_applicable"]);
    let page = app.nobody().page().get("/search?type=people&q=zoe").await.body;
    assert!(page.contains("<mark>Zoë</mark>-ann") && !page.contains("mail.example"), "{page}");
}

#[rocket::async_test]
async fn what_makes_no_sense_is_told_and_kept_in_the_field() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Spring tides").await;
    for (q, code, found) in [
        ("\"spring tide", "unclosed_quote", vec![id]),
        ("tide -", "nothing_to_find", vec![id]),
        ("tide tag:", "nothing_to_find", vec![id]),
        ("tide author:<b>", "unknown_author", vec![]),
        ("tide -author:nobody", "unknown_author", vec![id]),
        ("tide tag:none", "unknown_tag", vec![]),
        ("tide -tag:none", "unknown_tag", vec![id]),
    ] {
        let answer = ask(&app.nobody(), "posts", q).await;
        assert_eq!((ids(&answer), &answer["notes"][0]["code"]), (found, &json!(code)), "{q}");
        let page = app.nobody().page().get(&format!("/search?{}", encode(&[("q", q)]))).await;
        assert!(page.body.contains("class=\"search-note\""), "{q}: {}", page.body);
        assert!(!page.body.contains("<b>"), "{}", page.body);
    }
    let long = "x".repeat(301);
    for (q, code) in [
        ("tide before:now", "q.malformed"),
        (&*long, "q.too_long"),
        (&*"x ".repeat(17), "q.too_complex"),
    ] {
        let path = format!("/search?{}", encode(&[("q", q)]));
        let refused = app.nobody().api().get(&path).await;
        assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (422, &json!(code)));
        let page = app.nobody().page().get(&path).await;
        assert_eq!(page.status, 422);
        assert!(page.body.contains(&format!("value=\"{q}\"")), "{}", page.body);
        assert!(page.body.contains("id=\"q-error\""), "{}", page.body);
    }
    for (path, field) in [
        ("/search?q=x&type=everything", "type"),
        ("/search?q=x&limit=0", "limit"),
        ("/search?q=x&before=x", "before"),
    ] {
        let refused = app.nobody().api().get(path).await;
        assert_eq!((refused.status, refused.field_errors()), (422, vec![field.to_owned()]));
        assert_eq!(app.nobody().page().get(path).await.status, 422, "{path}");
    }
}

#[rocket::async_test]
async fn no_query_is_an_error_of_the_site() {
    let app = App::new().await;
    app.user("ann").await.posts("Tides").await;
    let (long, phrases) = ("x ".repeat(10_000), "\"x\" ".repeat(100));
    let queries = [
        "",
        " ",
        "\0",
        "a\0b",
        "\"",
        "\"\"\"",
        "-",
        "--",
        "-\"",
        "tag:",
        "author:\0",
        "tag:\u{fffd}",
        ":",
        "*",
        "x*",
        "NEAR(a b)",
        "a AND b",
        "a:b",
        "^x",
        "(",
        "'",
        "\\",
        "a' & 'b",
        "!x",
        "a | b",
        "a <-> b",
        "%",
        "_",
        "{tide}",
        "＊",
        "＠1",
        "＃1",
        "\u{202e}",
        "block 0 0",
        "'block 0 0'",
        "NOT",
        "before:",
        "after:99999-01-01",
        "-before:2026-01-01",
        &long,
        &phrases,
        "😀",
        "ａ",
        "ﷺ",
        "½",
    ];
    for q in queries {
        for kind in ["posts", "comments", "people"] {
            let path = format!("/search?{}", encode(&[("q", q), ("type", kind)]));
            let (page, api) =
                (app.nobody().page().get(&path).await, app.nobody().api().get(&path).await);
            assert!([200, 422].contains(&page.status), "{q:?}: {}", page.status);
            assert_eq!(page.status, api.status, "{q:?}");
        }
    }
    let none = ask(&app.nobody(), "posts", "").await;
    assert_eq!((ids(&none), &none["next"]), (NOTHING.to_vec(), &Value::Null));
}

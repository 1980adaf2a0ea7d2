//! The largest answers of lists, in bytes. A client that does not read makes the server keep them.

use crate::support::internals::{
    Admin, AuditEvent, Caller, EventKind, Registration, Role, create_user, now, sql,
};
use crate::support::{App, PASSWORD};

/// The most that a list sends as JSON, with or without contents.
const JSON: usize = 1024 * 1024;
/// The most that a page with a list has.
const PAGE: usize = 2 * 1024 * 1024;

/// A hundred people with the longest names, each with a post made of `c`, in a series, and a vote for the first.
async fn fill(app: &App, c: &str, content: &str) {
    for n in 1..=100i64 {
        // Four bytes a character in JSON, twelve in a link.
        let name = char::from_u32(0x2_0000 + n as u32).unwrap().to_string().repeat(40);
        let (user,): (i64,) = sql("INSERT INTO users (username, username_key, email, \
             password_hash, role, created_at) VALUES ($1, $1, $2, '', 'user', $3) RETURNING id")
        .bind(name)
        .bind("é".repeat(120))
        .bind(now())
        .one(app.db.writer())
        .await
        .unwrap();
        let (series,): (i64,) = sql("INSERT INTO series (user_id, title, title_key, created_at) \
             VALUES ($1, $2, $2, $3) RETURNING id")
        .bind(user)
        .bind(c.repeat(100))
        .bind(now())
        .one(app.db.writer())
        .await
        .unwrap();
        let (post,): (i64,) = sql("INSERT INTO posts (user_id, title, content, content_html, \
             excerpt, rendering, created_at, updated_at, published_at, series_id) \
             VALUES ($1, $2, $3, '', $4, 1, $5, $5, $5, $6) RETURNING id")
        .bind(user)
        .bind(c.repeat(255))
        .bind(content)
        .bind(c.repeat(281))
        .bind(now())
        .bind(series)
        .one(app.db.writer())
        .await
        .unwrap();
        sql("INSERT INTO votes (post_id, user_id, created_at) VALUES ($1, $2, $3)")
            .bind(post - n + 1)
            .bind(user)
            .bind(now())
            .execute(app.db.writer())
            .await
            .unwrap();
    }
}

async fn no_list_is_larger_than_its_bound(c: &str, content: &str) {
    let app = App::new().await;
    let name = "\u{20731}".repeat(40);
    let form = Registration {
        username: Some(name.clone()),
        password: Some(PASSWORD.to_owned()),
        email: None,
    };
    let user = create_user(app.site(), &Admin::operator(), &form, Role::Admin).await.unwrap();
    let root = app.log_in(&user.username).await;
    fill(&app, c, content).await;
    let caller = Caller::new("2001:db8:1:2:3:4:5:6".parse().ok(), &"\"".repeat(200), &c.repeat(64));
    for _ in 0..100 {
        AuditEvent::own(EventKind::LOGGED_IN, &user).record(&app.db, &caller).await.unwrap();
    }
    for path in [
        "/posts?limit=100",
        "/posts?limit=100&sort=top",
        "/posts?limit=100&include=content",
        "/posts/1/votes?limit=100",
        "/me/events?limit=100",
        "/admin/posts?limit=100",
        "/admin/users?limit=100",
        "/admin/audit?limit=100",
    ] {
        let json = root.api().get(path).await;
        let items = json.json()["items"].as_array().unwrap().len();
        assert!(items == 100 || (path.contains("content") && items > 0), "{path}: {items}");
        assert!(json.body.len() <= JSON, "{path}: {}", json.body.len());
        // The page repeats its own address in each form.
        let path =
            path.strip_prefix("/posts?").map_or(path.to_owned(), |query| format!("/?{query}"));
        let with = |length| format!("{path}&x={}", "/".repeat(length));
        for path in [with(8_000), with(740), path.clone()] {
            let page = root.page().get(&path).await;
            assert_eq!(page.status, 200, "{path}");
            let start = path.chars().take(40).collect::<String>();
            assert!(page.body.len() > 20_000, "{start}: {}", page.body.len());
            assert!(page.body.len() <= PAGE, "{start}: {}", page.body.len());
        }
    }
}

#[rocket::async_test]
async fn lists_of_the_longest_texts_are_bounded() {
    no_list_is_larger_than_its_bound("𠀀", &"𠀀".repeat(100_000)).await;
}

/// Quotes have six bytes in HTML, control characters six in JSON.
#[rocket::async_test]
async fn lists_of_texts_that_grow_when_escaped_are_bounded() {
    no_list_is_larger_than_its_bound("'", &"\u{1}".repeat(100_000)).await;
}

//! Listing and ending sessions, and how they expire.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Post};
use serde_json::json;

use crate::support::internals::{now, sql};
use crate::support::permission::{MEMBERS, MEMBERS_DELETE, MEMBERS_NOT_FOUND, Permission, both};
use crate::support::{App, PASSWORD};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/me/sessions", MEMBERS).scope("account"),
        both(Delete, "/me/sessions", MEMBERS_DELETE).scope("account"),
        // The session in the path does not exist.
        both(Delete, "/me/sessions/<sid>", MEMBERS_NOT_FOUND).scope("account"),
    ]
}

#[rocket::async_test]
async fn people_see_their_sessions_and_end_one() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    app.user("bob").await;
    let phone = [("User-Agent", "Mozilla/5.0 (Linux; Android 15) Firefox/145.0")];
    let login = json!({"username": "ann", "password": PASSWORD});
    let elsewhere = app.nobody().from("192.0.2.7");
    let tokens = elsewhere.api().send(Post, "/auth/login", Some(login), &phone).await;
    let lost = app.nobody().with_token(tokens.json()["access_token"].as_str().unwrap());
    assert_eq!(lost.api().get("/me").await.status, 200);

    let list = ann.api().get("/me/sessions").await.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 3, "two doors here, one device elsewhere: {list}");
    assert_eq!(items.iter().filter(|s| s["current"] == true).count(), 1);
    let other = items.iter().find(|s| s["address"] == "192.0.2.7").unwrap();
    assert_eq!((&other["device"], &other["client"]), (&json!("Firefox on Android"), &json!("api")));
    let page = ann.page().get("/me/sessions").await;
    for part in ["Firefox on Android", "192.0.2.7", "this device"] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    assert!(!list.to_string().contains("eyJ") && !page.body.contains("eyJ"), "no token is shown");

    let path = format!("/me/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(app.log_in("bob").await.api().delete(&path).await.status, 404, "it is not bob's");
    assert_eq!(lost.api().get("/me").await.status, 200);
    assert_eq!(ann.page().delete(&path, &[]).await.status, 303);
    assert_eq!(lost.api().get("/me").await.status, 401, "it ends immediately");
    assert_eq!(ann.api().delete(&path).await.status, 404, "it works once");
}

#[rocket::async_test]
async fn all_other_sessions_end_at_once_at_either_door() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let other = app.log_in("ann").await;
    assert_eq!(ann.api().delete("/me/sessions").await.status, 204);
    assert_eq!(ann.api().get("/me").await.status, 200);
    assert_eq!(ann.page().get("/me").await.status, 303, "the browser has another session");
    assert_eq!(other.api().get("/me").await.status, 401);

    let ann = app.log_in("ann").await;
    let other = app.log_in("ann").await;
    assert_eq!(ann.page().delete("/me/sessions", &[]).await.status, 303);
    assert_eq!(ann.page().get("/me").await.status, 200);
    assert_eq!(other.page().get("/me").await.status, 303);
}

#[rocket::async_test]
async fn the_absolute_limit_holds_however_much_a_session_is_used() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    sql("UPDATE sessions SET expires_at = $1")
        .bind(now() - chrono::Duration::seconds(1))
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 401);
    let again = json!({"refresh_token": ann.refresh_token.clone().unwrap()});
    assert_eq!(app.nobody().api().post("/auth/refresh", again).await.status, 401);
}

#[rocket::async_test]
async fn ending_sessions_wins_against_whoever_keeps_refreshing() {
    // The tokens of ended sessions are unknown ones, of which a network may send only so many.
    let app = App::with(&[("limits", "refresh-address=1000/m")]).await;
    let ann = app.user("ann").await;
    for _ in 0..5 {
        let thief = app.log_in("ann").await;
        let token = json!({"refresh_token": thief.refresh_token.clone().unwrap()});
        let nobody = app.nobody();
        let storm = join_all((0..20).map(|_| {
            let (token, nobody) = (token.clone(), &nobody);
            async move { nobody.api().post("/auth/refresh", token).await.status }
        }));
        let (all, ended) =
            rocket::futures::future::join(storm, ann.page().delete("/me/sessions", &[])).await;
        assert_eq!(ended.status, 303);
        assert!(all.iter().all(|status| matches!(status, 200 | 401)), "{all:?}");
        assert_eq!(thief.api().get("/me").await.status, 401);
    }
}

#[rocket::async_test]
async fn using_a_session_keeps_it_alive_and_an_idle_one_ends() {
    use chrono::Duration;
    let app = App::new().await;
    let ann = app.user("ann").await;
    let age = async |by: Duration| {
        sql("UPDATE sessions SET last_used_at = $1")
            .bind(now() - by)
            .execute(app.db.writer())
            .await
            .unwrap()
    };
    age(Duration::hours(23)).await;
    assert_eq!(ann.page().get("/me").await.status, 200);
    // Using a session keeps it alive. This is recorded after the response.
    let used = async || {
        sql("SELECT count(*) FROM sessions WHERE last_used_at > $1")
            .bind(now() - Duration::minutes(1))
            .scalar::<i64>(&app.db)
            .await
            .unwrap()
    };
    while used().await != 1 {
        rocket::tokio::task::yield_now().await;
    }
    age(Duration::hours(25)).await;
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 401);
}

#[rocket::async_test]
async fn an_odd_session_in_the_path_is_not_found() {
    let app = App::new().await;
    let (root, _ann) = (app.admin("root").await, app.user("ann").await);
    for odd in ["%00", "'", "%F0%9F%A6%A6", "x%2F..", &"a".repeat(3_000)] {
        let path = format!("/me/sessions/{odd}");
        assert_eq!(root.api().delete(&path).await.status, 404, "{odd:.20}");
        assert_eq!(root.page().delete(&path, &[]).await.status, 404, "{odd:.20}");
        let path = format!("/admin/users/ann/sessions/{odd}");
        assert_eq!(root.api().delete(&path).await.status, 404, "{odd:.20}");
    }
}

/// Adds sessions with these numbers, which end in some hours.
async fn add(app: &App, user_id: i64, numbers: std::ops::RangeInclusive<i64>, hours: i64) {
    for number in numbers {
        sql("INSERT INTO sessions (id, user_id, client, address, user_agent, created_at, \
             last_used_at, expires_at, number) VALUES ($1, $2, 'api', '', '', $3, $3, $4, $5)")
        .bind(format!("s{number:04}"))
        .bind(user_id)
        .bind(now())
        .bind(now() + chrono::Duration::hours(hours))
        .bind(number)
        .execute(app.db.writer())
        .await
        .unwrap();
    }
}

#[rocket::async_test]
async fn beyond_a_hundred_sessions_the_oldest_goes() {
    let app = App::new().await;
    let ann = app.user("ann").await; // The browser's session is her first, the API's the second.
    add(&app, ann.id, 3..=100, 1).await;
    add(&app, ann.id, 101..=150, -1).await; // These have expired, and count for nothing.
    assert_eq!(ann.page().get("/me").await.status, 200);
    let login = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(app.nobody().api().post("/auth/login", login.clone()).await.status, 200);
    assert_eq!(ann.page().get("/me").await.status, 303, "the oldest has ended");
    assert_eq!(ann.api().get("/me").await.status, 200, "the second oldest has not");
    let all = join_all((0..5).map(|_| {
        let (app, login) = (&app, login.clone());
        async move { app.nobody().api().post("/auth/login", login).await.status }
    }))
    .await;
    assert!(all.iter().all(|status| *status == 200), "{all:?}");
    assert_eq!(ann.api().get("/me").await.status, 401);
    let (live,): (i64,) = sql("SELECT count(*) FROM sessions WHERE expires_at > $1")
        .bind(now())
        .one(&app.db)
        .await
        .unwrap();
    assert_eq!(live, 100);
    let ann = app.log_in("ann").await;
    assert!(ann.api().get("/me/events").await.body.contains("the oldest of too many"));
}

#[rocket::async_test]
async fn sessions_are_listed_in_pages_to_their_owner_and_to_admins() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    add(&app, ann.id, 3..=90, 1).await;
    for (person, path) in [(&ann, "/me/sessions"), (&root, "/admin/users/ann/sessions")] {
        let (mut seen, mut sizes, mut query) = (Vec::new(), Vec::new(), "?limit=40".to_owned());
        loop {
            let list = person.api().get(&format!("{path}{query}")).await.json();
            let items = list["items"].as_array().unwrap();
            sizes.push(items.len());
            assert!(sizes.len() <= 3, "{path} has no end: {sizes:?}");
            seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            let Some(next) = list["next"].as_str() else { break };
            query = format!("?limit=40&before={next}");
        }
        assert_eq!(sizes, [40, 40, 10], "{path}");
        assert_eq!((seen[0].as_str(), seen[87].as_str()), ("s0090", "s0003"), "latest first");
        let unique: std::collections::HashSet<_> = seen.iter().collect();
        assert_eq!(unique.len(), 90);
        let first = person.page().get(path).await.body;
        assert_eq!(first.matches("data-label=\"Last used\"").count(), 20, "{path}");
        let start = first.find("?before=").expect("a link to the next page");
        let link: String = first[start..].chars().take_while(|c| *c != '"').collect();
        let second = person.page().get(&format!("{path}{link}")).await.body;
        assert!(second.contains("?after=") && !second.contains("s0090"));
        assert_eq!(person.api().get(&format!("{path}?limit=0")).await.status, 422);
    }
}

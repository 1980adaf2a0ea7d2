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
    let app = App::new().await;
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
async fn an_old_cookie_is_renewed_and_an_idle_session_ends() {
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
    let clean = ann.page().get("/").await;
    assert_eq!(clean.cookie("postly").as_deref(), Some(""), "the invalid cookie is removed");
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

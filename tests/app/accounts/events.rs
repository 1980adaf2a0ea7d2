//! The audit events of the user's own account.

use rocket::http::Method::Get;
use serde_json::json;

use crate::support::permission::{MEMBERS, Permission, both};
use crate::support::{App, event_kinds};

pub fn permissions() -> Vec<Permission> {
    vec![both(Get, "/me/events", MEMBERS).scope("account")]
}

#[rocket::async_test]
async fn people_see_their_own_events_only() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let wrong = json!({"username": "ann", "password": "wrong"});
    app.nobody().from("192.0.2.7").api().post("/auth/login", wrong).await;
    let own = ann.api().get("/me/events").await.json();
    assert_eq!(event_kinds(&own), ["login.failed", "login", "login", "registered"]);
    let other = bob.api().get("/me/events").await;
    assert!(!other.body.contains("192.0.2.7"));
    let page = ann.page().get("/me/events").await;
    assert!(page.body.contains("Log-in failed") && page.body.contains("192.0.2.7"));
    let first = ann.api().get("/me/events?limit=2").await.json();
    let rest = format!("/me/events?limit=2&before={}", first["next"].as_str().unwrap());
    assert_eq!(event_kinds(&ann.api().get(&rest).await.json()), ["login", "registered"]);
}

#[rocket::async_test]
async fn a_flood_of_denials_is_noted_a_few_times() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for _ in 0..30 {
        ann.api().get("/admin/users").await;
    }
    let own = event_kinds(&ann.api().get("/me/events?limit=100").await.json());
    assert_eq!(own.iter().filter(|kind| *kind == "denied").count(), 10);
}

//! Public profiles.

use rocket::http::Method::Get;
use serde_json::json;

use crate::support::App;
use crate::support::permission::{PUBLIC, Permission, both};

pub fn permissions() -> Vec<Permission> {
    vec![both(Get, "/users/<username>", PUBLIC).scope("posts:read")]
}

#[rocket::async_test]
async fn a_profile_shows_a_person_and_their_posts_only() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    ann.posts("Tides").await;
    bob.posts("Bread").await;
    let profile = app.nobody().api().get("/users/ANN").await.json();
    assert_eq!(profile["user"]["username"], "ann");
    assert_eq!(profile["items"].as_array().map(Vec::len), Some(1), "{profile}");
    let page = app.nobody().page().get("/users/ann").await;
    assert!(page.body.contains("Tides") && !page.body.contains("Bread"));
    assert!(!page.body.contains("ann@mail.example"), "an e-mail address is private");
    let missing = app.nobody().api().get("/users/zoe").await;
    assert_eq!((missing.status, &missing.json()["status"]), (404, &json!(404)));
    assert_eq!(app.nobody().page().get("/users/zoe").await.status, 404);
}

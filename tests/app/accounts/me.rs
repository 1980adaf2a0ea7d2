//! The user's own account and dashboard.

use rocket::http::Method::Get;

use crate::support::App;
use crate::support::permission::{MEMBERS, Permission, both};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/me", MEMBERS).scope("account"),
        both(Get, "/dashboard", MEMBERS).scope("account"),
    ]
}

#[rocket::async_test]
async fn me_and_dashboard_are_ones_own() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let bob = app.user("bob").await;
    ann.posts("Tides").await;
    bob.posts("Bread").await;
    let me = ann.api().get("/me").await.json();
    assert_eq!(
        (me["username"].as_str(), me["email"].as_str()),
        (Some("ann"), Some("ann@mail.example"))
    );
    let dashboard = ann.api().get("/dashboard").await.json();
    assert_eq!(dashboard["message"], "Welcome ann, this is your dashboard");
    assert_eq!(dashboard["items"].as_array().unwrap().len(), 1);
    let page = ann.page().get("/dashboard").await;
    assert!(page.body.contains("Welcome ann, this is your dashboard"));
    assert!(page.body.contains("Tides") && !page.body.contains("Bread"));
    for path in ["/me", "/dashboard"] {
        assert_eq!(app.nobody().api().get(path).await.status, 401);
        assert_eq!(app.nobody().page().get(path).await.status, 303);
    }
}

//! Health and readiness, lost databases, panics.

use rocket::http::Method::Get;
use serde_json::json;

use crate::support::database::is_postgres;
use crate::support::permission::{Permission, page_only};
use crate::support::postgres::Relay;
use crate::support::{App, PASSWORD};

pub fn permissions() -> Vec<Permission> {
    vec![page_only(Get, "/healthz", [200; 4]), page_only(Get, "/readyz", [200; 4])]
}

#[rocket::async_test]
async fn without_its_database_the_site_says_so_and_lets_nobody_in() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    app.db.close().await;
    for path in ["/", "/me", "/posts/1"] {
        let page = ann.page().get(path).await;
        assert_eq!((page.status, page.header("retry-after")), (503, Some("5")), "{path}");
        assert!(page.body.contains("try again shortly"));
    }
    let api = ann.api().get("/me").await;
    assert_eq!((api.status, &api.json()["status"]), (503, &json!(503)));
    assert_eq!(app.nobody().page().get("/readyz").await.status, 503);
    assert_eq!(app.nobody().page().get("/healthz").await.status, 200);
}

#[rocket::async_test]
async fn a_database_that_was_gone_is_noticed_and_found_again() {
    if !is_postgres() {
        // SQLite has no server to lose; full disks and many writers have their own tests.
        return;
    }
    let door = Relay::to_postgres().await;
    let app = App::on(&door.url).await;
    let ann = app.user("ann").await;
    door.close();
    for path in ["/me", "/", "/readyz"] {
        assert_eq!(ann.page().get(path).await.status, 503, "{path}");
    }
    let response = ann.api().get("/me").await;
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
    let login = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 503);
    assert_eq!(app.nobody().page().get("/healthz").await.status, 200);
    door.open();
    while app.nobody().page().get("/readyz").await.status != 200 {
        rocket::tokio::task::yield_now().await;
    }
    assert_eq!(ann.page().get("/me").await.status, 200, "without a restart");
}

#[rocket::get("/panics")]
fn panics() -> &'static str {
    panic!("canary of a panic")
}

#[rocket::async_test]
async fn a_panic_is_an_answer_and_the_process_lives() {
    let site = App::new().await;
    let app = site.mounting(rocket::routes![panics]).await;
    for path in ["/panics", "/api/v1/panics"] {
        let response = app.nobody().page().get(path).await;
        assert_eq!(response.status, 500, "{path}");
        assert!(!response.body.contains("canary") && response.body.contains("on our side"));
    }
    assert_eq!(app.nobody().page().get("/").await.status, 200);
}

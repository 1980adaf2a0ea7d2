//! Rate limits: what they count, what they disclose, and what they do not affect.

use rocket::futures::future::join_all;
use rocket::http::{ContentType, Header, Method};
use serde_json::json;

use super::log_in;
use crate::support::{App, PASSWORD, send_from};

fn sha256(app: &App) -> u64 {
    app.site().hasher.runs()
}

#[rocket::async_test]
async fn one_account_from_a_hundred_addresses_is_refused_before_hashing() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let before = sha256(&app);
    let tries = (0..100).map(|i| {
        let app = &app;
        async move { log_in(app, &format!("198.51.100.{i}"), "ann", "wrong").await }
    });
    let all = join_all(tries).await;
    let count = |status| all.iter().filter(|response| response.status == status).count();
    assert_eq!((count(401), count(429)), (5, 95));
    assert_eq!(sha256(&app) - before, 5, "refusing costs no hashing");
    let refused = all.iter().find(|response| response.status == 429).unwrap();
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=300).contains(&wait), "{wait}");
    assert!(refused.header("ratelimit-policy").unwrap().contains("\"login-account\";q=5;w=300"));
    assert!(refused.header("ratelimit").unwrap().contains("\"login-account\";r=0;t="));
    // The right password is refused too, or guessing could go on; existing sessions stay valid.
    assert_eq!(log_in(&app, "203.0.113.1", "ann", PASSWORD).await.status, 429);
    assert_eq!(ann.api().get("/me").await.status, 200);
    assert_eq!(ann.page().get("/me").await.status, 200);
    let form = [("username", "ann"), ("password", PASSWORD)];
    let page = app.nobody().from("203.0.113.2").page().post("/login", &form).await;
    assert_eq!((page.status, page.header("retry-after").is_some()), (429, true));
    assert!(page.body.contains("Too many attempts") && page.body.contains("value=\"ann\""));
}

#[rocket::async_test]
async fn one_address_over_a_thousand_accounts_is_refused_before_hashing() {
    let app = App::new().await;
    app.user("ann").await;
    let before = sha256(&app);
    let mut response = Vec::new();
    for i in 0..1000 {
        response.push(log_in(&app, "198.51.100.7", &format!("somebody{i}"), "wrong").await.status);
    }
    assert!(response[..10].iter().all(|status| *status == 401), "{response:?}");
    assert!(response[10..].iter().all(|status| *status == 429));
    assert_eq!(sha256(&app) - before, 10);
    assert_eq!(log_in(&app, "198.51.100.7", "ann", PASSWORD).await.status, 429);
    assert_eq!(
        log_in(&app, "198.51.100.8", "ann", PASSWORD).await.status,
        200,
        "other addresses can log in"
    );
}

#[rocket::async_test]
async fn right_passwords_count_for_nothing() {
    let app = App::new().await;
    app.user("ann").await;
    for _ in 0..15 {
        assert_eq!(log_in(&app, "198.51.100.7", "ann", PASSWORD).await.status, 200);
    }
    let response = log_in(&app, "198.51.100.7", "ann", "wrong").await;
    assert!(
        response.header("ratelimit").unwrap().contains("\"login-address\";r=9;"),
        "{response:?}"
    );
}

#[rocket::async_test]
async fn a_header_from_an_untrusted_peer_changes_neither_limit_nor_address() {
    for trusted in [false, true] {
        let proxies = if trusted { "127.0.0.1/32" } else { "10.0.0.0/8" };
        let app = App::with(&[("trusted_proxies", proxies)]).await;
        let root = app.admin("root").await;
        let mut response = Vec::new();
        for i in 0..12 {
            let headers = vec![
                ContentType::JSON.into(),
                Header::new("X-Real-IP", format!("203.0.113.{i}")),
                Header::new("X-Forwarded-For", format!("203.0.113.{i}")),
                Header::new("Forwarded", format!("for=203.0.113.{i}")),
            ];
            let body = json!({"username": format!("nobody{i}"), "password": "wrong"}).to_string();
            let peer = "127.0.0.1".parse().unwrap();
            let path = "/api/v1/auth/login";
            response
                .push(send_from(&app, peer, Method::Post, path, headers, Some(body)).await.status);
        }
        let refused = response.iter().filter(|status| **status == 429).count();
        assert_eq!(refused, if trusted { 0 } else { 2 }, "trusted: {trusted}");
        let seen = root.api().get("/admin/audit?q=login.failed").await.body;
        assert_eq!(seen.contains("203.0.113.3"), trusted);
        assert_eq!(seen.contains("127.0.0.1"), !trusted);
    }
}

#[rocket::async_test]
async fn registering_is_bounded_by_address() {
    let app = App::new().await;
    let register = async |address: &str, i: usize| {
        let newcomer = json!({"username": format!("p{i}"), "password": PASSWORD});
        app.nobody().from(address).api().post("/auth/register", newcomer).await.status
    };
    for i in 0..20 {
        assert_eq!(register("198.51.100.7", i).await, 201);
    }
    assert_eq!(register("198.51.100.7", 20).await, 429);
    assert_eq!(register("198.51.100.8", 20).await, 201);
    // One customer's whole IPv6 network counts as one address.
    for i in 30..50 {
        assert_eq!(register(&format!("2001:db8:1:2::{i}"), i).await, 201);
    }
    assert_eq!(register("2001:db8:1:2:ffff::1", 50).await, 429);
}

#[rocket::async_test]
async fn limits_are_shared_by_instances_and_outlive_them() {
    let app = App::new().await;
    app.user("ann").await;
    for i in 0..3 {
        log_in(&app, &format!("198.51.100.{i}"), "ann", "wrong").await;
    }
    let second = app.another().await;
    for i in 3..5 {
        assert_eq!(log_in(&second, &format!("198.51.100.{i}"), "ann", "wrong").await.status, 401);
    }
    for instance in [&app, &second] {
        assert_eq!(log_in(instance, "203.0.113.1", "ann", PASSWORD).await.status, 429);
    }
    let later = app.another().await;
    assert_eq!(log_in(&later, "203.0.113.1", "ann", PASSWORD).await.status, 429, "after a restart");
}

#[rocket::async_test]
async fn only_a_trusted_proxy_names_the_request() {
    let app = App::with(&[("trusted_proxies", "10.0.0.0/8")]).await;
    for (peer, id, taken) in [
        ("10.0.0.1", "3f2a-77.b_c9", true),
        ("192.0.2.1", "3f2a-77.b_c9", false),
        ("10.0.0.1", "short", false),
        ("10.0.0.1", "with a space", false),
    ] {
        let headers = vec![Header::new("X-Request-Id", id)];
        let peer = peer.parse().unwrap();
        let response = send_from(&app, peer, Method::Get, "/", headers, None::<&str>).await;
        assert_eq!(response.header("x-request-id") == Some(id), taken, "{id}");
    }
}

//! The overview for admins: what the site still needs.

use rocket::http::Header;
use rocket::http::Method::{Get, Post};
use serde_json::json;

use crate::support::mail_server::MailServer;
use crate::support::permission::{ADMINS, ADMINS_DELETE, Permission, both};
use crate::support::{App, ORIGIN, Phone, send};

pub fn permissions() -> Vec<Permission> {
    vec![both(Get, "/admin", ADMINS).scope("admin"), both(Post, "/admin/test-mail", ADMINS_DELETE)]
}

#[rocket::async_test]
async fn each_item_is_checked_by_the_program() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let before = root.api().get("/admin").await.json();
    assert_eq!(
        (&before["reach"]["https"], &before["reach"]["agrees"]),
        (&json!(false), &json!(true))
    );
    let state = &before["state"];
    assert_eq!((&state["admins"], &state["admins_without_second_factor"]), (&json!(1), &json!(1)));
    assert_eq!((&state["has_rules"], &state["has_posts"]), (&json!(false), &json!(false)));
    assert_eq!(state["sends_mail"], false);
    let page = root.page().get("/admin").await.body;
    for open in
        ["https", "a second admin", "two-factor log-in", "e-mail", "rules", "the first post"]
    {
        assert!(page.contains(&format!("To do: {open}.")), "{open}: {page}");
    }
    app.admin("eve").await;
    root.posts("The first").await;
    root.api().patch("/admin/settings", json!({"rules": "Be kind."})).await;
    let page = root.page().get("/admin").await.body;
    for done in ["a second admin", "rules", "the first post", "proxies"] {
        assert!(page.contains(&format!("Done: {done}.")), "{done}: {page}");
    }
    assert!(page.contains("2 of 2 admins log in with a password alone"), "{page}");
    Phone::set_up(&root).await;
    let state = root.api().get("/admin").await.json()["state"].clone();
    assert_eq!(state["admins_without_second_factor"], 1);
}

#[rocket::async_test]
async fn another_address_and_an_unknown_proxy_are_told() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let headers = |more: &[(&'static str, &'static str)]| {
        let mut headers = vec![
            Header::new("Origin", ORIGIN),
            Header::new("Cookie", format!("postly={}", root.cookie.as_deref().unwrap())),
        ];
        headers.extend(more.iter().map(|(name, value)| Header::new(*name, *value)));
        headers
    };
    let page =
        send(&app, rocket::http::Method::Get, "/admin", headers(&[]), None::<&str>).await.body;
    assert!(page.contains("Done: proxies.") && !page.contains("To do: the address."), "{page}");
    let elsewhere = [
        ("Host", "posts.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-For", "192.0.2.1"),
    ];
    let page = send(&app, rocket::http::Method::Get, "/admin", headers(&elsewhere), None::<&str>)
        .await
        .body;
    assert!(page.contains("You opened this page at https:&#x2F;&#x2F;posts.example"), "{page}");
    assert!(page.contains("POSTLY_TRUSTED_PROXIES=127.0.0.1"), "{page}");
}

#[rocket::async_test]
async fn a_test_mail_shows_whether_the_server_takes_it() {
    let server = MailServer::start("take", 0).await;
    let app =
        App::with(&[("mail_url", &server.url()), ("mail_from", "Postly <post@posts.example>")])
            .await;
    let root = app.admin("root").await;
    root.api().patch("/admin/settings", json!({"site_name": "Harbour"})).await;
    assert!(root.page().get("/admin").await.body.contains("Please check: e-mail."));
    let sent = root.page().post("/admin/test-mail", &[]).await;
    assert_eq!((sent.status, sent.header("location")), (303, Some("/admin")));
    let mail = server.next().await;
    let text = mail["raw"].as_str().unwrap();
    assert!(text.contains("You asked Harbour to send you this test."), "{text}");
}

//! The flows of the five services that Postly replaces, as plain HTTP against the real binary.

use serde_json::json;

use crate::support::PASSWORD;
use crate::support::binary::Site;

#[test]
fn by_username_register_log_in_dashboard_log_out() {
    let site = Site::unconfigured();
    let server = site.start();
    let mut caller = server.nobody();
    let account = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(caller.ask("POST", "/auth/register", Some(account.clone())).status, 201);
    assert_eq!(caller.ask("POST", "/auth/register", Some(account.clone())).status, 409);
    assert_eq!(caller.ask("GET", "/dashboard", None).status, 401);
    let wrong = json!({"username": "ann", "password": "not the right words"});
    assert_eq!(caller.ask("POST", "/auth/login", Some(wrong)).status, 401);
    caller.log_in(account);
    assert_eq!(caller.ask("GET", "/me", None).json["username"], "ann");
    let dashboard = caller.ask("GET", "/dashboard", None);
    assert_eq!(
        (dashboard.status, &dashboard.json["message"]),
        (200, &json!("Welcome ann, this is your dashboard"))
    );
    assert_eq!(caller.ask("POST", "/auth/logout", None).status, 204);
    assert_eq!(caller.ask("GET", "/me", None).status, 401);
}

#[test]
fn by_e_mail_posts_of_ones_own_and_of_others() {
    let site = Site::unconfigured();
    let server = site.start();
    let (mut ann, mut bob) = (server.nobody(), server.nobody());
    for (caller, name) in [(&mut ann, "ann"), (&mut bob, "bob")] {
        let email = format!("{name}@mail.example");
        let account = json!({"username": name, "email": email, "password": PASSWORD});
        assert_eq!(caller.ask("POST", "/auth/register", Some(account)).status, 201);
        caller.log_in(json!({"email": email, "password": PASSWORD}));
    }
    let post = ann.ask("POST", "/posts", Some(json!({"title": "First", "content": "Words"})));
    assert_eq!((post.status, &post.json["title"]), (201, &json!("First")));
    ann.ask("POST", "/posts", Some(json!({"title": "Second", "content": "More"})));
    let list = server.nobody().ask("GET", "/posts", None);
    assert_eq!((list.status, &list.json["items"][0]["title"]), (200, &json!("Second")));
    let path = format!("/posts/{}", post.json["id"]);
    assert_eq!(bob.ask("GET", &path, None).status, 200);
    let edited = ann.ask("PUT", &path, Some(json!({"content": "Better words"})));
    assert_eq!(
        (edited.status, &edited.json["title"], &edited.json["content"]),
        (200, &json!("First"), &json!("Better words"))
    );
    assert!(edited.json["updated_at"].is_string());
    assert_eq!(bob.ask("PUT", &path, Some(json!({"title": "Mine now"}))).status, 403);
    assert_eq!(bob.ask("DELETE", &path, None).status, 403);
    assert_eq!(bob.ask("PUT", &format!("{path}/vote"), None).json["votes"], 1);
    assert_eq!(ann.ask("DELETE", &path, None).status, 204);
    assert_eq!(ann.ask("GET", &path, None).status, 404);
}

#[test]
fn with_the_oauth2_password_form_and_the_api_documents() {
    let site = Site::unconfigured();
    let server = site.start();
    let mut caller = server.nobody();
    caller.ask("POST", "/auth/register", Some(json!({"username": "ann", "password": PASSWORD})));
    let form = [("grant_type", "password"), ("username", "ann"), ("password", PASSWORD)];
    let tokens = caller.page("/api/v1/auth/token", &form).unwrap();
    assert_eq!((tokens.status, &tokens.json["token_type"]), (200, &json!("Bearer")));
    caller.token = tokens.json["access_token"].as_str().map(str::to_owned);
    assert_eq!(caller.ask("GET", "/me", None).status, 200);
    let document = caller.ask("GET", "/openapi.json", None);
    assert_eq!((document.status, &document.json["openapi"]), (200, &json!("3.1.0")));
    for page in ["/docs", "/redoc"] {
        assert_eq!(caller.get(page).unwrap().status, 200);
    }
}

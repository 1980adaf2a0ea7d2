//! Applications: registered, changed and deleted by their owners, at both doors.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Post, Put};
use serde_json::json;

use crate::support::internals::{now, sha256, sql};
use crate::support::oauth_client::{OAuthClient, Proof, REDIRECT_URI};
use crate::support::permission::{MEMBERS, MEMBERS_CREATE, Permission, both};
use crate::support::{App, Person, event_kinds};

/// What the owner has in the authorization matrix, with the id 1.
pub async fn prepare(owner: &Person<'_>) {
    assert_eq!(OAuthClient::register(owner, Proof::None).await.id, 1);
}

pub fn permissions() -> Vec<Permission> {
    let (nobody, hidden) = ((303, 401), (404, 404));
    vec![
        both(Get, "/me/applications", MEMBERS),
        both(Post, "/me/applications", MEMBERS_CREATE)
            .with(&[("name", "x"), ("redirect_uris", REDIRECT_URI)]),
        both(Get, "/me/applications/<id>", [nobody, hidden, (200, 200), hidden]),
        both(Put, "/me/applications/<id>", [nobody, hidden, (303, 200), hidden])
            .with(&[("name", "y")]),
        both(Delete, "/me/applications/<id>", [nobody, hidden, (303, 204), hidden]),
    ]
}

#[rocket::async_test]
async fn an_application_is_registered_changed_and_deleted_at_both_doors() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let input = json!({"name": " Tide  Tables ", "confidential": true,
        "redirect_uris": [REDIRECT_URI, "com.example.tides:/done", REDIRECT_URI]});
    let created = ann.api().post("/me/applications", input).await;
    let location = created.header("location");
    assert_eq!((created.status, location), (201, Some("/api/v1/me/applications/1")));
    let created = created.json();
    let secret = created["client_secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("pcs_") && secret.len() == 47, "{secret}");
    assert_eq!(created["name"], "Tide Tables");
    assert_eq!(created["redirect_uris"], json!([REDIRECT_URI, "com.example.tides:/done"]));
    let kept: String = sql("SELECT secret_hash FROM applications").scalar(&app.db).await.unwrap();
    assert_eq!(kept, sha256(&secret), "the secret itself is not stored");

    let shown = ann.api().get("/me/applications/1").await;
    assert_eq!(shown.json()["client_id"], created["client_id"]);
    assert!(!shown.body.contains("secret"), "{}", shown.body);
    let listed = ann.api().get("/me/applications").await;
    assert_eq!(listed.json()["items"], json!([shown.json()]));
    let change = json!({"name": "Tides"});
    let changed = ann.api().put("/me/applications/1", change).await.json();
    assert_eq!(changed["name"], "Tides");
    assert_eq!(changed["redirect_uris"], created["redirect_uris"], "what is missing stays");
    assert_eq!(ann.api().delete("/me/applications/1").await.status, 204);
    assert_eq!(ann.api().get("/me/applications/1").await.status, 404);

    let form = [
        ("name", "Log <b>Book</b>"),
        ("redirect_uris", "http://localhost:3000/\r\nhttps://a.example"),
    ];
    let created = ann.page().post("/me/applications", &form).await;
    let created = ann.shown_once(&created).await;
    assert!(!created.body.contains("pcs_") && created.body.contains("Log &lt;b&gt;Book"));
    let page = ann.page().get("/me/applications/2").await;
    assert!(page.body.contains("none: it can’t keep one"), "{}", page.body);
    assert!(page.body.contains("localhost:3000&#x2F;\nhttps:"), "{}", page.body);
    let form = [("name", "Log Book"), ("redirect_uris", "https://b.example/")];
    let saved = ann.page().put("/me/applications/2", &form).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some("/me/applications/2")));
    let list = ann.page().get("/me/applications").await;
    assert!(list.body.contains("Log Book") && !list.body.contains("Tides"));
    assert_eq!(ann.page().delete("/me/applications/2", &[]).await.status, 303);
    let events = event_kinds(&ann.api().get("/me/events?limit=6").await.json());
    let (created, changed, deleted) =
        ("application.created", "application.changed", "application.deleted");
    assert_eq!(events, [deleted, changed, created, deleted, changed, created]);
    let page = ann.page().get("/me/events").await;
    assert!(page.body.contains("Application registered"), "{}", page.body);
}

#[rocket::async_test]
async fn an_application_needs_a_name_and_safe_redirect_uris() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    OAuthClient::register(&ann, Proof::None).await;
    let many: Vec<String> = (0..11).map(|n| format!("https://a.example/{n}")).collect();
    for (input, fields) in [
        (json!({"name": "", "redirect_uris": []}), vec!["name", "redirect_uris"]),
        (json!({"name": "x".repeat(81), "redirect_uris": REDIRECT_URI}), vec!["name"]),
        (json!({"name": "\u{202e}x", "redirect_uris": REDIRECT_URI}), vec!["name"]),
        (json!({"name": "x", "redirect_uris": "http://a.example/"}), vec!["redirect_uris"]),
        (json!({"name": "x", "redirect_uris": "javascript:alert(1)"}), vec!["redirect_uris"]),
        (json!({"name": "x", "redirect_uris": "https://a.example/#x"}), vec!["redirect_uris"]),
        (json!({"name": "x", "redirect_uris": many}), vec!["redirect_uris"]),
        (json!({"name": "x", "redirect_uris": 7}), vec!["redirect_uris"]),
    ] {
        for response in [
            ann.api().post("/me/applications", input.clone()).await,
            ann.api().put("/me/applications/1", input.clone()).await,
        ] {
            assert_eq!(
                (response.status, response.field_errors()),
                (422, fields.iter().map(|f| f.to_string()).collect()),
                "{input}"
            );
        }
    }
    assert_eq!(
        ann.api().post("/me/applications", json!({})).await.field_errors(),
        ["name", "redirect_uris"]
    );
    let form = [("name", ""), ("redirect_uris", "https://kept.example/")];
    for page in [
        ann.page().post("/me/applications", &form).await,
        ann.page().put("/me/applications/1", &form).await,
    ] {
        assert_eq!(page.status, 422);
        assert!(page.body.contains("Give the application a name"), "{}", page.body);
        assert!(page.body.contains("kept.example"), "what was typed is kept");
    }
    let unchanged = ann.api().get("/me/applications/1").await.json();
    assert_eq!(unchanged["name"], "Tide Tables");
}

#[rocket::async_test]
async fn the_limit_of_applications_is_exact_also_for_parallel_requests() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let input = json!({"name": "x", "redirect_uris": REDIRECT_URI});
    let all = join_all((0..25).map(|_| {
        let (ann, input) = (&ann, input.clone());
        async move {
            loop {
                // On a busy machine, some wait longer for their turn than people should.
                match ann.api().post("/me/applications", input.clone()).await.status {
                    503 => continue,
                    status => return status,
                }
            }
        }
    }))
    .await;
    let count = |status| all.iter().filter(|s| **s == status).count();
    assert_eq!((count(201), count(409)), (20, 5), "{all:?}");
    assert_eq!(app.user("bob").await.api().post("/me/applications", input).await.status, 201);
}

#[rocket::async_test]
async fn applications_are_managed_only_after_the_password_was_confirmed() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let client = OAuthClient::register(&ann, Proof::None).await;
    sql("UPDATE sessions SET proved_at = $1")
        .bind(now() - chrono::Duration::minutes(16))
        .execute(app.db.writer())
        .await
        .unwrap();
    let input = json!({"name": "x", "redirect_uris": REDIRECT_URI});
    for response in [
        ann.api().get("/me/applications").await,
        ann.api().get("/me/applications/1").await,
        ann.api().post("/me/applications", input.clone()).await,
        ann.api().put("/me/applications/1", input).await,
        ann.api().delete("/me/applications/1").await,
        ann.api().delete("/me/tokens/applications/1").await,
    ] {
        let code = response.json()["code"].clone();
        assert_eq!((response.status, code), (401, json!("reauthentication_required")));
    }
    let form = client.request("posts:read");
    let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let query = crate::support::encode(&form);
    let consent = ann.page().get(&format!("/oauth/authorize?{query}")).await;
    let to = consent.header("location").unwrap().to_owned();
    assert_eq!(consent.status, 303);
    assert!(to.starts_with("/sudo?next=%2Foauth%2Fauthorize%3F"), "{to}");
    let decided = ann.page().post("/oauth/authorize", &form).await;
    assert_eq!(decided.status, 307, "the form is kept");
    let asked = ann.page().post(decided.header("location").unwrap(), &form).await;
    assert!(asked.status == 403 && asked.body.contains("Confirm your password"), "{}", asked.body);
}

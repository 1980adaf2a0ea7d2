//! The settings of the site, at both doors and on several instances.

use rocket::http::Method::{Get, Patch};
use serde_json::json;

use crate::support::permission::{ADMINS, ADMINS_CHANGE, Permission, both};
use std::time::Instant;

use crate::support::binary::DEADLINE;
use crate::support::internals::sql;
use crate::support::{App, PASSWORD};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/admin/settings", ADMINS).scope("admin"),
        both(Patch, "/admin/settings", ADMINS_CHANGE).scope("admin").with(&[("footer", "x")]),
    ]
}

#[rocket::async_test]
async fn a_name_stands_everywhere() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let change = json!({"site_name": "  Harbour   Lights ", "description": "A <b>calm</b> place."});
    let changed = root.api().patch("/admin/settings", change).await;
    assert_eq!((changed.status, &changed.json()["site_name"]), (200, &json!("Harbour Lights")));
    let home = app.nobody().page().get("/").await.body;
    assert!(home.contains("Latest posts · Harbour Lights</title>"), "{home}");
    assert!(home.contains(">Harbour Lights</a>") && !home.contains("· Postly</title>"));
    assert!(home.contains("content=\"A &lt;b&gt;calm&lt;&#x2F;b&gt; place.\""), "{home}");
    for path in ["/login", "/docs", "/redoc", "/nowhere"] {
        assert!(app.nobody().page().get(path).await.body.contains("Harbour Lights"), "{path}");
    }
    let document = app.nobody().api().get("/openapi.json").await.json();
    assert_eq!(document["info"]["title"], "Harbour Lights");
    let setup = ann.api().post("/me/two-factor", json!({})).await.json();
    assert!(setup["uri"].as_str().unwrap().contains("issuer=Harbour%20Lights"), "{setup}");
}

#[rocket::async_test]
async fn wrong_settings_are_complained_about_and_nothing_is_lost() {
    let app = App::new().await;
    let root = app.admin("root").await;
    for (field, value, code) in [
        ("site_name", "", "site_name.required"),
        ("site_name", &"x".repeat(41), "site_name.too_long"),
        ("site_name", "a\u{202e}b", "site_name.invisible"),
        ("description", &"x".repeat(161), "description.too_long"),
        ("banner", &"x".repeat(301), "banner.too_long"),
        ("language", "english, please", "language.malformed"),
        ("accent", "red", "accent.malformed"),
        ("accent", "#12345", "accent.malformed"),
        ("registration", "maybe", "registration.unknown"),
        ("new_account_days", "366", "new_account_days.out_of_range"),
        ("new_account_posts", "-1", "new_account_posts.out_of_range"),
        ("new_account_votes", "many", "new_account_votes.malformed"),
        ("rules", &"x".repeat(100_001), "rules.too_long"),
        ("privacy", &("> ".repeat(1_000) + &"\na".repeat(1_000)), "privacy.too_complex"),
    ] {
        let refused = root.api().patch("/admin/settings", json!({field: value})).await;
        assert_eq!(refused.status, 422, "{field}: {}", refused.body);
        assert_eq!(refused.json()["errors"][0]["code"], code);
    }
    let form = [("site_name", ""), ("rules", "Be kind & <honest>.")];
    let refused = root.page().patch("/admin/settings", &form).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("Give the site a name."));
    assert!(refused.body.contains("Be kind &amp; &lt;honest&gt;."), "what was typed stays");
    let settings = root.api().get("/admin/settings").await.json();
    assert_eq!((&settings["site_name"], &settings["rules"]), (&json!("Postly"), &json!("")));
}

#[rocket::async_test]
async fn every_instance_follows_within_a_moment() {
    let app = App::new().await;
    let other = app.another().await;
    let root = app.admin("root").await;
    let saved = root.page().patch("/admin/settings", &[("banner", "Closed on Monday")]).await;
    assert_eq!((saved.status, saved.header("location")), (303, Some("/admin/settings")));
    assert!(app.nobody().page().get("/").await.body.contains("Closed on Monday"), "at once here");
    let start = Instant::now();
    while !other.nobody().page().get("/login").await.body.contains("Closed on Monday") {
        assert!(start.elapsed() < DEADLINE, "the other instance never shows it");
    }
    let gone = root.page().patch("/admin/settings", &[("banner", "")]).await;
    assert_eq!(gone.status, 303);
    assert!(!app.nobody().page().get("/").await.body.contains("class=\"banner\""));
}

#[rocket::async_test]
async fn a_closed_site_takes_no_new_accounts() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.api().patch("/admin/settings", json!({"registration": "closed"})).await;
    let account = json!({"username": "eve", "password": PASSWORD});
    let refused = app.nobody().api().post("/auth/register", account).await;
    assert_eq!((refused.status, &refused.json()["code"]), (403, &json!("registration.closed")));
    let form = [("username", "eve"), ("password", PASSWORD)];
    assert_eq!(app.nobody().page().post("/register", &form).await.status, 403);
    let page = app.nobody().page().get("/register").await.body;
    assert!(page.contains("doesn’t accept new accounts") && !page.contains("name=\"password\""));
    assert!(!app.nobody().page().get("/").await.body.contains("href=\"/register\""));
    root.api().patch("/admin/settings", json!({"registration": "open"})).await;
    assert_eq!(app.nobody().page().post("/register", &form).await.status, 303);
}

#[rocket::async_test]
async fn what_the_configuration_fixes_is_shown_and_stays() {
    let fixed = [("site_name", "Lighthouse"), ("email_required", "true")];
    let app = App::with(&fixed).await;
    let root = app.admin("root").await;
    let settings = root.api().get("/admin/settings").await.json();
    assert_eq!(settings["site_name"], "Lighthouse");
    assert_eq!(
        settings["fixed"],
        json!({"site_name": "POSTLY_SITE_NAME", "email_required": "POSTLY_EMAIL_REQUIRED"})
    );
    let change = json!({"site_name": "Other", "email_required": false, "footer": "f"});
    let refused = root.api().patch("/admin/settings", change).await;
    let codes: Vec<_> =
        refused.json()["errors"].as_array().unwrap().iter().map(|e| e["code"].clone()).collect();
    assert_eq!(codes, ["site_name.fixed", "email_required.fixed"]);
    assert!(refused.body.contains("POSTLY_SITE_NAME"), "{}", refused.body);
    let same = json!({"site_name": "Lighthouse", "footer": "Keep the light on."});
    assert_eq!(root.api().patch("/admin/settings", same).await.status, 200);
    let page = root.page().get("/admin/settings").await.body;
    assert!(page.contains("Set by POSTLY_SITE_NAME on the server."), "{page}");
    assert!(app.nobody().page().get("/").await.body.contains("Keep the light on."));
    let account = json!({"username": "eve", "password": PASSWORD});
    let refused = app.nobody().api().post("/auth/register", account).await;
    assert_eq!(refused.json()["errors"][0]["code"], "email.required");
}

#[rocket::async_test]
async fn new_accounts_have_limits_of_their_own() {
    let app = App::new().await;
    let (root, ann, bob) = (app.admin("root").await, app.user("ann").await, app.user("bob").await);
    let change = json!({"new_account_days": 3, "new_account_posts": 2, "new_account_votes": 1});
    assert_eq!(root.api().patch("/admin/settings", change).await.status, 200);
    let mut posts = Vec::new();
    for _ in 0..2 {
        posts.push(ann.posts("Hello").await);
    }
    let draft = json!({"title": "More", "content": "x"});
    let refused = ann.api().post("/posts", draft.clone()).await;
    assert_eq!(refused.status, 429, "{}", refused.body);
    assert!(refused.header("retry-after").is_some());
    for (post, expected) in posts.iter().zip([200, 429]) {
        let vote = bob.api().put(&format!("/posts/{post}/vote"), json!({})).await;
        assert_eq!(vote.status, expected);
    }
    // An account grows old.
    let long_ago =
        "UPDATE users SET created_at = '2020-01-01T00:00:00+00:00' WHERE username = 'ann'";
    sql(long_ago).execute(app.db.writer()).await.unwrap();
    assert_eq!(ann.api().post("/posts", draft).await.status, 201);
}

#[rocket::async_test]
async fn changes_are_audited_by_name() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let change = json!({"banner": "Hello", "rules": "Be kind.", "footer": ""});
    root.api().patch("/admin/settings", change).await;
    let events = root.api().get("/admin/audit?q=settings").await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 1, "{events}");
    let event = &events["items"][0];
    assert_eq!((&event["kind"], &event["actor"]), (&json!("settings.changed"), &json!("root")));
    assert_eq!(event["detail"], "banner, rules");
}

#[rocket::async_test]
async fn an_accent_colour_reaches_the_pages_in_a_style_sheet() {
    let app = App::new().await;
    let root = app.admin("root").await;
    assert!(!app.nobody().page().get("/").await.body.contains("/theme.css"));
    root.api().patch("/admin/settings", json!({"accent": "#0B6E4F"})).await;
    let home = app.nobody().page().get("/").await.body;
    assert!(home.contains("href=\"/theme.css?v=%230b6e4f\""), "{home}");
    let sheet = app.nobody().page().get("/theme.css").await;
    assert_eq!(sheet.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(sheet.body.contains("--accent: light-dark(#0b6e4f, "), "{}", sheet.body);
}

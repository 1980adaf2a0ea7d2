//! The examination of the site, for admins.

use std::time::Instant;

use rocket::http::Method::{Get, Post};
use serde_json::{Value, json};

use crate::support::binary::DEADLINE;
use crate::support::internals::sql;
use crate::support::permission::{ADMINS, ADMINS_DELETE, Permission, both};
use crate::support::{App, Person};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/admin/checkup", ADMINS).scope("admin"),
        both(Post, "/admin/checkup", ADMINS_DELETE).scope("admin"),
    ]
}

/// Waits for the result of an examination that was asked for.
async fn result(root: &Person<'_>) -> Value {
    let start = Instant::now();
    loop {
        let report = root.api().get("/admin/checkup").await.json();
        if report["running"] == false {
            return report;
        }
        assert!(start.elapsed() < DEADLINE, "it is never finished: {report}");
    }
}

fn finding<'r>(report: &'r Value, check: &str) -> &'r Value {
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {report}"))
}

#[rocket::async_test]
async fn an_admin_asks_and_sees_what_is_wrong() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("A post").await;
    let never = root.api().get("/admin/checkup").await.json();
    assert_eq!((&never["running"], &never["findings"]), (&json!(false), &json!([])));
    let page = root.page().get("/admin/checkup").await.body;
    assert!(page.contains("Postly can examine your site"), "{page}");

    let asked = root.api().post("/admin/checkup", json!({})).await;
    assert_eq!(asked.status, 204, "{}", asked.body);
    let report = result(&root).await;
    for check in ["Numbers", "Search", "Database", "Schema", "Queue", "Audit log", "Clocks"] {
        assert_eq!(finding(&report, check)["severity"], "ok", "{check}: {report}");
    }
    // Nobody listens there.
    let address = finding(&report, "Public address");
    assert_eq!(address["code"], "address-unreachable");
    assert!(address["details"][0].as_str().unwrap().contains("http://postly.test/healthz"));
    assert_eq!(report["worst"], "warning");
    let page = root.page().get("/admin/checkup").await.body;
    assert!(page.contains("Nothing is broken, but something could be better."), "{page}");
    assert!(page.contains("Warning: public address."), "{page}");

    // One that was never finished is not awaited for ever.
    let lost = "UPDATE checkups SET requested_at = '2026-01-02T00:00:00+00:00', finished_at = NULL";
    sql(lost).execute(app.db.writer()).await.unwrap();
    assert_eq!(root.api().get("/admin/checkup").await.json()["running"], false);

    let wrong = "UPDATE user_counts SET posts = posts + 1";
    sql(wrong).execute(app.db.writer()).await.unwrap();
    let asked = root.page().post("/admin/checkup", &[]).await;
    assert_eq!((asked.status, asked.header("location")), (303, Some("/admin/checkup")));
    let report = result(&root).await;
    let numbers = finding(&report, "Numbers");
    assert_eq!((&numbers["code"], &report["worst"]), (&json!("counters-wrong"), &json!("failed")));
    let page = root.page().get("/admin/checkup").await.body;
    assert!(page.contains("Something is broken.") && page.contains("Broken: numbers."), "{page}");
    let events = root.api().get("/admin/audit?q=checkup").await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 2, "{events}");
}

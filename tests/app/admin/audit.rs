//! The audit log: what is recorded, who sees it, and that nobody can change it.

use rocket::futures::future::join_all;
use rocket::http::Method::Get;
use serde_json::json;

use crate::support::database::is_postgres;
use crate::support::internals::{
    AuditBroken, AuditFault, Error, sql, verify_audit, verify_checkpoint,
};
use crate::support::permission::{ADMINS, Permission, both};
use crate::support::{App, PASSWORD, event_kinds};

pub fn permissions() -> Vec<Permission> {
    vec![both(Get, "/admin/audit", ADMINS).scope("admin")]
}

#[rocket::async_test]
async fn log_ins_denials_and_admin_acts_are_noted() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let post = ann.posts("Tides").await;
    let wrong = json!({"username": "ann", "password": "hunter2-canary"});
    app.nobody().from("192.0.2.7").api().post("/auth/login", wrong).await;
    let unknown = json!({"username": "typed-canary", "password": "hunter2-canary"});
    app.nobody().api().post("/auth/login", unknown).await;
    assert_eq!(ann.api().get("/admin/users").await.status, 403);
    assert_eq!(ann.page().get("/admin/users").await.status, 404);
    root.api().put(&format!("/posts/{post}"), json!({"title": "Changed"})).await;
    root.page().delete(&format!("/posts/{post}"), &[]).await;
    root.api().patch("/admin/users/ann", json!({"role": "admin"})).await;
    root.api().patch("/admin/users/ann", json!({"role": "user"})).await;
    ann.api().post("/auth/logout", json!({})).await;
    root.api().delete("/admin/users/ann").await;

    let all = root.api().get("/admin/audit?limit=100").await;
    let list = all.json();
    let mut expected = vec![
        "registered",
        "login",
        "login",
        "registered",
        "login",
        "login",
        "login.failed",
        "login.failed",
        "denied",
        "denied",
        "post.edited",
        "post.deleted",
        "user.role",
        "user.role",
        "logout",
        "user.deleted",
    ];
    expected.reverse();
    assert_eq!(event_kinds(&list), expected);
    let failed = list["items"].as_array().unwrap().iter().rfind(|e| e["kind"] == "login.failed");
    let failed = failed.unwrap();
    assert_eq!((&failed["address"], &failed["subject"]), (&json!("192.0.2.7"), &json!("ann")));
    assert_eq!(failed["request_id"].as_str().unwrap().len(), 32);
    assert!(failed["at"].as_str().unwrap().ends_with('Z'), "UTC");
    let role = list["items"].as_array().unwrap().iter().find(|e| e["kind"] == "user.role").unwrap();
    assert_eq!((&role["actor"], &role["subject"]), (&json!("root"), &json!("ann")));
    assert!(!all.body.contains("canary"), "user input is not recorded");
    let page = root.page().get("/admin/audit?q=192.0.2.7").await;
    assert!(page.body.contains("Log-in failed") && !page.body.contains("Role changed"));
}

/// Runs statements that Postly itself never runs.
async fn tamper(app: &App, statements: &[&'static str]) {
    // The triggers prevent changes even by somebody who has the database's password.
    for statement in statements {
        sql(statement).execute(app.db.writer()).await.unwrap();
    }
}

#[rocket::async_test]
async fn a_changed_or_missing_event_is_found() {
    let unlock: &[&'static str] = if is_postgres() {
        &["DROP TRIGGER audit_events_stay ON audit_events"]
    } else {
        &["DROP TRIGGER audit_events_stay", "DROP TRIGGER audit_events_remain"]
    };
    for (what, statement, expected) in [
        (
            "changed",
            "UPDATE audit_events SET address = '192.0.2.99' WHERE id = 3",
            AuditFault::Changed(3),
        ),
        ("missing", "DELETE FROM audit_events WHERE id = 3", AuditFault::Missing(3)),
        ("cut off", "DELETE FROM audit_events WHERE id > 4", AuditFault::Missing(5)),
        ("new end", "UPDATE audit_head SET hash = 'x'", AuditFault::Head),
    ] {
        let app = App::new().await;
        app.user("ann").await;
        app.user("bob").await;
        let end = verify_audit(&app.db).await.unwrap();
        assert_eq!(end.id, 6, "{what}");
        for forbidden in ["UPDATE audit_events SET detail = 'x'", "DELETE FROM audit_events"] {
            let refused = sql(forbidden).execute(app.db.writer()).await;
            assert!(matches!(refused, Err(Error::Database(_))), "{forbidden}");
        }
        tamper(&app, unlock).await;
        tamper(&app, &[statement]).await;
        match verify_audit(&app.db).await {
            Err(AuditBroken(fault)) => assert_eq!(fault, expected),
            other => panic!("{what}: {other:?}"),
        }
        let kept = verify_checkpoint(&app.db, &end).await;
        assert_eq!(kept.is_ok(), what != "cut off", "{what}");
    }
}

#[rocket::async_test]
async fn parallel_events_make_one_chain() {
    let app = App::new().await;
    let second = app.another().await;
    for name in ["ann", "bob", "cid"] {
        app.user(name).await;
    }
    let login = |app, name: &'static str| async move {
        let app: &App = app;
        let login = json!({"username": name, "password": PASSWORD});
        app.nobody().api().post("/auth/login", login).await.status
    };
    let all = join_all(
        (0..30)
            .map(|i| login(if i % 2 == 0 { &app } else { &second }, ["ann", "bob", "cid"][i % 3])),
    )
    .await;
    let logged_in = all.iter().filter(|status| **status == 200).count() as i64;
    assert!(logged_in > 0 && all.iter().all(|status| matches!(status, 200 | 429)), "{all:?}");
    let end = verify_audit(&app.db).await.unwrap();
    assert!(end.id >= 9 + logged_in, "{end:?}");
}

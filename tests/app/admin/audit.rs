//! The audit log: what is recorded, who sees it, and that nobody can change it.

use rocket::futures::future::join_all;
use rocket::http::Method::Get;
use serde_json::json;

use crate::support::database::is_postgres;
use crate::support::internals::{
    AuditBroken, AuditEvent, AuditFault, Caller, Error, EventKind, sql, verify_audit,
    verify_checkpoint,
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
    let page = root.page().get("/admin/audit?q=192.0.2.7").await;
    assert!(
        page.body.contains("192.0.2.7")
            && !page.body.contains("<td class=\"main-cell\">Role changed")
    );
    assert!(page.body.contains("192.0.2.7") && page.body.contains(">ann<"), "{}", page.body);
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
    assert_eq!((&failed["address"], &failed["subject_id"]), (&json!(null), &json!(ann.id)));
    assert_eq!(failed["request_id"].as_str().unwrap().len(), 32);
    assert!(failed["at"].as_str().unwrap().ends_with('Z'), "UTC");
    let role = list["items"].as_array().unwrap().iter().find(|e| e["kind"] == "user.role").unwrap();
    assert_eq!((&role["actor"], &role["subject_id"]), (&json!("root"), &json!(ann.id)));
    assert!(!all.body.contains("canary"), "user input is not recorded");
}

/// Runs statements that Postly itself never runs, without the triggers that prevent them even for
/// somebody who has the database's password.
pub async fn tamper(app: &App, statement: &'static str) {
    let triggers = match is_postgres() {
        true => {
            "SELECT tgname::text, relname::text FROM pg_trigger t JOIN pg_class c ON \
             c.oid = t.tgrelid WHERE tgname LIKE 'audit%'"
        }
        false => "SELECT name, '' FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit%'",
    };
    let triggers: Vec<(String, String)> = sql(triggers).all(&app.db).await.unwrap();
    for (name, table) in triggers {
        let on = if is_postgres() { format!(" ON {table}") } else { String::new() };
        let drop: &'static str = format!("DROP TRIGGER {name}{on}").leak();
        sql(drop).execute(app.db.writer()).await.unwrap();
    }
    sql(statement).execute(app.db.writer()).await.unwrap();
}

/// What `audit verify` finds.
pub async fn fault(app: &App) -> AuditFault {
    match verify_audit(app.site()).await {
        Err(AuditBroken(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[rocket::async_test]
async fn a_changed_or_missing_event_is_found() {
    for (what, statement, expected) in [
        ("changed", "UPDATE audit_events SET detail = 'api' WHERE id = 4", AuditFault::Changed(4)),
        ("renamed", "UPDATE audit_events SET actor = 'eve' WHERE id = 3", AuditFault::Changed(3)),
        ("missing", "DELETE FROM audit_events WHERE id = 3", AuditFault::Missing(3)),
        ("cut off", "DELETE FROM audit_events WHERE id > 4", AuditFault::Missing(5)),
        ("new end", "UPDATE audit_head SET hash = 'x'", AuditFault::Head),
        (
            "another address",
            "UPDATE audit_people SET address = '192.0.2.99' WHERE event_id = 3",
            AuditFault::DetailsChanged(3),
        ),
        (
            "given away",
            "UPDATE audit_people SET user_id = 2 WHERE event_id = 1",
            AuditFault::DetailsChanged(1),
        ),
        (
            "one more person",
            "INSERT INTO audit_people (event_id, part, salt, name) VALUES (2, 'subject', '', 'eve')",
            AuditFault::DetailsChanged(2),
        ),
        (
            "no details",
            "DELETE FROM audit_people WHERE event_id = 2",
            AuditFault::DetailsMissing(2),
        ),
    ] {
        let app = App::new().await;
        app.user("ann").await;
        app.user("bob").await;
        let end = verify_audit(app.site()).await.unwrap().end;
        assert_eq!(end.id, 6, "{what}");
        tamper(&app, statement).await;
        assert_eq!(fault(&app).await, expected, "{what}");
        let kept = verify_checkpoint(&app.db, &end).await;
        assert_eq!(kept.is_ok(), what != "cut off", "{what}");
    }
}

#[rocket::async_test]
async fn the_database_itself_refuses_changes() {
    let app = App::new().await;
    app.user("ann").await;
    let mut forbidden = vec![
        "UPDATE audit_events SET detail = 'x'",
        "DELETE FROM audit_events",
        "UPDATE audit_people SET name = 'x'",
        "DELETE FROM audit_people",
        "INSERT INTO audit_seals VALUES (1, 'x', '2026-01-01T00:00:00Z', 'x', 'x')",
    ];
    if is_postgres() {
        forbidden.extend([
            "TRUNCATE audit_events",
            "TRUNCATE audit_people",
            "TRUNCATE audit_seals",
        ]);
    }
    for forbidden in forbidden {
        let refused = sql(forbidden).execute(app.db.writer()).await;
        assert!(matches!(refused, Err(Error::Database(_))), "{forbidden}: {refused:?}");
    }
    verify_audit(app.site()).await.unwrap();
}

/// Of a deleted account, the log keeps the number and what it did, and stays verifiable.
#[rocket::async_test]
async fn a_deleted_account_leaves_its_number_behind() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let wrong = json!({"username": "ann", "password": "wrong"});
    app.nobody().from("192.0.2.7").api().post("/auth/login", wrong).await;
    root.api().patch("/admin/users/ann", json!({"role": "admin"})).await;
    let before = verify_audit(app.site()).await.unwrap();
    assert_eq!(before.erased, 0);
    assert_eq!(root.page().delete("/admin/users/ann", &[]).await.status, 303);

    let after = verify_audit(app.site()).await.unwrap();
    assert_eq!((after.end.id, after.erased), (before.end.id + 1, 5), "{after:?}");
    verify_checkpoint(&app.db, &before.end).await.unwrap();
    let path = format!("/admin/audit?q=user%20{}", ann.id);
    let list = root.api().get(&path).await;
    let kinds = ["user.deleted", "user.role", "login.failed", "login", "login", "registered"];
    assert_eq!(event_kinds(&list.json()), kinds);
    assert!(!list.body.contains("ann") && !list.body.contains("192.0.2.7"), "{}", list.body);
    let event = |number: usize| list.json()["items"][number].clone();
    assert_eq!((&event(1)["actor"], &event(1)["subject"]), (&json!("root"), &json!(null)));
    assert_eq!((&event(2)["address"], &event(2)["user_agent"]), (&json!(null), &json!(null)));
    let page = root.page().get(&path).await;
    let gone = format!("user {} (deleted)", ann.id);
    assert!(page.body.contains(&gone) && page.body.contains("erased"), "{}", page.body);
    let contents: i64 =
        sql("SELECT count(*) FROM audit_people WHERE name = 'ann' OR address = '192.0.2.7'")
            .scalar(&app.db)
            .await
            .unwrap();
    assert_eq!(contents, 0);

    // An event that a request of the deleted person was about to write leaves nothing either.
    let late = AuditEvent::new(EventKind::LOGIN_FAILED).about(ann.id, "ann");
    late.record(&app.db, &Caller::new("192.0.2.7".parse().ok(), "curl", "")).await.unwrap();
    assert!(!root.api().get(&path).await.body.contains("192.0.2.7"));
    assert_eq!(verify_audit(app.site()).await.unwrap().erased, 6);
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
    // On a busy machine, some may be asked to try again.
    assert!(logged_in > 0 && all.iter().all(|status| matches!(status, 200 | 429 | 503)), "{all:?}");
    let end = verify_audit(app.site()).await.unwrap().end;
    assert!(end.id >= 9 + logged_in, "{end:?}");
}

/// Filters are repeated in the answer and in its links.
#[rocket::async_test]
async fn a_filter_that_is_longer_than_anything_it_could_find_is_refused() {
    let app = App::new().await;
    let root = app.admin("root").await;
    for (path, field, max) in [
        ("/admin/audit", "kind", 100),
        ("/admin/audit", "person", 300),
        ("/admin/users", "username", 300),
    ] {
        for (length, status) in [(max, 200), (max + 1, 422)] {
            let path = format!("{path}?{field}={}", "x".repeat(length));
            assert_eq!(root.page().get(&path).await.status, status, "{path}");
            let answer = root.api().get(&path).await;
            assert_eq!(answer.status, status, "{path}");
            assert!(status == 200 || answer.field_errors() == [field], "{}", answer.body);
        }
    }
}

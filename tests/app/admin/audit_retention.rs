//! Old audit events are sealed and deleted, and what remains can still be verified.

use chrono::Duration;
use serde_json::json;

use super::audit::{fault, tamper};
use crate::support::internals::{
    AuditBroken, AuditFault, AuditRetention, AuditRow, Checkpoint, Job, claimed_job,
    enforce_retention, now, sql, verify_audit, verify_checkpoint, worker,
};
use crate::support::{App, SECRET, event_kinds};

const SECOND_KEY: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";

/// A site with three sealed events and three others.
async fn sealed() -> (App, Checkpoint) {
    let app = App::new().await;
    app.user("ann").await;
    let end = verify_audit(app.site()).await.unwrap().end;
    assert_eq!(enforce_retention(app.site(), now()).await.unwrap(), 3);
    app.user("bob").await;
    (app, end)
}

async fn count(app: &App, table: &'static str) -> i64 {
    sql("SELECT count(*) FROM ").push(table).scalar(&app.db).await.unwrap()
}

#[rocket::async_test]
async fn what_is_left_is_verified_from_the_seal_on() {
    let (app, end) = sealed().await;
    assert_eq!((count(&app, "audit_events").await, count(&app, "audit_people").await), (3, 3));
    let verified = verify_audit(app.site()).await.unwrap();
    assert_eq!((verified.sealed, verified.end.id), (3, 6));
    // A checkpoint noted before the seal: the seal's own still matches, an earlier one is answered
    // with the one to use instead.
    verify_checkpoint(&app.db, &end).await.unwrap();
    let forged = Checkpoint { hash: "x".to_owned(), ..end.clone() };
    let refused = verify_checkpoint(&app.db, &forged).await;
    assert!(matches!(refused, Err(AuditBroken(AuditFault::Checkpoint(3)))), "{refused:?}");
    let earlier = Checkpoint { id: 2, hash: "x".to_owned() };
    match verify_checkpoint(&app.db, &earlier).await {
        Err(AuditBroken(AuditFault::Sealed { id: 2, instead, .. })) => {
            assert_eq!(instead, format!("3:{}", end.hash));
        }
        other => panic!("{other:?}"),
    }
    let beyond = Checkpoint { id: 7, hash: "x".to_owned() };
    let refused = verify_checkpoint(&app.db, &beyond).await;
    assert!(matches!(refused, Err(AuditBroken(AuditFault::Checkpoint(7)))), "{refused:?}");

    // Everything may be sealed, again and again.
    assert_eq!(enforce_retention(app.site(), now()).await.unwrap(), 3);
    assert_eq!(enforce_retention(app.site(), now()).await.unwrap(), 0);
    let verified = verify_audit(app.site()).await.unwrap();
    assert_eq!((verified.sealed, verified.end.id, count(&app, "audit_seals").await), (6, 6, 2));
    verify_checkpoint(&app.db, &end).await.unwrap();
    let root = app.admin("root").await;
    let list = root.api().get("/admin/audit").await.json();
    assert_eq!(event_kinds(&list), ["login", "login", "registered"]);
    assert_eq!(verify_audit(app.site()).await.unwrap().end.id, 9);
}

#[rocket::async_test]
async fn only_old_events_are_sealed_and_only_if_the_operator_says_so() {
    let app = App::new().await;
    app.user("ann").await;
    assert_eq!(enforce_retention(app.site(), now() - Duration::hours(1)).await.unwrap(), 0);
    let folder = tempfile::tempdir().unwrap();
    AuditRetention.run(worker(app.site(), folder.path()), claimed_job()).await.unwrap();
    assert_eq!(count(&app, "audit_events").await, 3, "without the setting");
    let keeping = app.another_with(&[("audit_retention_days", "1")]).await;
    AuditRetention.run(worker(keeping.site(), folder.path()), claimed_job()).await.unwrap();
    assert_eq!((count(&app, "audit_events").await, count(&app, "audit_seals").await), (3, 0));
}

#[rocket::async_test]
async fn sealed_events_that_are_left_over_are_deleted_by_the_next_run() {
    let (app, _) = sealed().await;
    // As if the process had been killed between the seal and the deletion.
    sql("INSERT INTO audit_seals (event_id, hash, sealed_at, key_id, signature) \
         SELECT id, hash, at, 'x', 'x' FROM audit_events WHERE id = 5")
    .execute(app.db.writer())
    .await
    .unwrap();
    assert_eq!(fault(&app).await, AuditFault::UnknownKey { id: 5, key: "x".to_owned() });
    let deleted = enforce_retention(app.site(), now() - Duration::hours(1)).await.unwrap();
    assert_eq!((deleted, count(&app, "audit_events").await), (2, 1));
}

#[rocket::async_test]
async fn what_was_tampered_with_is_not_sealed() {
    let app = App::new().await;
    app.user("ann").await;
    tamper(&app, "UPDATE audit_people SET address = '192.0.2.99' WHERE event_id = 2").await;
    let refused = enforce_retention(app.site(), now()).await;
    assert!(matches!(refused, Err(AuditBroken(AuditFault::DetailsChanged(2)))), "{refused:?}");
    assert_eq!((count(&app, "audit_events").await, count(&app, "audit_seals").await), (3, 0));
}

#[rocket::async_test]
async fn a_changed_or_forged_seal_is_found() {
    for (what, statement, expected) in [
        ("a later seal", "UPDATE audit_seals SET event_id = 4 WHERE event_id = 3", 4),
        ("another hash", "UPDATE audit_seals SET hash = 'x' WHERE event_id = 3", 3),
        ("another time", "UPDATE audit_seals SET sealed_at = '2026-01-01T00:00:00Z'", 3),
        (
            "a forged seal",
            "INSERT INTO audit_seals SELECT 4, 'x', sealed_at, key_id, signature FROM audit_seals",
            4,
        ),
    ] {
        let (app, _) = sealed().await;
        tamper(&app, statement).await;
        assert_eq!(fault(&app).await, AuditFault::Seal(expected), "{what}");
    }
    let (app, _) = sealed().await;
    tamper(&app, "DELETE FROM audit_seals").await;
    assert_eq!(fault(&app).await, AuditFault::Missing(1));
    let (app, _) = sealed().await;
    tamper(&app, "DELETE FROM audit_events WHERE id = 4").await;
    assert_eq!(fault(&app).await, AuditFault::Missing(4));
}

/// A new key signs the next seal, which vouches for the older ones.
#[rocket::async_test]
async fn keys_rotate_and_seals_stay_verifiable() {
    let (app, _) = sealed().await;
    let both = format!("{SECOND_KEY},{SECRET}");
    let rotated = app.another_with(&[("secret_key", &both)]).await;
    assert_eq!(verify_audit(rotated.site()).await.unwrap().sealed, 3);
    let without = app.another_with(&[("secret_key", SECOND_KEY)]).await;
    match fault(&without).await {
        AuditFault::UnknownKey { id: 3, key } => assert_eq!(key.len(), 16),
        other => panic!("{other:?}"),
    }
    assert_eq!(enforce_retention(rotated.site(), now()).await.unwrap(), 3);
    assert_eq!(verify_audit(without.site()).await.unwrap().sealed, 6);
    tamper(&app, "UPDATE audit_seals SET hash = 'x' WHERE event_id = 3").await;
    assert_eq!(fault(&without).await, AuditFault::Seal(6), "the newer seal covers the older");
}

/// Makes a valid chain of the events as they are now: they were written so, not changed later.
async fn chain_again(app: &App) {
    let events: Vec<AuditRow> = sql("SELECT id, at, kind, actor_id, actor, subject_id, subject, \
         address, user_agent, request_id, detail, actor_digest, subject_digest, hash \
         FROM audit_events ORDER BY id")
    .all(&app.db)
    .await
    .unwrap();
    let mut hash = String::new();
    for event in events {
        hash = event.hash_after(&hash);
        sql("UPDATE audit_events SET hash = $1 WHERE id = $2")
            .bind(hash.as_str())
            .bind(event.id)
            .execute(app.db.writer())
            .await
            .unwrap();
    }
    sql("UPDATE audit_head SET hash = $1").bind(hash).execute(app.db.writer()).await.unwrap();
}

/// A time in the future does not keep events for ever, and one in the past seals nothing too early.
#[rocket::async_test]
async fn clocks_that_were_wrong_neither_keep_nor_delete_too_much() {
    let app = App::new().await;
    app.user("ann").await;
    let shift = |statement: &'static str| tamper(&app, statement);
    shift("UPDATE audit_events SET at = '2999-01-01T00:00:00.000000Z' WHERE id = 1").await;
    shift("UPDATE audit_events SET at = '1999-01-01T00:00:00.000000Z' WHERE id = 3").await;
    chain_again(&app).await;
    assert_eq!(verify_audit(app.site()).await.unwrap().end.id, 3);
    // Event 2 is recent, so that event 3, behind it, stays.
    let deleted = enforce_retention(app.site(), now() - Duration::hours(1)).await.unwrap();
    assert_eq!((deleted, count(&app, "audit_events").await), (1, 2));
    let verified = verify_audit(app.site()).await.unwrap();
    assert_eq!((verified.sealed, verified.end.id), (1, 3));
}

#[rocket::async_test]
async fn two_instances_seal_once() {
    let app = App::new().await;
    let second = app.another().await;
    app.user("ann").await;
    let at = now();
    let (one, two) = rocket::tokio::join!(
        enforce_retention(app.site(), at),
        enforce_retention(second.site(), at)
    );
    assert_eq!(one.unwrap() + two.unwrap(), 3);
    assert_eq!(count(&app, "audit_seals").await, 1);
    let bob = app.user("bob").await;
    assert_eq!(bob.api().get("/me").await.json()["username"], json!("bob"));
    verify_audit(app.site()).await.unwrap();
}

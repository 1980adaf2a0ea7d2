//! The job queue: committed jobs run, each once on one worker, and a failure affects only its job.

use chrono::{DateTime, Utc};
use rocket::futures::future::join_all;
use serde_json::json;

use crate::support::App;
use crate::support::internals::{
    self, ClaimedJob, Error, HANDLERS, Handler, Job, JobContext, JobFailure, MAIL, Sweep, Wanted,
    job, now, pending_mails, run_due, sql,
};

fn worker(app: &App, folder: &std::path::Path) -> JobContext {
    internals::worker(app.site(), folder)
}

async fn enqueue(app: &App, kind: &str) {
    let mut tx = app.db.begin().await.unwrap();
    job::enqueue(&mut tx, kind, None, &json!({"text": "a word"})).await.unwrap();
    tx.commit().await.unwrap();
}

/// Claims a job of a kind that says nothing of its claims.
async fn claim(app: &App, kind: &str) -> Result<Option<ClaimedJob>, Error> {
    job::claim(&app.db, &[Wanted { kind, lease: job::LEASE }], &[]).await
}

#[rocket::async_test]
async fn a_job_exists_exactly_when_its_transaction_is_committed() {
    let app = App::new().await;
    let mut tx = app.db.begin().await.unwrap();
    job::enqueue(&mut tx, "sample", None, &json!({})).await.unwrap();
    drop(tx);
    assert!(claim(&app, "sample").await.unwrap().is_none(), "rolled back");
    enqueue(&app, "sample").await;
    let claimed = claim(&app, "sample").await.unwrap().unwrap();
    assert_eq!((claimed.payload.as_str(), claimed.attempts), (r#"{"text":"a word"}"#, 1));
    assert!(claim(&app, "other").await.unwrap().is_none(), "kinds are told apart");
}

#[rocket::async_test]
async fn of_many_workers_one_gets_a_job_and_another_one_if_it_dies() {
    let app = App::new().await;
    for _ in 0..5 {
        enqueue(&app, "sample").await;
    }
    let claims = join_all((0..20).map(|_| claim(&app, "sample"))).await;
    let mut ids: Vec<i64> = claims.into_iter().filter_map(|c| c.unwrap()).map(|c| c.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5, "each once");
    assert_eq!(job::pending(&app.db, "sample").await.unwrap(), 5);
    // The workers died: their claims expire.
    sql("UPDATE jobs SET claimed_until = $1 WHERE kind = 'sample'")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
    let again = claim(&app, "sample").await.unwrap().unwrap();
    assert_eq!((again.id, again.attempts), (ids[0], 2));
    // A worker that lost its claim can no longer change the job.
    let late = ClaimedJob { attempts: 1, ..again.clone() };
    assert!(job::renew(&app.db, &late).await.is_err());
    job::complete(&app.db, &late).await.unwrap();
    job::fail(&app.db, &late, 1, "late").await.unwrap();
    assert_eq!(job::pending(&app.db, "sample").await.unwrap(), 5);
    job::complete(&app.db, &again).await.unwrap();
    job::fail(&app.db, &again, 9, "later still").await.unwrap();
    assert_eq!(job::pending(&app.db, "sample").await.unwrap(), 4, "finished is finished");
}

#[rocket::async_test]
async fn a_claim_lasts_as_long_as_its_kind_says() {
    let app = App::new().await;
    for (kind, seconds) in [("short", 15), ("long", 600)] {
        enqueue(&app, kind).await;
        let lease = std::time::Duration::from_secs(seconds);
        let before = now();
        let wanted = [Wanted { kind: "other", lease: job::LEASE }, Wanted { kind, lease }];
        let claimed = job::claim(&app.db, &wanted, &[]).await.unwrap().unwrap();
        assert_eq!(claimed.kind, kind);
        let until: DateTime<Utc> = sql("SELECT claimed_until FROM jobs WHERE id = $1")
            .bind(claimed.id)
            .scalar(&app.db)
            .await
            .unwrap();
        assert!((before + lease..=now() + lease).contains(&until), "{kind}: {until}");
    }
}

#[rocket::async_test]
async fn a_failed_job_waits_longer_each_time_and_is_given_up_in_the_end() {
    let app = App::new().await;
    enqueue(&app, "sample").await;
    for attempt in 1..=3i64 {
        let claimed = claim(&app, "sample").await.unwrap().unwrap();
        assert_eq!(claimed.attempts, attempt);
        let retry = job::fail(&app.db, &claimed, 3, "the server is away").await.unwrap();
        assert_eq!(retry, attempt < 3);
        assert!(claim(&app, "sample").await.unwrap().is_none(), "not at once");
        sql("UPDATE jobs SET run_at = $1 WHERE kind = 'sample'")
            .bind(now())
            .execute(app.db.writer())
            .await
            .unwrap();
    }
    assert!(claim(&app, "sample").await.unwrap().is_none(), "given up");
    let (failed, error): (bool, String) =
        sql("SELECT failed, last_error FROM jobs WHERE kind = 'sample'")
            .one(&app.db)
            .await
            .unwrap();
    assert_eq!((failed, error.as_str()), (true, "the server is away"));
}

#[rocket::async_test]
async fn a_job_that_cannot_be_read_fails_alone() {
    let app = App::new().await;
    let folder = tempfile::tempdir().unwrap();
    enqueue(&app, MAIL).await;
    run_due(&worker(&app, folder.path()), HANDLERS).await.unwrap();
    while pending_unfailed(&app).await > 0 {
        rocket::tokio::task::yield_now().await;
    }
    assert_eq!(pending_mails(&app.db).await.unwrap(), 1, "it is retried later");
    let error: String =
        sql("SELECT last_error FROM jobs WHERE kind = 'mail'").scalar(&app.db).await.unwrap();
    assert!(error.contains("payload"), "{error}");
    assert_eq!(app.nobody().page().get("/").await.status, 200);
}

/// A kind of job that panics, and one that works.
#[derive(serde::Deserialize)]
struct Panics {}

impl Job for Panics {
    const NAME: &'static str = "panics";

    async fn run(self, _: JobContext, _: ClaimedJob) -> Result<(), JobFailure> {
        panic!("a bug in a job");
    }
}

#[derive(serde::Deserialize)]
struct Works {}

impl Job for Works {
    const NAME: &'static str = "works";

    async fn run(self, _: JobContext, _: ClaimedJob) -> Result<(), JobFailure> {
        Ok(())
    }
}

#[rocket::async_test]
async fn a_panic_is_the_failure_of_its_job_alone() {
    let app = App::new().await;
    let folder = tempfile::tempdir().unwrap();
    enqueue(&app, "panics").await;
    enqueue(&app, "works").await;
    let handlers = [Handler::of::<Panics>(), Handler::of::<Works>()];
    run_due(&worker(&app, folder.path()), &handlers).await.unwrap();
    assert_eq!(job::pending(&app.db, "panics").await.unwrap(), 1, "it is retried");
    assert_eq!(job::pending(&app.db, "works").await.unwrap(), 0);
    let error: String =
        sql("SELECT last_error FROM jobs WHERE kind = 'panics'").scalar(&app.db).await.unwrap();
    assert!(error.contains("panic"), "{error}");
}

#[rocket::async_test]
async fn a_job_whose_workers_always_die_is_given_up() {
    let app = App::new().await;
    let folder = tempfile::tempdir().unwrap();
    enqueue(&app, "works").await;
    sql("UPDATE jobs SET attempts = $1 WHERE kind = 'works'")
        .bind(Works::MAX_ATTEMPTS)
        .execute(app.db.writer())
        .await
        .unwrap();
    run_due(&worker(&app, folder.path()), &[Handler::of::<Works>()]).await.unwrap();
    let failed: bool =
        sql("SELECT failed FROM jobs WHERE kind = 'works'").scalar(&app.db).await.unwrap();
    assert!(failed);
}

async fn pending_unfailed(app: &App) -> i64 {
    sql("SELECT count(*) FROM jobs WHERE kind = 'mail' AND last_error IS NULL")
        .scalar(&app.db)
        .await
        .unwrap()
}

#[rocket::async_test]
async fn the_sweep_clears_what_has_expired_and_nothing_else() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let past = now() - chrono::Duration::days(60);
    // Bob has been away for 60 days; his sessions and refresh tokens have expired.
    sql("UPDATE sessions SET last_used_at = $1, expires_at = $1 WHERE user_id = $2")
        .bind(past)
        .bind(bob.id)
        .execute(app.db.writer())
        .await
        .unwrap();
    for statement in [
        "INSERT INTO link_tokens (hash, user_id, purpose, email, expires_at) \
         VALUES ('old', $2, 'reset', 'x', $1)",
        "INSERT INTO login_challenges (hash, user_id, stamp, expires_at) \
         VALUES ('old', $2, 'x', $1)",
    ] {
        sql(statement).bind(past).bind(bob.id).execute(app.db.writer()).await.unwrap();
    }
    sql("INSERT INTO throttles (key, count, ends_at) VALUES ('old', 1, $1)")
        .bind(past)
        .execute(app.db.writer())
        .await
        .unwrap();
    sql("INSERT INTO jobs (kind, payload, created_at, run_at, finished_at) \
         VALUES ('old', '{}', $1, $1, $1)")
    .bind(past)
    .execute(app.db.writer())
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let old = "SELECT (SELECT count(*) FROM sessions WHERE user_id <> $1) \
         + (SELECT count(*) FROM refresh_tokens t WHERE NOT EXISTS \
            (SELECT 1 FROM sessions s WHERE s.id = t.session_id)) \
         + (SELECT count(*) FROM link_tokens WHERE hash = 'old') \
         + (SELECT count(*) FROM login_challenges WHERE hash = 'old') \
         + (SELECT count(*) FROM throttles WHERE key = 'old') \
         + (SELECT count(*) FROM jobs WHERE kind = 'old')";
    enqueue(&app, "sample").await;
    let any = claim(&app, "sample").await.unwrap().unwrap();
    Sweep.run(worker(&app, folder.path()), any).await.unwrap();
    let left: i64 = sql(old).bind(ann.id).scalar(&app.db).await.unwrap();
    assert_eq!(left, 0);
    assert_eq!(ann.page().get("/me").await.status, 200);
    assert_eq!(ann.api().get("/me").await.status, 200);
    assert_eq!(bob.api().get("/me").await.status, 401);
}

#[rocket::async_test]
async fn a_periodic_job_waits_once_however_often_it_is_scheduled() {
    let app = App::new().await;
    for _ in 0..3 {
        job::schedule(app.db.writer(), "sample", chrono::Duration::zero()).await.unwrap();
    }
    assert_eq!(job::pending(&app.db, "sample").await.unwrap(), 1);
    let claimed = claim(&app, "sample").await.unwrap().unwrap();
    job::complete(&app.db, &claimed).await.unwrap();
    job::schedule(app.db.writer(), "sample", chrono::Duration::hours(1)).await.unwrap();
    assert_eq!(job::pending(&app.db, "sample").await.unwrap(), 1, "the next one");
    assert!(claim(&app, "sample").await.unwrap().is_none(), "not before its time");
}

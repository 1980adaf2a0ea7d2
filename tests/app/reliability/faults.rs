//! A database that is locked, busy, slow, paused or read-only fails the requests that need it, and
//! no others.

use rocket::futures::future::{join, join_all};
use rocket::tokio::task::yield_now;
use rocket::tokio::time::timeout;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::binary::DEADLINE;
use crate::support::database::is_postgres;
use crate::support::internals::{Db, Error, now, sql};
use crate::support::postgres::{Cluster, Relay};
use crate::support::{App, PASSWORD, Response, repetitions};

async fn readyz(app: &App) -> (u16, String) {
    let response = app.nobody().page().get("/readyz").await;
    (response.status, response.body.trim_end().to_owned())
}

async fn until_ready(app: &App) {
    while readyz(app).await.1 != "ready" {
        yield_now().await;
    }
}

fn assert_unavailable(response: &Response) {
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
}

/// For what would never end if a protection were missing.
pub async fn in_time<T>(work: impl Future<Output = T>) -> T {
    timeout(DEADLINE, work).await.expect("this waits for something that never happens")
}

pub async fn connect(app: &App) -> PgConnection {
    PgConnection::connect(&app.database_url()).await.unwrap()
}

#[rocket::async_test]
async fn one_locked_table_fails_only_what_needs_it() {
    if !is_postgres() {
        return; // SQLite has no locks of tables.
    }
    let limits = [("lock_timeout_seconds", "1"), ("statement_timeout_seconds", "3600")];
    let app = App::with(&limits).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let vote = format!("/posts/{}/vote", ann.posts("Tides").await);
    let mut other = connect(&app).await;
    let lock = "BEGIN; LOCK TABLE votes IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut other).await.unwrap();

    let votes = join_all((0..4).map(async |_| bob.api().put(&vote, json!({})).await));
    let others = async {
        for path in ["/posts/new", "/me", "/me/sessions"] {
            assert_eq!(ann.page().get(path).await.status, 200, "{path}");
        }
        assert_eq!(ann.api().get("/me").await.status, 200);
        assert_eq!(readyz(&app).await, (200, "ready".to_owned()));
    };
    let (votes, ()) = in_time(join(votes, others)).await;
    votes.iter().for_each(assert_unavailable);
    assert_eq!(votes[0].json()["code"], "unavailable");

    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    assert_eq!(bob.api().put(&vote, json!({})).await.status, 200);
}

#[rocket::async_test]
async fn a_pool_in_use_is_busy_and_not_gone() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    match &app.db {
        Db::Sqlite { readers, .. } => {
            let held = join_all((0..8).map(|_| readers.acquire())).await;
            assert_eq!(readyz(&app).await, (200, "busy".to_owned()));
            assert_unavailable(&ann.page().get("/me").await);
            assert_eq!(readyz(&app).await, (200, "busy".to_owned()));
            drop(held);
        }
        Db::Postgres { pool, .. } => {
            let held = join_all((0..8).map(|_| pool.acquire())).await;
            assert_eq!(readyz(&app).await, (200, "busy".to_owned()));
            assert_unavailable(&ann.page().get("/me").await);
            assert_eq!(readyz(&app).await, (200, "busy".to_owned()));
            drop(held);
        }
    }
    assert_eq!(ann.page().get("/me").await.status, 200);
    until_ready(&app).await;
}

#[rocket::async_test]
async fn a_statement_that_takes_too_long_is_ended() {
    let app = App::with(&[("statement_timeout_seconds", "1")]).await;
    let ann = app.user("ann").await;
    let endless = sql("WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 \
         FROM n WHERE i < 1000000000000) SELECT count(*) FROM n");
    let error = in_time(endless.scalar::<i64>(&app.db)).await.unwrap_err();
    // The database ended it; Postly did not only stop waiting.
    let words = if is_postgres() { "due to statement timeout" } else { "interrupted" };
    let is_ended = |error: &Error| {
        let error = format!("{error:?}");
        error.contains("kind: Busy") && error.contains(words)
    };
    assert!(is_ended(&error), "{error:?}");
    assert_eq!(error.code(), "unavailable");
    assert_eq!(ann.page().get("/me").await.status, 200);
    // The same for writing, which SQLite does on a connection of its own.
    let mut tx = app.db.begin().await.unwrap();
    sql("UPDATE users SET username = 'zoe'").execute(&mut tx).await.unwrap();
    let endless = sql("INSERT INTO jobs (kind, payload, created_at, run_at) \
         WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n \
         WHERE i < 1000000000000) SELECT 'x', 'null', $1, $1 FROM n WHERE i < 0")
    .bind(now());
    let error = in_time(endless.execute(&mut tx)).await.unwrap_err();
    assert!(is_ended(&error), "{error:?}");
    drop(tx);
    ann.posts("Tides").await;
    assert_eq!(ann.api().get("/me").await.json()["username"], "ann", "it is rolled back");
    assert_eq!(readyz(&app).await, (200, "ready".to_owned()));
}

#[rocket::async_test]
async fn a_paused_server_is_noticed_and_found_again() {
    if !is_postgres() {
        return;
    }
    let relay = Relay::to_postgres().await;
    // Not the time limit of the statements ends the waiting.
    let app =
        App::on(&relay.url).await.another_with(&[("statement_timeout_seconds", "3600")]).await;
    let ann = app.user("ann").await;
    relay.pause();
    // All at once: those that already wait for the server are answered, too.
    let answers = join_all((0..20).map(async |_| ann.page().get("/me").await));
    in_time(answers).await.iter().for_each(assert_unavailable);
    assert_eq!(readyz(&app).await, (503, "gone".to_owned()));
    relay.open();
    until_ready(&app).await;
    let answers = join_all((0..20).map(async |_| ann.page().get("/me").await)).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "without a restart");
}

/// All processes of a real server are stopped, as on a machine that is frozen. A server of its own
/// takes seconds to start, so this is left to `./test slow`.
#[rocket::async_test]
async fn a_stopped_server_fails_what_needs_it_until_it_goes_on() {
    if !is_postgres() || repetitions() == 1 {
        return;
    }
    let cluster = Cluster::start().await;
    let app = App::on(&cluster.url).await;
    let ann = app.user("ann").await;
    cluster.signal("STOP");
    let answers = join_all((0..20).map(async |_| ann.page().get("/me").await)).await;
    answers.iter().for_each(assert_unavailable);
    assert_unavailable(&ann.api().post("/posts", json!({"title": "x", "content": "x"})).await);
    assert_eq!(readyz(&app).await, (503, "gone".to_owned()));
    for path in ["/healthz", "/login", "/favicon.ico"] {
        assert!(app.nobody().page().get(path).await.status < 400, "{path}");
    }
    cluster.signal("CONT");
    until_ready(&app).await;
    let answers = join_all((0..20).map(async |_| ann.page().get("/me").await)).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "without a restart");
    ann.posts("after").await;
}

#[rocket::async_test]
async fn a_deadlock_is_repeated_a_few_times() {
    if !is_postgres() {
        return; // SQLite has one writer.
    }
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let vote = format!("/posts/{}/vote", ann.posts("Tides").await);
    let mut other = connect(&app).await;
    // A sequence counts on when a transaction is rolled back.
    let trigger = |failures: u32| {
        AssertSqlSafe(format!(
            "CREATE SEQUENCE attempts; \
             CREATE FUNCTION aborted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF nextval('attempts') <= {failures} THEN \
             RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected'; END IF; \
             RETURN NEW; END $$; \
             CREATE TRIGGER aborted BEFORE INSERT ON votes FOR EACH ROW EXECUTE FUNCTION aborted()"
        ))
    };
    sqlx::raw_sql(trigger(2)).execute(&mut other).await.unwrap();
    assert_eq!(bob.api().put(&vote, json!({})).await.status, 200, "the third attempt succeeds");
    let drop = "DROP TRIGGER aborted ON votes; DROP FUNCTION aborted; DROP SEQUENCE attempts";
    sqlx::raw_sql(drop).execute(&mut other).await.unwrap();
    assert_eq!(bob.api().delete(&vote).await.status, 200);
    sqlx::raw_sql(trigger(1000)).execute(&mut other).await.unwrap();
    assert_unavailable(&bob.api().put(&vote, json!({})).await);
    let attempts = "SELECT last_value FROM attempts";
    let attempts: i64 = sqlx::query_scalar(attempts).fetch_one(&mut other).await.unwrap();
    assert_eq!(attempts, 3);
}

#[rocket::async_test]
async fn writing_moderating_and_ending_sessions_is_repeated_after_a_deadlock() {
    if !is_postgres() {
        return;
    }
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let mut other = connect(&app).await;
    // Each transaction fails at its first attempt, at its end.
    let trigger = "CREATE SEQUENCE attempts; \
         CREATE FUNCTION aborted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF nextval('attempts') % 2 = 1 THEN \
         RAISE EXCEPTION 'deadlock detected' USING ERRCODE = 'deadlock_detected'; END IF; \
         RETURN NULL; END $$; \
         CREATE CONSTRAINT TRIGGER aborted AFTER INSERT OR UPDATE ON posts \
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION aborted(); \
         CREATE CONSTRAINT TRIGGER aborted AFTER INSERT ON audit_events \
         DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION aborted()";
    sqlx::raw_sql(trigger).execute(&mut other).await.unwrap();
    let post = ann.posts("Tides").await;
    let edit = json!({"title": "Ebb"});
    assert_eq!(ann.api().put(&format!("/posts/{post}"), edit).await.json()["version"], 2);
    let admin = json!({"role": "admin"});
    assert_eq!(root.api().patch("/admin/users/ann", admin).await.status, 200);
    assert_eq!(ann.api().delete("/me/sessions").await.status, 204);
    assert_eq!(root.api().delete("/admin/users/ann/sessions").await.status, 204);
    assert_eq!(root.api().post("/auth/logout", json!({})).await.status, 204);
    let attempts = "SELECT last_value FROM attempts";
    let attempts: i64 = sqlx::query_scalar(attempts).fetch_one(&mut other).await.unwrap();
    assert_eq!(attempts, 2 * 6);
}

#[rocket::async_test]
async fn a_read_only_database_refuses_writing_and_says_so() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = ann.posts("Tides").await;
    // PostgreSQL applies it to new connections, so another instance sees it.
    let app = match &app.db {
        Db::Sqlite { writer, .. } => {
            sqlx::query("PRAGMA query_only = 1").execute(writer).await.unwrap();
            app
        }
        Db::Postgres { pool, .. } => {
            let text = "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || \
                 ' SET default_transaction_read_only = on'; END $$";
            sqlx::raw_sql(text).execute(pool).await.unwrap();
            app.another().await
        }
    };
    let login = json!({"username": "ann", "password": PASSWORD});
    let refused = app.nobody().api().post("/auth/login", login).await;
    assert_unavailable(&refused);
    let form = [("username", "ann"), ("password", PASSWORD)];
    let refused = app.nobody().page().post("/login", &form).await;
    assert_unavailable(&refused);
    assert!(refused.body.contains("Nothing can be saved"), "{}", refused.body);
    assert_eq!(readyz(&app).await, (200, "read-only".to_owned()));
    assert_eq!(app.nobody().page().get(&format!("/posts/{post}")).await.status, 200);
    if let Db::Sqlite { writer, .. } = &app.db {
        sqlx::query("PRAGMA query_only = 0").execute(writer).await.unwrap();
        until_ready(&app).await;
        app.log_in("ann").await;
    }
}

//! A database that is locked, busy, slow, paused or read-only fails the requests that need it, and
//! no others.

use rocket::futures::future::join_all;
use rocket::http::{ContentType, Method};
use rocket::tokio::task::yield_now;
use serde_json::json;
use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::support::database::is_postgres;
use crate::support::internals::{Db, now, sql};
use crate::support::postgres::Relay;
use crate::support::{App, PASSWORD, Response, encode, send};

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

async fn connect(app: &App) -> PgConnection {
    PgConnection::connect(&app.database_url()).await.unwrap()
}

#[rocket::async_test]
async fn one_locked_table_fails_only_what_needs_it() {
    if !is_postgres() {
        return; // SQLite has no locks of tables.
    }
    let app = App::with(&[("lock_timeout_seconds", "1")]).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let vote = format!("/posts/{}/vote", ann.posts("Tides").await);
    let mut other = connect(&app).await;
    let lock = "BEGIN; LOCK TABLE votes IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock).execute(&mut other).await.unwrap();

    let votes = join_all((0..4).map(async |_| bob.api().put(&vote, json!({})).await));
    let others = async {
        for path in ["/login", "/me", "/me/sessions"] {
            assert_eq!(ann.page().get(path).await.status, 200, "{path}");
        }
        assert_eq!(ann.api().get("/me").await.status, 200);
        assert_eq!(readyz(&app).await, (200, "ready".to_owned()));
    };
    let (votes, ()) = rocket::tokio::join!(votes, others);
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
            drop(held);
        }
        Db::Postgres { pool, .. } => {
            let held = join_all((0..8).map(|_| pool.acquire())).await;
            assert_eq!(readyz(&app).await, (200, "busy".to_owned()));
            assert_unavailable(&ann.page().get("/me").await);
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
    let error = sql("WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 \
         FROM n WHERE i < 1000000000000) SELECT count(*) FROM n")
    .scalar::<i64>(&app.db)
    .await
    .unwrap_err();
    assert!(format!("{error:?}").contains("kind: Busy"), "{error:?}");
    assert_eq!(error.code(), "unavailable");
    assert_eq!(ann.page().get("/me").await.status, 200);
    assert_eq!(readyz(&app).await, (200, "ready".to_owned()));
}

#[rocket::async_test]
async fn a_paused_server_is_noticed_and_found_again() {
    if !is_postgres() {
        return;
    }
    let relay = Relay::to_postgres().await;
    let app = App::on(&relay.url).await;
    let ann = app.user("ann").await;
    relay.pause();
    // All at once: those that already wait for the server are answered, too.
    let answers = join_all((0..20).map(async |_| ann.page().get("/me").await)).await;
    answers.iter().for_each(assert_unavailable);
    assert_eq!(readyz(&app).await, (503, "gone".to_owned()));
    relay.open();
    until_ready(&app).await;
    let answers = join_all((0..20).map(async |_| ann.page().get("/me").await)).await;
    assert!(answers.iter().all(|answer| answer.status == 200), "without a restart");
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

/// Recording the last use needs the write lock, which another process holds all the while.
#[rocket::async_test]
async fn reading_waits_for_no_writer() {
    let app =
        App::with(&[("lock_timeout_seconds", "60"), ("statement_timeout_seconds", "60")]).await;
    let ann = app.user("ann").await;
    let token = json!({"name": "x", "scopes": ["account"]});
    let token = ann.api().post("/me/tokens", token).await.json()["token"].clone();
    let program = app.nobody().with_token(token.as_str().unwrap());
    let stale =
        sql("UPDATE sessions SET last_used_at = $1").bind(now() - chrono::Duration::hours(1));
    stale.execute(app.db.writer()).await.unwrap();
    let url = app.database_url();
    let start = std::time::Instant::now();
    let asked = async || {
        assert_eq!(ann.page().get("/me").await.status, 200);
        assert_eq!(ann.api().get("/me").await.status, 200);
        assert_eq!(program.api().get("/me").await.status, 200);
        // SQLite gives up waiting after five seconds, PostgreSQL after sixty.
        assert!(start.elapsed().as_secs() < 5, "a reader waited for the writer");
    };
    if is_postgres() {
        let mut other = connect(&app).await;
        let lock = "BEGIN; LOCK TABLE sessions, api_tokens IN EXCLUSIVE MODE";
        sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
        asked().await;
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    } else {
        let mut other = SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
        asked().await;
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    }
    // It is recorded once the writer has finished.
    let unused = "SELECT (SELECT count(*) FROM sessions WHERE last_used_at < $1) + \
         (SELECT count(*) FROM api_tokens WHERE last_used_at IS NULL)";
    let recently = now() - chrono::Duration::minutes(30);
    while sql(unused).bind(recently).scalar::<i64>(&app.db).await.unwrap() > 0 {
        ann.api().get("/me").await;
        ann.page().get("/me").await;
        program.api().get("/me").await;
    }
}

/// On SQLite, whoever takes the one connection that writes keeps all others from writing.
#[rocket::async_test]
async fn strangers_take_no_writer_once_their_limit_is_used_up() {
    let limits = "refresh-address=1/h, links=1/h, register=1/h, login-address=1/h";
    let app = App::with(&[("lock_timeout_seconds", "1"), ("limits", limits)]).await;
    let stranger = app.nobody();
    // Well formed, so that it is looked up.
    let unknown = "A".repeat(43);
    let refresh = json!({"refresh_token": format!("prt_{unknown}")});
    let link = json!({"token": unknown, "password": "marble lanterns drift upstream"});
    let newcomer = json!({"username": "newcomer", "password": PASSWORD});
    let login = json!({"username": "somebody", "password": "wrong"});
    let login_form = [("username", "somebody"), ("password", "wrong")];
    let asked = async || {
        let (api, page) = (stranger.api(), stranger.page());
        [
            api.post("/auth/refresh", refresh.clone()).await.status,
            api.post("/auth/verify-email", link.clone()).await.status,
            api.post("/auth/password-reset/new", link.clone()).await.status,
            api.post("/auth/password-reset", json!({"email": "a@mail.example"})).await.status,
            page.post("/password-reset", &[("email", "a@mail.example")]).await.status,
            api.post("/auth/register", newcomer.clone()).await.status,
            page.post("/register", &[("username", "other"), ("password", PASSWORD)]).await.status,
            api.post("/auth/login", login.clone()).await.status,
            page.post("/login", &login_form).await.status,
        ]
    };
    // The first attempts count; the first refusal of a log-in is audited.
    assert_eq!(asked().await, [401, 401, 429, 429, 429, 201, 429, 401, 429]);
    let refused = [429; 9];
    // An unknown token counts as revoked, without a limit: it is only looked up.
    let revoked = async || {
        for token in [format!("prt_{unknown}"), format!("pst_{unknown}"), unknown.clone()] {
            let form = Some(encode(&[("token", &token)]));
            let headers = vec![ContentType::Form.into()];
            let path = "/api/v1/auth/revoke";
            let response = send(&app, Method::Post, path, headers, form).await;
            assert_eq!(response.status, 200, "{}", response.body);
        }
    };
    if is_postgres() {
        let mut other = connect(&app).await;
        let lock = "BEGIN; LOCK TABLE throttles, users, sessions, refresh_tokens, api_tokens, \
             link_tokens, jobs, audit_events IN EXCLUSIVE MODE";
        sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
        assert_eq!(asked().await, refused);
        revoked().await;
    } else {
        let mut other = SqliteConnection::connect(&app.database_url()).await.unwrap();
        sqlx::raw_sql("BEGIN EXCLUSIVE").execute(&mut other).await.unwrap();
        assert_eq!(asked().await, refused);
        revoked().await;
    }
}

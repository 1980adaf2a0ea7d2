//! Who waits for the database's one writer, and for locks, and who does not.

use rocket::http::{ContentType, Method};
use serde_json::json;
use sqlx::{Connection, SqliteConnection};

use super::faults::{connect, in_time};
use crate::support::database::is_postgres;
use crate::support::internals::{Db, now, sql};
use crate::support::{App, PASSWORD, encode, send};

/// Recording the last use needs the write lock, which another process holds all the while.
#[rocket::async_test]
async fn reading_waits_for_no_writer() {
    // Whoever waits for the lock waits for longer than the test runs.
    const HOUR: &str = "3600";
    let app =
        App::with(&[("lock_timeout_seconds", HOUR), ("statement_timeout_seconds", HOUR)]).await;
    if let Db::Sqlite { writer, .. } = &app.db {
        sqlx::query("PRAGMA busy_timeout = 3600000").execute(writer).await.unwrap();
    }
    let ann = app.user("ann").await;
    let token = json!({"name": "x", "scopes": ["account"]});
    let token = ann.api().post("/me/tokens", token).await.json()["token"].clone();
    let program = app.nobody().with_token(token.as_str().unwrap());
    let stale =
        sql("UPDATE sessions SET last_used_at = $1").bind(now() - chrono::Duration::hours(1));
    stale.execute(app.db.writer()).await.unwrap();
    let url = app.database_url();
    // The lock is released only after all have been answered.
    let asked = async || {
        let answers = async {
            assert_eq!(ann.page().get("/me").await.status, 200);
            assert_eq!(ann.api().get("/me").await.status, 200);
            assert_eq!(program.api().get("/me").await.status, 200);
        };
        in_time(answers).await;
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

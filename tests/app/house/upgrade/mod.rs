//! A site that was filled on 21 November 2026 still has all its data after the current migrations.
//! tests/fixtures/README.md describes how the site was created and what it contains.

mod accounts;
mod background;
mod posts;

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;

use crate::support::internals::{BACKFILLS, Db, now};
use crate::support::{App, ORIGIN, PASSWORD, Response, SECRET, database};

const SQLITE: &str = include_str!("../../../fixtures/2026-11-21/sqlite.sql");
const POSTGRES: &str = include_str!("../../../fixtures/2026-11-21/postgres.sql");
const SECRETS: &str = include_str!("../../../fixtures/2026-11-21/secrets.json");

/// The old database, not migrated yet, and its secrets.
struct Old {
    url: String,
    secrets: Value,
    folder: TempDir,
}

impl Old {
    /// Loads the dump of the engine under test into a new database.
    async fn restore() -> Old {
        let folder = tempfile::tempdir().unwrap();
        let url = database::empty(folder.path()).await;
        let secrets: Value = serde_json::from_str(SECRETS).unwrap();
        // `App` signs and seals with this key, so it must be the one that the site had.
        assert_eq!(
            (&secrets["signing_key"], &secrets["password"]),
            (&json!(SECRET), &json!(PASSWORD))
        );
        let engine = if url.starts_with("sqlite:") {
            let file = format!("{url}?mode=rwc");
            fill(sqlx::SqliteConnection::connect(&file).await.unwrap(), SQLITE).await;
            "sqlite"
        } else {
            fill(sqlx::PgConnection::connect(&url).await.unwrap(), POSTGRES).await;
            "postgres"
        };
        Old { url, secrets: secrets[engine].clone(), folder }
    }

    /// Migrates the database and opens the site on it.
    async fn upgrade(&self) -> App {
        let db = Db::connect(&self.url, 2, Duration::from_secs(10)).await.unwrap();
        db.migrate(BACKFILLS).await.unwrap();
        db.close().await;
        App::on(&self.url).await
    }

    fn secret(&self, name: &str) -> &str {
        self.secrets[name].as_str().unwrap_or_else(|| panic!("no secret is called {name}"))
    }

    /// The current binary, configured to use this database.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postly"));
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("DATABASE_URL", &self.url)
            .env("POSTLY_SECRET_KEY", SECRET)
            .env("POSTLY_PUBLIC_URL", ORIGIN)
            .env("POSTLY_BCRYPT_COST", "4")
            .stdin(Stdio::null());
        command
    }
}

/// Loads the dump, then moves the expiry of what would have expired since, so that the tests do not
/// depend on the date. Both engines accept this format of timestamps.
async fn fill<C>(mut connection: C, dump: &'static str)
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    (&mut connection).execute(sqlx::raw_sql(dump)).await.unwrap();
    let now = now();
    let past = (now - chrono::Duration::minutes(1)).to_rfc3339();
    let future = (now + chrono::Duration::hours(1)).to_rfc3339();
    // Within the window of every limit that a test looks at.
    let soon = (now + chrono::Duration::minutes(4)).to_rfc3339();
    let moved = format!(
        "UPDATE sessions SET last_used_at = '{past}', expires_at = '{future}';
         UPDATE refresh_tokens SET created_at = '{past}';
         UPDATE api_tokens SET expires_at = '{future}';
         UPDATE link_tokens SET expires_at = '{future}';
         UPDATE login_challenges SET expires_at = '{future}';
         UPDATE throttles SET ends_at = '{soon}';
         UPDATE outbox SET next_attempt_at = '{past}';
         UPDATE two_factors SET last_step = 0;"
    );
    (&mut connection).execute(sqlx::raw_sql(AssertSqlSafe(moved))).await.unwrap();
    connection.close().await.unwrap();
}

async fn log_in(app: &App, form: Value) -> Response {
    app.nobody().api().post("/auth/login", form).await
}

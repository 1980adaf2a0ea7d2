//! Databases on the engine under test: empty ones, and copies of a prepared one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

use super::internals::{BACKFILLS, Db};

/// The engine in `POSTLY_TEST_ENGINE`.
pub fn is_postgres() -> bool {
    match std::env::var("POSTLY_TEST_ENGINE").as_deref() {
        Err(_) | Ok("sqlite") => false,
        Ok("postgres") => true,
        Ok(other) => panic!("POSTLY_TEST_ENGINE is sqlite or postgres, not {other}"),
    }
}

/// An empty database; SQLite's is a file in `folder`.
pub async fn empty(folder: &Path) -> String {
    if is_postgres() { create("template0").await } else { sqlite_url(folder) }
}

/// An empty PostgreSQL database.
pub async fn empty_postgres() -> String {
    create("template0").await
}

/// A database with the current schema. It is created once per process; each caller gets a copy.
pub async fn migrated(folder: &Path) -> String {
    static MIGRATED: OnceLock<Snapshot> = OnceLock::new();
    // On a separate thread: it must not depend on the runtime of the test that runs first.
    let prepare = || std::thread::spawn(|| super::binary::wait_for(prepare())).join().unwrap();
    MIGRATED.get_or_init(prepare).copy(folder).await
}

async fn prepare() -> Snapshot {
    let folder = tempfile::tempdir().unwrap();
    let url = empty(folder.path()).await;
    let db = Db::connect(&url, 2, Duration::from_secs(10)).await.unwrap();
    db.migrate(BACKFILLS).await.unwrap();
    db.close().await;
    Snapshot::of(&url)
}

/// The contents of a database, for making copies.
pub enum Snapshot {
    /// The bytes of the file.
    Sqlite(Vec<u8>),
    /// The name of a database that is no longer used.
    Postgres(String),
}

impl Snapshot {
    /// From a database whose connections are all closed, so that everything is in SQLite's file and
    /// PostgreSQL allows copying.
    pub fn of(url: &str) -> Snapshot {
        match url.strip_prefix("sqlite:") {
            Some(path) => Snapshot::Sqlite(std::fs::read(path).unwrap()),
            None => Snapshot::Postgres(url.rsplit_once('/').unwrap().1.to_owned()),
        }
    }

    pub async fn copy(&self, folder: &Path) -> String {
        match self {
            Snapshot::Sqlite(bytes) => {
                std::fs::write(sqlite_file(folder), bytes).unwrap();
                sqlite_url(folder)
            }
            Snapshot::Postgres(template) => create(template).await,
        }
    }
}

fn sqlite_file(folder: &Path) -> PathBuf {
    folder.join("postly.db")
}

fn sqlite_url(folder: &Path) -> String {
    format!("sqlite:{}", sqlite_file(folder).display())
}

/// Where the programs of PostgreSQL are that Debian does not put into the `PATH`.
pub fn postgres_programs() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}

/// The URL of the server under test; its database is not for tests.
fn server_url() -> String {
    std::env::var("POSTLY_TEST_DATABASE_URL").expect(
        "POSTLY_TEST_DATABASE_URL must name a PostgreSQL server for tests; ./test starts one",
    )
}

/// A name that no database has yet.
pub fn unused_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// The URL of a PostgreSQL database that does not exist.
pub fn unused() -> String {
    let server = server_url();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{}", unused_name())
}

/// Creates a PostgreSQL database. None is ever dropped: the whole server is discarded.
async fn create(template: &str) -> String {
    let (server, name) = (server_url(), unused_name());
    let mut connection = PgConnection::connect(&server).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {template}")))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    format!("{base}/{name}")
}

/// All rows of all tables as text, except what refusals may write: audit events and rate limits.
pub async fn contents(url: &str) -> BTreeMap<String, Vec<String>> {
    let mut contents = match url.strip_prefix("sqlite:") {
        Some(path) => sqlite_contents(path).await,
        None => postgres_contents(url).await,
    };
    // The sweep runs concurrently with requests.
    contents.get_mut("jobs").unwrap().retain(|job| !job.contains("sweep"));
    // SQLite's own counters, which the sweep also increments.
    contents.remove("sqlite_sequence");
    for table in ["audit_events", "audit_people", "audit_head", "throttles"] {
        assert!(contents.remove(table).is_some(), "there is no longer a table {table}");
    }
    contents
}

/// All rows of all tables of a SQLite file, as SQL literals.
pub async fn sqlite_contents(path: &str) -> BTreeMap<String, Vec<String>> {
    let mut connection = SqliteConnection::connect(path).await.unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let mut contents = BTreeMap::new();
    for table in tables {
        let columns = "SELECT group_concat('quote(\"' || name || '\")', ' || '', '' || ') \
             FROM pragma_table_info($1)";
        let columns: String =
            sqlx::query_scalar(columns).bind(&table).fetch_one(&mut connection).await.unwrap();
        let rows = AssertSqlSafe(format!("SELECT {columns} FROM \"{table}\" ORDER BY 1"));
        let rows = sqlx::query_scalar(rows).fetch_all(&mut connection).await.unwrap();
        contents.insert(table, rows);
    }
    contents
}

async fn postgres_contents(url: &str) -> BTreeMap<String, Vec<String>> {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut connection).await.unwrap();
    let mut contents = BTreeMap::new();
    for table in tables {
        let rows = AssertSqlSafe(format!("SELECT t::text FROM \"{table}\" t ORDER BY 1"));
        let rows = sqlx::query(rows).fetch_all(&mut connection).await.unwrap();
        contents.insert(table, rows.iter().map(|row| row.get(0)).collect());
    }
    contents
}

//! Compares the schema of a database with this version of Postly, without changing anything.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, FromRow};

use super::address::{describe, is_sqlite, postgres_options, sqlite_path, unreachable};
use super::files::companions;
use super::migrate::{Backfill, POSTGRES, SQLITE};
use crate::error::Fatal;

/// How the schema of a database compares with this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaState {
    /// There is no file, or nothing in the database.
    Missing,
    /// The SQLite file belongs to another program.
    Foreign,
    /// `postly migrate` would bring it up to date.
    Older,
    Current,
    /// A newer version of Postly has migrated it.
    Newer,
    /// It was migrated by a version of Postly whose migrations were different.
    Different,
}

/// A row of the table of sqlx.
#[derive(FromRow)]
struct Applied {
    version: i64,
    checksum: Vec<u8>,
    success: bool,
}

/// What a database says about its schema.
struct Found {
    applied: Vec<Applied>,
    /// The names of the backfills that have finished.
    backfills: BTreeSet<String>,
}

/// How long a PostgreSQL server may take to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Reads the state of the database at `url`. Creates and changes nothing. A PostgreSQL server that
/// is still starting is waited for, for `patience`.
///
/// # Errors
/// One sentence for the operator: it cannot be reached, or it is not a database.
pub async fn inspect(
    url: &str,
    backfills: &[Backfill],
    patience: Duration,
) -> Result<SchemaState, Fatal> {
    let found = if is_sqlite(url)? {
        let path = sqlite_path(url)?;
        if std::fs::metadata(&path).map_or(true, |file| file.is_file() && file.len() == 0) {
            return Ok(SchemaState::Missing);
        }
        let read = match sqlite(&path, !is_in_use(&path)).await {
            // Another process may just have started to use it.
            Err(_) if is_in_use(&path) => sqlite(&path, false).await,
            read => read,
        };
        match read.map_err(|e| unreadable(url, &e))? {
            Ok(found) => found,
            Err(state) => return Ok(state),
        }
    } else {
        match patiently(url, patience).await? {
            Some(found) => found,
            None => return Ok(SchemaState::Missing),
        }
    };
    let migrator = if is_sqlite(url)? { &SQLITE } else { &POSTGRES };
    Ok(compare(migrator, &found, backfills))
}

fn compare(
    migrator: &sqlx::migrate::Migrator,
    found: &Found,
    backfills: &[Backfill],
) -> SchemaState {
    let known: BTreeMap<i64, &[u8]> = migrator.iter().map(|m| (m.version, &*m.checksum)).collect();
    for applied in &found.applied {
        match known.get(&applied.version) {
            None => return SchemaState::Newer,
            Some(checksum) if **checksum != *applied.checksum => return SchemaState::Different,
            Some(_) => {}
        }
    }
    let applied = found.applied.iter().filter(|applied| applied.success).count();
    let is_filled = backfills.iter().all(|backfill| found.backfills.contains(backfill.name));
    if applied == 0 {
        SchemaState::Missing
    } else if applied == known.len() && is_filled {
        SchemaState::Current
    } else {
        SchemaState::Older
    }
}

/// Whether a process has the database open, or ended without closing it.
fn is_in_use(path: &Path) -> bool {
    let [_, log, _, journal, _] = companions(path);
    log.exists() || journal.exists()
}

/// The state instead, if there are no tables of ours. If nobody else uses the file, it must be
/// opened as `immutable`: locking it would create files beside it and leave them behind.
async fn sqlite(path: &Path, immutable: bool) -> sqlx::Result<Result<Found, SchemaState>> {
    let options = SqliteConnectOptions::new().filename(path).read_only(true).immutable(immutable);
    let mut connection = options.disable_statement_logging().connect().await?;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let tables: BTreeSet<String> =
        sqlx::query_scalar(tables).fetch_all(&mut connection).await?.into_iter().collect();
    if !tables.contains("_sqlx_migrations") {
        let is_empty = tables.is_empty();
        return Ok(Err(if is_empty { SchemaState::Missing } else { SchemaState::Foreign }));
    }
    let applied = sqlx::query_as(APPLIED).fetch_all(&mut connection).await?;
    let backfills = match tables.contains("backfills") {
        true => sqlx::query_scalar(BACKFILLS).fetch_all(&mut connection).await?,
        false => Vec::new(),
    };
    connection.close().await?;
    Ok(Ok(Found { applied, backfills: backfills.into_iter().collect() }))
}

const APPLIED: &str = "SELECT version, checksum, success FROM _sqlx_migrations";
const BACKFILLS: &str = "SELECT name FROM backfills";

/// Tries again while the server is starting.
async fn patiently(url: &str, patience: Duration) -> Result<Option<Found>, Fatal> {
    const PAUSE: Duration = Duration::from_millis(250);
    let options = postgres_options(url)?.disable_statement_logging();
    let end = Instant::now() + patience;
    let mut is_told = false;
    loop {
        let read = tokio::time::timeout(TIMEOUT, postgres(&options)).await;
        match read.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Err(e) if is_starting(&e) && Instant::now() < end => {
                if !is_told {
                    tracing::info!(error = %e, "waiting for PostgreSQL at {}", describe(url)?);
                    is_told = true;
                }
                tokio::time::sleep(PAUSE).await;
            }
            read => return read.map_err(|e| unreachable(url, &e)),
        }
    }
}

/// Whether the server may accept connections in a moment.
fn is_starting(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(e) => {
            matches!(e.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound)
        }
        sqlx::Error::Database(e) => e.code().is_some_and(|code| code == "57P03"),
        _ => false,
    }
}

async fn postgres(options: &PgConnectOptions) -> sqlx::Result<Option<Found>> {
    let mut connection = PgConnection::connect_with(options).await?;
    let found = tables(&mut connection).await?;
    // The answer is there; how the server takes the farewell does not matter.
    let _ = connection.close().await;
    Ok(found)
}

/// `None` if there are no tables of ours.
async fn tables(connection: &mut PgConnection) -> sqlx::Result<Option<Found>> {
    let exists = "SELECT to_regclass($1) IS NOT NULL";
    let has = |name: &'static str| sqlx::query_scalar::<_, bool>(exists).bind(name);
    if !has("_sqlx_migrations").fetch_one(&mut *connection).await? {
        return Ok(None);
    }
    let applied = sqlx::query_as(APPLIED).fetch_all(&mut *connection).await?;
    let backfills: Vec<String> = match has("backfills").fetch_one(&mut *connection).await? {
        true => sqlx::query_scalar(BACKFILLS).fetch_all(connection).await?,
        false => Vec::new(),
    };
    Ok(Some(Found { applied, backfills: backfills.into_iter().collect() }))
}

/// Why a SQLite file cannot be read.
fn unreadable(url: &str, error: &sqlx::Error) -> Fatal {
    let name = describe(url).unwrap_or_default();
    let code = error.as_database_error().and_then(|e| e.code()?.parse::<i32>().ok());
    Fatal(match code.map(|code| code & 0xff) {
        Some(26) => format!("{name} is not an SQLite database"),
        Some(11) => format!("the database {name} is damaged: {error}"),
        _ => format!("the database {name} cannot be read: {error}"),
    })
}

//! Compares the schema of a database with this version of Postly, without changing anything.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, FromRow};

use super::address::{absolute, describe, is_sqlite, postgres_options, sqlite_path, unreachable};
use super::files::companions;
use super::migrations::{Backfill, POSTGRES, SQLITE, UNFINISHED_MOVE};
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
    /// `postly move` has begun to fill it, and has not finished.
    Unfinished,
}

/// What a database says about its schema, compared with this version.
#[derive(Debug)]
pub struct Inspection {
    pub state: SchemaState,
    /// The number of the last migration that was applied; 0 when there is none.
    pub version: i64,
    /// What `migrate` would run, in its order.
    pub pending: Vec<PendingStep>,
}

/// A step of a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingStep {
    /// An SQL file: its number, and its name in words.
    Migration(i64, String),
    /// Code in Rust, by its name.
    Backfill(&'static str),
}

/// A row of the table of sqlx.
#[derive(FromRow)]
struct Applied {
    version: i64,
    checksum: Vec<u8>,
    success: bool,
}

/// The tables that record what was applied.
#[derive(Default)]
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
    Ok(examine(url, backfills, patience).await?.state)
}

/// `inspect`, with everything that it has found.
///
/// # Errors
/// As of `inspect`.
pub async fn examine(
    url: &str,
    backfills: &[Backfill],
    patience: Duration,
) -> Result<Inspection, Fatal> {
    if is_sqlite(url)? {
        return examine_file(&sqlite_path(url)?, backfills).await;
    }
    let found = patiently(url, patience).await?;
    let state = found.is_none().then_some(SchemaState::Missing);
    Ok(compare(&POSTGRES, &found.unwrap_or_default(), state, backfills))
}

/// `examine`, for a SQLite file.
///
/// # Errors
/// As of `inspect`.
pub(super) async fn examine_file(path: &Path, backfills: &[Backfill]) -> Result<Inspection, Fatal> {
    let is_empty = |file: std::fs::Metadata| file.is_file() && file.len() == 0;
    let found = if std::fs::metadata(path).map_or(true, is_empty) {
        Err(SchemaState::Missing)
    } else {
        let read = match sqlite(path, !is_in_use(path)).await {
            // Another process may just have started to use it.
            Err(_) if is_in_use(path) => sqlite(path, false).await,
            read => read,
        };
        read.map_err(|e| unreadable(path, &e))?
    };
    let state = found.as_ref().err().copied();
    Ok(compare(&SQLITE, &found.unwrap_or_default(), state, backfills))
}

/// `state` is given if there are no tables of ours.
fn compare(
    migrator: &sqlx::migrate::Migrator,
    found: &Found,
    state: Option<SchemaState>,
    backfills: &[Backfill],
) -> Inspection {
    let known: BTreeMap<i64, &[u8]> = migrator.iter().map(|m| (m.version, &*m.checksum)).collect();
    let pending = pending(migrator, found, backfills);
    let applied = found.applied.iter().filter(|applied| applied.success);
    let version = applied.map(|applied| applied.version).max().unwrap_or(0);
    let unknown = found.applied.iter().find_map(|applied| match known.get(&applied.version) {
        None if applied.version == UNFINISHED_MOVE => Some(SchemaState::Unfinished),
        None => Some(SchemaState::Newer),
        Some(checksum) if **checksum != *applied.checksum => Some(SchemaState::Different),
        Some(_) => None,
    });
    let state = state.or(unknown).unwrap_or(match pending.is_empty() {
        _ if version == 0 => SchemaState::Missing,
        true => SchemaState::Current,
        false => SchemaState::Older,
    });
    Inspection { state, version, pending }
}

/// The steps in the order of `Db::migrate`.
fn pending(
    migrator: &sqlx::migrate::Migrator,
    found: &Found,
    backfills: &[Backfill],
) -> Vec<PendingStep> {
    let is_applied = |version| found.applied.iter().any(|a| a.success && a.version == version);
    let migrations = migrator.iter().filter(|m| !is_applied(m.version)).map(|m| {
        let step = PendingStep::Migration(m.version, m.description.to_string());
        ((m.version, false), step)
    });
    let backfills = backfills.iter().filter(|b| !found.backfills.contains(b.name));
    let backfills = backfills.map(|b| ((b.after, true), PendingStep::Backfill(b.name)));
    let mut steps: Vec<_> = migrations.chain(backfills).collect();
    steps.sort_by_key(|(order, _)| *order);
    steps.into_iter().map(|(_, step)| step).collect()
}

/// Whether a process has the database open, or ended without closing it.
pub(super) fn is_in_use(path: &Path) -> bool {
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
fn unreadable(path: &Path, error: &sqlx::Error) -> Fatal {
    let name = absolute(path);
    let code = error.as_database_error().and_then(|e| e.code()?.parse::<i32>().ok());
    Fatal(match code.map(|code| code & 0xff) {
        Some(26) => format!("{name} is not an SQLite database"),
        Some(11) => format!("the database {name} is damaged: {error}"),
        _ => format!("the database {name} cannot be read: {error}"),
    })
}

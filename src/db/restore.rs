//! Puts a copy of a SQLite database in the place of the current one.

use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions, Connection};

use super::address::{absolute, is_sqlite, postgres_flags, sqlite_path};
use super::backup::{Duplicate, marker, verify};
use super::connect::lock_file;
use super::exclusive::{Exclusive, lock_exclusively};
use super::files::{beside, create_private_folder, make_private};
use super::inspect::{SchemaState, examine_file, is_in_use};
use super::migrations::Backfill;
use super::value::now;
use crate::error::Fatal;

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// Whether the copy has to be migrated, as `serve` does.
    pub is_older: bool,
    /// Where the database is that was replaced, if there was one.
    pub replaced: Option<PathBuf>,
}

/// Verifies the copy in `file` and puts it in the place of the database at `url`, at once. The
/// database that it replaces stays beside it.
///
/// # Errors
/// One sentence for the operator, with nothing changed: the copy is damaged, or not one that this
/// version can use; a process uses the database; it is on PostgreSQL.
pub async fn restore(url: &str, file: &Path, backfills: &[Backfill]) -> Result<Restored, Fatal> {
    if !is_sqlite(url)? {
        let (flags, _) = postgres_flags(url)?;
        return Err(Fatal(format!(
            "on PostgreSQL, use pg_restore, into a new database that DATABASE_URL names afterwards: \
             createdb {flags} NEW && pg_restore --exit-on-error --single-transaction --no-owner \
             {flags} --dbname=NEW copy.dump"
        )));
    }
    let database = sqlite_path(url)?;
    let is_older = check(file, &database, backfills).await?;
    let unusable =
        |e: &dyn std::fmt::Display| Fatal(format!("{} cannot be used: {e}", absolute(&database)));
    let whole = std::path::absolute(&database).map_err(|e| unusable(&e))?;
    let folder = whole.parent().unwrap_or(Path::new("/"));
    create_private_folder(folder).map_err(|e| unusable(&e))?;
    // No instance can start in the meantime.
    let _held = lock_file(&database).await?;
    refuse_if_in_use(&database)?;
    let duplicate = duplicate(file, folder).await?;
    let replaced = replace(&database, duplicate).await?;
    // It told of copies of the database that was replaced.
    let _ = std::fs::remove_file(marker(&database));
    Ok(Restored { is_older, replaced })
}

/// Whether the copy is older than this version.
///
/// # Errors
/// When this version cannot use it.
async fn check(file: &Path, database: &Path, backfills: &[Backfill]) -> Result<bool, Fatal> {
    let name = file.display();
    let identity = |path: &Path| path.metadata().ok().map(|file| (file.dev(), file.ino()));
    if !file.is_file() {
        return Err(Fatal(format!("there is no file {name}")));
    }
    if identity(file) == identity(database) {
        return Err(Fatal(format!("{name} is the database itself, not a copy of it")));
    }
    let state = examine_file(file, backfills).await?.state;
    Err(Fatal(match state {
        SchemaState::Current => return Ok(false),
        SchemaState::Older => return Ok(true),
        SchemaState::Missing => format!("{name} is empty"),
        SchemaState::Foreign => {
            format!("{name} belongs to another program: it has no tables of Postly")
        }
        SchemaState::Newer => format!(
            "{name} was made by another version of Postly, which is newer: restore it with that \
             version"
        ),
        SchemaState::Different => format!(
            "{name} was made by another version of Postly: its migrations differ from those of \
             this version"
        ),
        SchemaState::Unfinished => {
            format!("{name} was not filled completely: `postly move` did not finish")
        }
    }))
}

/// A copy of the copy, beside the database: `file` may be on another disk, and stays as it is.
async fn duplicate(file: &Path, folder: &Path) -> Result<Duplicate, Fatal> {
    let failed = |e: sqlx::Error| {
        let code = e.as_database_error().and_then(|e| e.code()?.parse::<i32>().ok());
        let is_full = matches!(&e, sqlx::Error::Io(e)
            if matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded));
        let name = file.display();
        Fatal(match code.map(|code| code & 0xff) {
            Some(11 | 26) => format!("{name} is damaged, so it was not restored: {e}"),
            Some(13) => format!("{name} was not restored: the disk is full"),
            Some(10) => format!("{name} was not restored; is the disk full? ({e})"),
            _ if is_full => format!("{name} was not restored: the disk is full"),
            _ => format!("{name} was not restored: {e}"),
        })
    };
    // As `immutable` if nobody uses it: locking it would leave files beside it.
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    let options = options.immutable(!is_in_use(file)).disable_statement_logging();
    let mut original = options.connect().await.map_err(failed)?;
    if let Some(fault) = verify(&mut original).await.map_err(failed)? {
        // Some of SQLite's complaints have several lines.
        let (name, fault) = (file.display(), fault.lines().collect::<Vec<_>>().join(" "));
        return Err(Fatal(format!("{name} is damaged, so it was not restored: {fault}")));
    }
    Duplicate::of(original, folder).await.map_err(failed)
}

/// Whether there is a database. While the value is kept, no other process can use it.
///
/// # Errors
/// When another process has it open.
fn refuse_if_in_use(database: &Path) -> Result<Exclusive, Fatal> {
    match lock_exclusively(database)? {
        Exclusive::Elsewhere => Err(Fatal(format!(
            "a running Postly, or another program, uses the database {}: stop it first",
            absolute(database)
        ))),
        other => Ok(other),
    }
}

/// Returns where the old database is now.
async fn replace(database: &Path, duplicate: Duplicate) -> Result<Option<PathBuf>, Fatal> {
    finish_log(database).await;
    let locked = refuse_if_in_use(database)?;
    let name = absolute(database);
    let failed = |e: std::io::Error| Fatal(format!("the database {name} cannot be replaced: {e}"));
    let kept = unused_name(database);
    // Without the database, or if it is damaged, there may be a log, which must not be applied to
    // the copy. With these names, it still belongs to the old database.
    for suffix in ["-wal", "-shm", "-journal"] {
        match std::fs::rename(beside(database, suffix), beside(&kept, suffix)) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(failed(e)),
            _ => {}
        }
    }
    let is_there = matches!(locked, Exclusive::Held(_));
    if is_there {
        // A second name, so that there is a database at any time; some file systems have none.
        match std::fs::hard_link(database, &kept) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Err(failed(e)),
            Err(_) => std::fs::rename(database, &kept).map_err(failed)?,
            Ok(()) => {}
        }
        make_private(&kept);
    }
    duplicate.file.persist(database).map_err(|e| failed(e.error))?;
    let folder = kept.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).and_then(|f| f.sync_all()).map_err(failed)?;
    Ok(is_there.then_some(kept))
}

/// A name for the database that is replaced; two may be in the same second.
fn unused_name(database: &Path) -> PathBuf {
    let suffix = format!(".replaced-{}", now().format("%Y%m%dT%H%M%SZ"));
    let mut name = beside(database, &suffix);
    let mut number = 1;
    while name.symlink_metadata().is_ok() {
        number += 1;
        name = beside(database, &format!("{suffix}-{number}"));
    }
    name
}

/// Moves what a process that was killed has left in the write-ahead log into the database, and
/// removes the log. A damaged database stays as it is.
async fn finish_log(database: &Path) {
    if !is_in_use(database) || !database.exists() {
        return;
    }
    let options = SqliteConnectOptions::new()
        .filename(database)
        .journal_mode(SqliteJournalMode::Delete)
        .busy_timeout(Duration::ZERO)
        .disable_statement_logging();
    let finished = async {
        let mut connection = options.connect().await?;
        sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&mut connection).await?;
        connection.close().await
    };
    if let Err(error) = finished.await {
        tracing::warn!(%error, "the log of the database that is replaced cannot be applied to it");
    }
}

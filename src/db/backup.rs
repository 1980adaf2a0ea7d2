//! Backup of the SQLite database while the site is running.

use std::fs::File;
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use tempfile::{NamedTempFile, TempDir};

use super::address::{describe, is_sqlite, postgres_flags, sqlite_path};
use super::connection::Db;
use super::files::beside;
use super::value::now;
use crate::error::Fatal;

/// Copies the database at `url` to `file`, which must not exist yet. The copy contains every write
/// acknowledged before the call, does not block writers, and is readable only by its owner. When
/// this returns, it has been verified and synced to disk. The schema is not migrated, so that a new
/// version can be tried after a backup of the old one.
///
/// # Errors
/// One sentence for the operator; `file` is not created.
pub async fn backup(url: &str, file: &Path) -> Result<(), Fatal> {
    if !is_sqlite(url)? {
        let (flags, database) = postgres_flags(url)?;
        return Err(Fatal(format!(
            "on PostgreSQL, use pg_dump, which works while the site is running: (umask 077; pg_dump \
             --format=custom --file=copy.dump {flags} {database})"
        )));
    }
    let source = sqlite_path(url)?;
    let name = describe(url)?;
    if !source.is_file() {
        return Err(Fatal(format!("there is no database at {name}")));
    }
    copy(&source, file).await.map_err(|e| refusal(&name, file, &e))?;
    // For admins, who are told when there is none. The copy is what counts.
    let _ = std::fs::write(marker(&source), now().to_rfc3339());
    Ok(())
}

/// The file beside the database that says when it was last copied.
pub(super) fn marker(database: &Path) -> PathBuf {
    beside(database, "-last-backup")
}

impl Db {
    /// When `backup` last copied this database; `None` on PostgreSQL, which has tools of its own.
    pub fn last_backup(&self) -> Option<Option<DateTime<Utc>>> {
        let Db::Sqlite { writer, .. } = self else { return None };
        let text = std::fs::read_to_string(marker(writer.connect_options().get_filename()));
        let at = text.ok().and_then(|text| DateTime::parse_from_rfc3339(text.trim()).ok());
        Some(at.map(|at| at.to_utc()))
    }
}

/// Why there is no copy, in words for the operator.
pub(super) fn refusal(source: &str, file: &Path, error: &sqlx::Error) -> Fatal {
    let target = file.display();
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.display().to_string(),
        _ => "this folder".to_owned(),
    };
    if let sqlx::Error::Io(e) = error {
        return Fatal(match e.kind() {
            ErrorKind::AlreadyExists => {
                format!("{target} exists already, and a backup overwrites nothing")
            }
            ErrorKind::NotFound => {
                format!("{target} cannot be created: there is no folder {folder}")
            }
            ErrorKind::NotADirectory => {
                format!("{target} cannot be created: {folder} is not a folder")
            }
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                format!("{target} cannot be created: this user cannot write to {folder}")
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                format!("{target} cannot be created: the disk is full")
            }
            _ => format!("{source} cannot be copied to {target}: {e}"),
        });
    }
    let code = error.as_database_error().and_then(|e| e.code()?.parse::<i32>().ok());
    Fatal(match code.map(|code| code & 0xff) {
        Some(11) => format!("the database {source} is damaged, so there is no backup: {error}"),
        Some(13) => format!("{target} cannot be created: the disk is full"),
        Some(10) => format!("{target} cannot be written; is the disk full? ({error})"),
        Some(26) => format!("{source} is not an SQLite database"),
        _ => format!("{source} cannot be copied to {target}: {error}"),
    })
}

/// Copies a database to a new file, and verifies the copy.
pub(super) async fn copy(source: &Path, file: &Path) -> Result<(), sqlx::Error> {
    // Absolute, since SQLite would parse a name that begins with "file:" as a URI.
    let file = std::path::absolute(file)?;
    if file.symlink_metadata().is_ok() {
        return Err(IoError::from(ErrorKind::AlreadyExists).into());
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    let duplicate = Duplicate::of(open(source).await?, folder).await?;
    duplicate.file.persist_noclobber(&file).map_err(|e| e.error)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// A verified copy under a temporary name, synced to disk. Renamed, it is complete.
pub(super) struct Duplicate {
    pub file: NamedTempFile,
    // The folder of the file, with which whatever SQLite leaves there disappears if the disk is full.
    _scratch: TempDir,
}

impl Duplicate {
    /// Copies the database of a connection to a file below an absolute `folder`.
    pub async fn of(
        mut original: SqliteConnection,
        folder: &Path,
    ) -> Result<Duplicate, sqlx::Error> {
        let scratch = tempfile::Builder::new().prefix(".postly-backup-").tempdir_in(folder)?;
        let file = tempfile::Builder::new()
            .permissions(std::fs::Permissions::from_mode(0o600))
            .tempfile_in(scratch.path())?;
        let name = file.path().to_str().ok_or_else(|| IoError::other("its name is not UTF-8"))?;
        // One read transaction: a consistent snapshot.
        sqlx::query("VACUUM INTO $1").bind(name).execute(&mut original).await?;
        original.close().await?;

        let mut copy = open(file.path()).await?;
        let verdict = verify(&mut copy).await?;
        copy.close().await?;
        if let Some(fault) = verdict {
            return Err(IoError::other(format!("the copy is damaged: {fault}")).into());
        }
        // SQLite does not sync the file here.
        file.as_file().sync_all()?;
        Ok(Duplicate { file, _scratch: scratch })
    }
}

/// What is wrong with a SQLite database.
pub(super) async fn verify(
    connection: &mut SqliteConnection,
) -> Result<Option<String>, sqlx::Error> {
    let (verdict,): (String,) =
        sqlx::query_as("PRAGMA integrity_check(1)").fetch_one(connection).await?;
    Ok((verdict != "ok").then_some(verdict))
}

async fn open(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    options.disable_statement_logging().connect().await
}

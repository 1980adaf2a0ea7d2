//! A copy of the SQLite file, taken while the site serves.

use std::fs::File;
use std::io::{Error as IoError, ErrorKind};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::connect::{is_sqlite, sqlite_path};
use crate::error::Fatal;

/// Copies the database at `url` to `file`, which must not exist yet: everything acknowledged before
/// the call is in it, and writers go on meanwhile. The copy is readable by its owner alone; it has
/// been checked and is on the disk when this returns. The schema stays as it is, so that a new
/// version can be tried after a copy of the old one.
///
/// # Errors
/// One sentence for the operator; then `file` was not created.
pub async fn backup(url: &str, file: &Path) -> Result<(), Fatal> {
    if !is_sqlite(url)? {
        return Err(Fatal::new(
            "on PostgreSQL, use PostgreSQL's own pg_dump: it copies while the site serves",
        ));
    }
    let source = sqlite_path(url)?;
    copy(&source, file).await.map_err(|e| {
        let (source, file) = (source.display(), file.display());
        Fatal(format!("{source} cannot be copied to {file}: {e}"))
    })
}

async fn copy(source: &Path, file: &Path) -> Result<(), sqlx::Error> {
    // Absolute, since SQLite would take a name that begins with "file:" apart.
    let file = std::path::absolute(file)?;
    if file.symlink_metadata().is_ok() {
        return Err(IoError::from(ErrorKind::AlreadyExists).into());
    }
    let folder = file.parent().unwrap_or(Path::new("/"));
    // Written to a temporary file and renamed, so that whatever has the name is complete.
    let temporary = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    let name = temporary.path().to_str().ok_or_else(|| IoError::other("its name is not UTF-8"))?;

    let mut original = open(source).await?;
    // One read transaction: a state of the database between two writes.
    sqlx::query("VACUUM INTO $1").bind(name).execute(&mut original).await?;
    original.close().await?;

    let mut duplicate = open(temporary.path()).await?;
    let (verdict,): (String,) =
        sqlx::query_as("PRAGMA integrity_check(1)").fetch_one(&mut duplicate).await?;
    duplicate.close().await?;
    if verdict != "ok" {
        return Err(IoError::other(format!("the copy is damaged: {verdict}")).into());
    }

    // SQLite does not wait for the disk here.
    temporary.as_file().sync_all()?;
    temporary.persist_noclobber(&file).map_err(|e| e.error)?;
    File::open(folder)?.sync_all()?;
    Ok(())
}

async fn open(file: &Path) -> Result<SqliteConnection, sqlx::Error> {
    SqliteConnectOptions::new().filename(file).read_only(true).connect().await
}

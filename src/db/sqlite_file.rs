//! The SQLite file that is open: whether it is still the one at its path. A process goes on writing
//! to a file that was deleted or replaced, and those writes are lost.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::time::sleep;

use super::files::beside;
use super::health::{Health, PROBE_INTERVAL, Readiness};
use crate::error::{Error, Fault, FaultKind, Result};

/// Device and inode.
type Identity = (u64, u64);

/// The database and its companions as they were opened, by path. They are empty until the writer
/// has connected.
#[derive(Clone)]
pub struct OpenFiles(Arc<Mutex<Vec<(PathBuf, Identity)>>>);

impl OpenFiles {
    pub fn new() -> OpenFiles {
        OpenFiles(Arc::default())
    }

    /// For the pool of the writer: notes which files its connection uses, unless the database is
    /// another one than before.
    pub async fn note(self, path: PathBuf, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        // Opens the write-ahead log.
        sqlx::query("SELECT count(*) FROM sqlite_schema").execute(connection).await?;
        self.check_database()?;
        let mut found = Vec::new();
        for file in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
            let identity = identity(&file)?;
            found.push((file, identity));
        }
        if let Ok(mut files) = self.0.lock() {
            *files = found;
        }
        Ok(())
    }

    /// For the pool of the readers: no reader opens another database than the writer's.
    pub fn check_database(&self) -> sqlx::Result<()> {
        let database = self.0.lock().ok().and_then(|files| files.first().cloned());
        match database {
            Some(database) if !is_still_there(&database) => Err(missing(&database.0).into()),
            _ => Ok(()),
        }
    }

    fn check(&self) -> std::io::Result<()> {
        let Ok(files) = self.0.lock() else { return Ok(()) };
        match files.iter().find(|file| !is_still_there(file)) {
            Some((path, _)) => Err(missing(path)),
            None => Ok(()),
        }
    }
}

fn identity(path: &Path) -> std::io::Result<Identity> {
    path.metadata().map(|file| (file.dev(), file.ino()))
}

fn is_still_there((path, opened): &(PathBuf, Identity)) -> bool {
    identity(path).is_ok_and(|found| found == *opened)
}

fn missing(path: &Path) -> std::io::Error {
    let words = match path.exists() {
        true => "was replaced by another file; restart Postly to use that one",
        false => "was deleted or moved",
    };
    std::io::Error::other(format!("{} {words}", path.display()))
}

/// Lets no write be acknowledged that is lost, and keeps the state of the database.
#[derive(Clone)]
pub struct SqliteGuard {
    writer: SqlitePool,
    files: OpenFiles,
    health: Health,
}

impl SqliteGuard {
    pub fn new(writer: SqlitePool, files: OpenFiles, health: Health) -> SqliteGuard {
        SqliteGuard { writer, files, health }
    }

    /// Runs `work`, which writes, between two checks of the files.
    ///
    /// # Errors
    /// Those of `work`; `Unserved` when the files are gone, before or after it.
    pub async fn write<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.check()?;
        let result = self.observe(work).await?;
        self.check()?;
        Ok(result)
    }

    /// Runs `work`, and remembers what its failure says about the database.
    pub async fn observe<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        work.await.map_err(|error| match error {
            Error::Unserved(fault) => self.record(fault),
            error => error,
        })
    }

    /// # Errors
    /// `Unserved` when the database was deleted or replaced.
    pub fn check(&self) -> Result<()> {
        let missing = |e: std::io::Error| self.record(Fault::new(FaultKind::Gone, e.to_string()));
        self.files.check().map_err(missing)
    }

    fn record(&self, mut fault: Fault) -> Error {
        let concerns_all =
            matches!(fault.kind, FaultKind::Gone | FaultKind::Full | FaultKind::ReadOnly);
        if concerns_all && !self.writer.is_closed() && self.health.record(&mut fault) {
            tokio::spawn(self.clone().until_over(fault.kind));
        }
        fault.into()
    }

    async fn until_over(self, kind: FaultKind) {
        while self.health.outage() == Some(kind) && !self.writer.is_closed() {
            sleep(PROBE_INTERVAL).await;
            let is_over = match kind {
                FaultKind::Gone => self.files.check().is_ok(),
                // Writes the first page.
                _ => sqlx::query("PRAGMA user_version = 0").execute(&self.writer).await.is_ok(),
            };
            if is_over && self.health.is_calm() {
                self.health.end(kind);
            }
        }
    }

    pub fn readiness(&self) -> Readiness {
        let _ = self.check();
        self.health.readiness()
    }
}

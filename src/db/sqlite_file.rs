//! The SQLite file that is open: whether it is still the one at its path. A process goes on writing
//! to a file that was deleted or replaced, and those writes are lost.

use std::fs::File;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustix::fs::{Access, access};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use tokio::time::sleep;

use super::deadline::Deadline;
use super::files::beside;
use super::health::{Health, PROBE_INTERVAL, Readiness};
use crate::error::{Error, Fault, FaultKind, Result};

/// Device and inode.
type Identity = (u64, u64);

/// The database and its companions as they were opened. They are empty until the writer has
/// connected.
#[derive(Clone, Default)]
pub struct OpenFiles(Arc<Mutex<Opened>>);

#[derive(Default)]
struct Opened {
    /// By path; the database comes first.
    files: Vec<(PathBuf, Identity)>,
    header: Option<Header>,
}

/// The beginning of the database, which shows that another file was copied over it: that keeps the
/// inode.
struct Header {
    /// Kept open as long as the database is used: when a process closes a file, it loses all its
    /// locks on it, including those of SQLite.
    file: File,
    /// How often the file was changed. Only transactions of SQLite change it, and only upwards.
    changes: Option<u32>,
}

impl Header {
    fn open(path: &Path) -> std::io::Result<Header> {
        let file = File::open(path)?;
        let changes = read_changes(&file)?;
        Ok(Header { file, changes })
    }

    /// Whether the file still begins as one that SQLite alone has changed.
    fn is_intact(&mut self) -> std::io::Result<bool> {
        let found = read_changes(&self.file)?;
        let is_intact = match (self.changes, found) {
            // A new database may still be in the write-ahead log alone.
            (None, _) => true,
            (Some(_), None) => false,
            // The counter starts again after 2³².
            (Some(before), Some(found)) => found.wrapping_sub(before) < u32::MAX / 2,
        };
        if is_intact {
            self.changes = found;
        }
        Ok(is_intact)
    }
}

/// The file change counter of the database header, <https://www.sqlite.org/fileformat2.html>; none
/// if there is no such header.
fn read_changes(file: &File) -> std::io::Result<Option<u32>> {
    let mut header = [0; 28];
    match file.read_exact_at(&mut header, 0) {
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let counter = header.last_chunk().filter(|_| header.starts_with(b"SQLite format 3\0"));
    Ok(counter.map(|bytes| u32::from_be_bytes(*bytes)))
}

impl OpenFiles {
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
        if let Ok(mut opened) = self.0.lock() {
            opened.files = found;
            if opened.header.is_none() {
                opened.header = Some(Header::open(&path)?);
            }
        }
        Ok(())
    }

    /// For the pool of the readers: no reader opens another database than the writer's.
    pub fn check_database(&self) -> sqlx::Result<()> {
        let database = self.0.lock().ok().and_then(|opened| opened.files.first().cloned());
        match database {
            Some(database) if !is_still_there(&database) => Err(missing(&database.0).into()),
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<(), Fault> {
        let gone = |e: std::io::Error| Fault::new(FaultKind::Gone, e.to_string());
        let Ok(mut opened) = self.0.lock() else { return Ok(()) };
        if let Some((path, _)) = opened.files.iter().find(|file| !is_still_there(file)) {
            return Err(gone(missing(path)));
        }
        for (path, _) in &opened.files {
            if let Err(error) = access(path, Access::WRITE_OK) {
                let words = format!("{} cannot be written: {error}", path.display());
                return Err(Fault::new(FaultKind::ReadOnly, words));
            }
        }
        match opened.header.as_mut().map_or(Ok(true), Header::is_intact).map_err(gone)? {
            true => Ok(()),
            false => Err(Fault::new(FaultKind::Damaged, "the file was overwritten")),
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
    deadline: Deadline,
    health: Health,
}

impl SqliteGuard {
    pub fn new(
        writer: SqlitePool,
        files: OpenFiles,
        deadline: Deadline,
        health: Health,
    ) -> SqliteGuard {
        SqliteGuard { writer, files, deadline, health }
    }

    /// The time limit of the connection that writes.
    pub fn deadline(&self) -> &Deadline {
        &self.deadline
    }

    /// The files that are open.
    pub fn files(&self) -> OpenFiles {
        self.files.clone()
    }

    /// Runs `work`, which writes, between two checks of the files.
    ///
    /// # Errors
    /// Those of `work`; `Unserved` when the files are gone or damaged, before or after it.
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
    /// `Unserved` when the database was deleted, replaced or made read-only, or is damaged.
    pub fn check(&self) -> Result<()> {
        if self.health.outage() == Some(FaultKind::Damaged) {
            return Err(self.record(Fault::new(FaultKind::Damaged, "the database is damaged")));
        }
        self.files.check().map_err(|fault| self.record(fault))
    }

    fn record(&self, mut fault: Fault) -> Error {
        let concerns_all = !matches!(fault.kind, FaultKind::Busy | FaultKind::Aborted);
        if concerns_all && !self.writer.is_closed() && self.health.record(&mut fault) {
            // A damaged file needs the operator, who restarts Postly.
            if fault.kind != FaultKind::Damaged {
                tokio::spawn(self.clone().until_over(fault.kind));
            }
        }
        fault.into()
    }

    async fn until_over(self, kind: FaultKind) {
        while self.health.outage() == Some(kind) && !self.writer.is_closed() {
            sleep(PROBE_INTERVAL).await;
            let mut is_over = self.files.check().is_ok();
            if is_over && kind != FaultKind::Gone {
                // Writes the first page.
                let probe = sqlx::query("PRAGMA user_version = 0");
                is_over = probe.execute(&self.writer).await.is_ok();
            }
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

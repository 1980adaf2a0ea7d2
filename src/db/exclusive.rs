//! Whether another process has a SQLite file open.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::path::Path;

use rustix::fs::{FlockOperation, fcntl_lock};
use rustix::io::Errno;

use super::address::absolute;
use crate::error::Fatal;

/// The result of `lock_exclusively`.
#[derive(Debug)]
pub enum Exclusive {
    Missing,
    /// Nobody else has it open, or can open it, until this process closes the file, by whatever
    /// descriptor.
    Held(#[allow(dead_code, reason = "the lock lasts as long as it")] File),
    /// Another process has it open.
    Elsewhere,
}

/// Every connection to a database with a write-ahead log holds a shared lock on its file, even one
/// that is idle. A lock that excludes all of them tells whether there is any, and keeps others out.
/// This process itself must not have it open.
///
/// # Errors
/// One sentence for the operator: the file cannot be opened.
pub fn lock_exclusively(database: &Path) -> Result<Exclusive, Fatal> {
    let unusable =
        |e: &dyn std::fmt::Display| Fatal(format!("{} cannot be used: {e}", absolute(database)));
    let file = match OpenOptions::new().read(true).write(true).open(database) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Exclusive::Missing),
        opened => opened.map_err(|e| unusable(&e))?,
    };
    match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Exclusive::Held(file)),
        Err(Errno::AGAIN | Errno::ACCESS) => Ok(Exclusive::Elsewhere),
        Err(e) => Err(unusable(&e)),
    }
}

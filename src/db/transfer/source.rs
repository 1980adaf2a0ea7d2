//! The source of a move, which is only read.

use std::fs::File;

use super::store::{Opening, Store};
use crate::db::address::{describe, is_sqlite, sqlite_path};
use crate::db::connect::lock_file;
use crate::db::exclusive::{Exclusive, lock_exclusively};
use crate::db::inspect::is_in_use;
use crate::error::Fatal;

pub struct MoveSource {
    pub store: Store,
    /// Keeps servers from starting in the meantime, on SQLite.
    _held: Option<File>,
}

impl MoveSource {
    /// `refuse_running` must have been asked before, unless `is_online`.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn open(url: &str, is_online: bool) -> Result<MoveSource, Fatal> {
        if is_online || !is_sqlite(url)? {
            return Ok(MoveSource {
                store: Store::open(url, Opening::Reading).await?,
                _held: None,
            });
        }
        let path = sqlite_path(url)?;
        let held = lock_file(&path).await?;
        // Again, now that nobody can begin to use it.
        refuse_running(url).await?;
        let opening = if is_in_use(&path) { Opening::Reading } else { Opening::ReadingAlone };
        Ok(MoveSource { store: Store::open(url, opening).await?, _held: Some(held) })
    }
}

/// # Errors
/// One sentence for the operator, when a server uses the database. This process must not have it
/// open.
pub async fn refuse_running(url: &str) -> Result<(), Fatal> {
    let name = describe(url)?;
    let is_running = if is_sqlite(url)? {
        matches!(lock_exclusively(&sqlite_path(url)?)?, Exclusive::Elsewhere)
    } else {
        // `Db` names its connections so. Each role may see the names of the others' connections.
        let instances = "SELECT count(*) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'postly-%'";
        let mut store = Store::open(url, Opening::Reading).await?;
        let count = store.number(instances).await?;
        store.close().await;
        count > 0
    };
    match is_running {
        true => Err(Fatal(format!(
            "a running Postly uses the database {name}, and what it writes from now on would not \
             be moved: stop it first, or try a move with --online"
        ))),
        false => Ok(()),
    }
}

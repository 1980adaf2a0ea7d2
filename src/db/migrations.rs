//! Migrations: SQL files for each engine, and code for the backfills that SQL cannot do on both.

use std::pin::Pin;

use sqlx::migrate::Migrator;

use super::connection::Tx;
use crate::error::Result;

/// A migration step in Rust, for values that SQL alone cannot compute.
#[derive(Clone, Copy)]
pub struct Backfill {
    /// Recorded in the database when it has finished, so that it does not run again.
    pub name: &'static str,
    /// The number of the SQL migration after which it runs: at least 7, which creates the table
    /// `backfills`. Later SQL migrations can rely on its results.
    pub after: i64,
    /// Processes one batch of rows, in its own transaction.
    pub run: for<'t> fn(&'t mut Tx) -> Running<'t>,
}

/// The future of a batch.
pub type Running<'t> = Pin<Box<dyn Future<Output = Result<Step>> + Send + 't>>;

/// The outcome of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Rows may be left; run another batch.
    Continue,
    Finished,
}

/// While `postly move` fills a database, it has a migration of this number, which no release
/// knows: none serves it.
pub(super) const UNFINISHED_MOVE: i64 = 9_000_000_000;

/// The SQL files, embedded at compile time.
pub(super) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

//! The connection pool of either engine, and transactions.

use std::time::Duration;

use sqlx::Transaction;
use sqlx::postgres::{PgPool, Postgres};
use sqlx::sqlite::SqlitePool;
use tokio::time::timeout;

use super::circuit_breaker::CircuitBreaker;
use super::deferred::Deferred;
use super::fence::fence;
use super::freshness::{Freshness, Write};
use super::group_commit::{GroupCommit, SqliteTx};
use super::health::{Health, Readiness};
use super::sqlite_file::SqliteGuard;
use crate::error::{Error, Fault, FaultKind, Result};

/// The connection pool. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// SQLite allows one writer at a time: one connection writes, the others only read.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
        guard: SqliteGuard,
        commits: GroupCommit,
        common: Common,
    },
    Postgres {
        pool: PgPool,
        breaker: CircuitBreaker,
        /// How long to wait for the answer to a statement.
        patience: Option<Duration>,
        common: Common,
    },
}

/// What both engines have.
#[derive(Clone, Default)]
pub struct Common {
    pub health: Health,
    pub deferred: Deferred,
    pub(super) content: Freshness,
}

/// A transaction; rolled back unless committed.
pub enum Tx {
    Sqlite(SqliteTx),
    Postgres {
        tx: Transaction<'static, Postgres>,
        breaker: CircuitBreaker,
        patience: Option<Duration>,
        content: Freshness,
        /// Whether all statements so far have succeeded. Otherwise PostgreSQL answers COMMIT with a
        /// rollback, which is no error to it.
        is_intact: bool,
    },
}

/// Where a query runs: `&db` reads, `db.writer()` writes, `&mut tx` does either.
pub enum Conn<'c> {
    Reader(&'c Db),
    Writer(&'c Db),
    Tx(&'c mut Tx),
}

impl<'c> From<&'c Db> for Conn<'c> {
    fn from(db: &'c Db) -> Self {
        Conn::Reader(db)
    }
}

impl<'c> From<&'c mut Tx> for Conn<'c> {
    fn from(tx: &'c mut Tx) -> Self {
        Conn::Tx(tx)
    }
}

impl Conn<'_> {
    /// Begins a write, which ends when the value is dropped; in a transaction, its commit does so.
    pub(super) fn begin_write(&self) -> Option<Write> {
        match self {
            Conn::Writer(db) => Some(db.common().content.begin_write()),
            Conn::Reader(_) | Conn::Tx(_) => None,
        }
    }
}

impl Db {
    /// For a single statement that writes.
    pub fn writer(&self) -> Conn<'_> {
        Conn::Writer(self)
    }

    /// Begins a transaction that may write. On SQLite, one that others wait for may be committed
    /// together with theirs.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Db::Sqlite { commits, .. } => Tx::Sqlite(commits.begin().await?),
            Db::Postgres { pool, breaker, patience, common } => {
                let tx = breaker.call(*patience, async { Ok(pool.begin().await?) }).await?;
                let (breaker, content) = (breaker.clone(), common.content.clone());
                Tx::Postgres { tx, breaker, patience: *patience, content, is_intact: true }
            }
        })
    }

    /// What `/readyz` reports. Never waits for long.
    pub async fn readiness(&self) -> Readiness {
        match self {
            Db::Sqlite { guard, readers, .. } => {
                let answer = async { Ok(sqlx::query("SELECT 1").execute(readers).await?) };
                let answer = timeout(Duration::from_secs(1), guard.observe(answer))
                    .await
                    .unwrap_or(Err(Fault::new(FaultKind::Busy, "all readers are in use").into()));
                match (guard.readiness(), answer) {
                    (Readiness::Ready, Err(Error::Unserved(fault)))
                        if fault.kind == FaultKind::Busy =>
                    {
                        Readiness::Busy
                    }
                    (Readiness::Ready, Err(_)) => Readiness::Gone,
                    (readiness, _) => readiness,
                }
            }
            Db::Postgres { breaker, .. } => breaker.readiness().await,
        }
    }

    pub fn health(&self) -> &Health {
        &self.common().health
    }

    pub(super) fn common(&self) -> &Common {
        let (Db::Sqlite { common, .. } | Db::Postgres { common, .. }) = self;
        common
    }

    /// Ends what this instance still does on the server, for an exit that waits no longer.
    pub async fn terminate(&self) {
        if let Db::Postgres { breaker, .. } = self {
            breaker.terminate().await;
        }
    }

    pub async fn close(&self) {
        match self {
            Db::Sqlite { writer, readers, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres { pool, .. } => pool.close().await,
        }
    }
}

impl Tx {
    /// # Errors
    /// `Unavailable` when a statement has failed, or was not waited for.
    pub async fn commit(mut self) -> Result<()> {
        self.pass_fence().await?;
        match self {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres { is_intact: false, .. } => Err(Error::Unavailable),
            Tx::Postgres { tx, breaker, patience, content, .. } => {
                let _write = content.begin_write();
                breaker.call(patience, async { Ok(tx.commit().await?) }).await
            }
        }
    }

    /// Runs the statement of `set_fence`, if there is one.
    async fn pass_fence(&mut self) -> Result<()> {
        let Some((text, id)) = fence() else { return Ok(()) };
        let affected = match self {
            Tx::Sqlite(tx) => {
                let marked = sqlx::query(text).bind(id);
                let (connection, guard) = tx.begin_statement()?;
                let marked = guard.observe(async { Ok(marked.execute(connection).await?) }).await?;
                tx.end_statement();
                marked.rows_affected()
            }
            Tx::Postgres { tx, breaker, patience, .. } => {
                let marked = sqlx::query(text).bind(id);
                let marked = async { Ok(marked.execute(&mut **tx).await?) };
                breaker.call(*patience, marked).await?.rows_affected()
            }
        };
        match affected {
            0 => Err(Error::Unavailable),
            _ => Ok(()),
        }
    }

    /// Takes a lock that other transactions have to wait for until this one ends. For rules that
    /// concern several rows, such as "one admin must remain".
    pub async fn lock(&mut self, lock: Lock) -> Result<()> {
        match self {
            Tx::Sqlite(_) => Ok(()), // `BEGIN IMMEDIATE` already keeps every other writer out.
            Tx::Postgres { tx, breaker, patience, .. } => {
                let lock = sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(lock as i64);
                let locked = async { Ok(lock.execute(&mut **tx).await.map(|_| ())?) };
                breaker.call(*patience, locked).await
            }
        }
    }

    /// Lifts the time limit of statements, for the rest of the transaction: for work in the
    /// background that may take long. The time limit of locks stays.
    pub async fn without_time_limit(mut self) -> Result<Tx> {
        match &mut self {
            Tx::Postgres { tx, patience, .. } => {
                *patience = None;
                sqlx::query("SET LOCAL statement_timeout = 0").execute(&mut **tx).await?;
            }
            Tx::Sqlite(tx) => tx.without_time_limit().await?,
        }
        Ok(self)
    }
}

/// The locks of `Tx::lock`; the numbers are PostgreSQL advisory lock keys.
#[derive(Clone, Copy)]
pub enum Lock {
    Admins = 0x506f_0001,
    Backfills = 0x506f_0002,
    AuditSeals = 0x506f_0009,
    Usernames = 0x506f_000c,
    Move = 0x506f_0010,
}

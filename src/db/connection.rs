//! The connection pool of either engine, and transactions.

use sqlx::Transaction;
use sqlx::postgres::{PgPool, Postgres};
use sqlx::sqlite::{Sqlite, SqlitePool};

use super::circuit_breaker::CircuitBreaker;
use crate::error::Result;

/// The connection pool. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// SQLite allows one writer at a time: one connection writes, the others only read.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres {
        pool: PgPool,
        breaker: CircuitBreaker,
    },
}

/// A transaction; rolled back unless committed.
pub enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
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

impl Db {
    /// For a single statement that writes.
    pub fn writer(&self) -> Conn<'_> {
        Conn::Writer(self)
    }

    /// Begins a transaction that may write. On SQLite it takes the write lock immediately, so that
    /// it cannot fail later because a read lock has to be upgraded.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Db::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres { pool, breaker } => {
                breaker.call(async { Ok(Tx::Postgres(pool.begin().await?)) }).await?
            }
        })
    }

    pub async fn close(&self) {
        match self {
            Db::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Db::Postgres { pool, .. } => pool.close().await,
        }
    }
}

impl Tx {
    pub async fn commit(self) -> Result<()> {
        match self {
            Tx::Sqlite(tx) => tx.commit().await?,
            Tx::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// Takes a lock that other transactions have to wait for until this one ends. For rules that
    /// concern several rows, such as "one admin must remain".
    pub async fn lock(&mut self, lock: Lock) -> Result<()> {
        match self {
            Tx::Sqlite(_) => {} // `BEGIN IMMEDIATE` already keeps every other writer out.
            Tx::Postgres(tx) => {
                sqlx::query("SELECT pg_advisory_xact_lock($1)")
                    .bind(lock as i64)
                    .execute(&mut **tx)
                    .await?;
            }
        }
        Ok(())
    }
}

/// The locks of `Tx::lock`; the numbers are PostgreSQL advisory lock keys.
#[derive(Clone, Copy)]
pub enum Lock {
    Admins = 0x506f_0001,
    Backfills = 0x506f_0002,
    AuditSeals = 0x506f_0009,
}

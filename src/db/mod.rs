//! The database: connecting, migrating, and one way to ask either engine. Every difference between
//! SQLite and PostgreSQL ends here.

mod backup;
mod outage;
mod query;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, SubsecRound, Utc};
use rocket_db_pools::figment::Figment;
use sqlx::postgres::{PgPool, PgPoolOptions, Postgres};
use sqlx::sqlite::{
    Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection as _, Transaction};

use crate::error::{Error, Result};

pub use backup::backup;
use outage::Outage;
pub use query::{Query, Row, Value, sql};

/// The pool of connections. Cheap to clone.
#[derive(Clone)]
pub enum Db {
    /// SQLite allows one writer at a time: one connection writes, the others only read.
    Sqlite {
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres {
        pool: PgPool,
        outage: Outage,
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
    /// Connects to `sqlite:PATH` or `postgres://…`, creating a missing SQLite file and its folder.
    ///
    /// # Errors
    /// `Error::Internal` with one sentence for the operator.
    pub async fn connect(url: &str, max_connections: u32, timeout: Duration) -> Result<Db> {
        if is_sqlite(url)? {
            Self::connect_sqlite(url, max_connections, timeout).await
        } else {
            Self::connect_postgres(url, max_connections, timeout).await
        }
    }

    async fn connect_sqlite(url: &str, max: u32, timeout: Duration) -> Result<Db> {
        let path = sqlite_path(url)?;
        let unusable = |e: &dyn std::fmt::Display| {
            Error::Internal(format!("the SQLite file {} cannot be used: {e}", path.display()))
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|e| unusable(&e))?;
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .statement_cache_capacity(256);
        // SQLite does not wait for another process that turns write-ahead logging on as well.
        let _held = alone(&path)?;
        // The writer comes first: it creates the file and turns write-ahead logging on, which the
        // read-only connections cannot.
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .acquire_timeout(timeout)
            // An I/O error (a full disk) makes SQLite itself roll back; sqlx then believes for ever
            // that a transaction is open and begins no other. A new connection knows better.
            .after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?; // Behind the rollback, which nobody waits for.
                    Ok(!connection.is_in_transaction())
                })
            })
            .connect_with(options.clone().create_if_missing(true))
            .await
            .map_err(|e| unusable(&e))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(max)
            .acquire_timeout(timeout)
            .connect_with(options.read_only(true))
            .await
            .map_err(|e| unusable(&e))?;
        Ok(Db::Sqlite { writer, readers })
    }

    async fn connect_postgres(url: &str, max: u32, timeout: Duration) -> Result<Db> {
        let pool = PgPoolOptions::new()
            .max_connections(max)
            .acquire_timeout(timeout)
            .connect(url)
            .await
            // The URL holds a password: the message names none of it.
            .map_err(|e| {
                Error::Internal(format!("the PostgreSQL database cannot be reached: {e}"))
            })?;
        let outage = Outage::new(pool.clone());
        Ok(Db::Postgres { pool, outage })
    }

    /// Brings the schema up to date. Several instances may do so at once.
    pub async fn migrate(&self) -> Result<()> {
        let done = match self {
            Db::Sqlite { writer, .. } => {
                let _held = alone(writer.connect_options().get_filename())?;
                sqlx::migrate!("migrations/sqlite").run(writer).await
            }
            Db::Postgres { pool, .. } => sqlx::migrate!("migrations/postgres").run(pool).await,
        };
        done.map_err(|e| Error::Internal(format!("the database cannot be migrated: {e}")))
    }

    /// For single statements that write.
    pub fn writer(&self) -> Conn<'_> {
        Conn::Writer(self)
    }

    /// Begins a transaction that may write. On SQLite it takes the write lock at once, so it never
    /// fails half-way for having read first.
    pub async fn begin(&self) -> Result<Tx> {
        Ok(match self {
            Db::Sqlite { writer, .. } => Tx::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres { pool, outage } => {
                outage.watch(async { Ok(Tx::Postgres(pool.begin().await?)) }).await?
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

    /// Holds back every other transaction that asks for the same lock, until this one ends. For
    /// rules about several rows at once, such as "one admin must remain".
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

/// What `Tx::lock` can hold; the numbers are PostgreSQL advisory lock keys.
#[derive(Clone, Copy)]
pub enum Lock {
    Admins = 0x506f_0001,
}

/// Whether a URL names SQLite; if not, it names PostgreSQL.
pub fn is_sqlite(url: &str) -> Result<bool> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(true),
        Some(("postgres" | "postgresql", _)) => Ok(false),
        _ => Err(Error::Internal("DATABASE_URL must begin with sqlite: or postgres://".to_owned())),
    }
}

/// Keeps other processes that set up the same SQLite file out until the value is dropped; sqlx locks
/// nothing there.
fn alone(database: &Path) -> Result<File> {
    let path = database.with_extension("lock");
    File::create(&path)
        .and_then(|file| file.lock().map(|()| file))
        .map_err(|e| Error::Internal(format!("{} cannot be locked: {e}", path.display())))
}

/// The file that a `sqlite:` URL names.
pub fn sqlite_path(url: &str) -> Result<PathBuf> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|e| Error::Internal(format!("DATABASE_URL cannot be read: {e}")))?;
    let path = options.get_filename().to_owned();
    if url.contains(":memory:") || path.as_os_str().is_empty() {
        return Err(Error::Internal("DATABASE_URL must name a file: sqlite:PATH".to_owned()));
    }
    Ok(path)
}

/// The present moment as both engines store it: to the microsecond.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

/// rocket_db_pools 0.2 itself is tied to sqlx 0.7 (RUSTSEC-2024-0363), but its trait is public.
#[rocket_db_pools::rocket::async_trait]
impl rocket_db_pools::Pool for Db {
    type Connection = Db;
    type Error = Error;

    async fn init(figment: &Figment) -> Result<Self> {
        let config: rocket_db_pools::Config =
            figment.extract().map_err(|e| Error::Internal(e.to_string()))?;
        let timeout = Duration::from_secs(config.connect_timeout);
        let max = u32::try_from(config.max_connections).unwrap_or(u32::MAX);
        Db::connect(&config.url, max, timeout).await
    }

    async fn get(&self) -> Result<Db> {
        Ok(self.clone())
    }

    async fn close(&self) {
        // Called as soon as the server is told to end, when the requests under way still need it.
        // `main` closes it behind them.
    }
}

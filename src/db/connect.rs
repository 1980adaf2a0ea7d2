//! Connecting to the database in `DATABASE_URL`.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rocket_db_pools::figment::Figment;
use sqlx::Connection as _;
use sqlx::postgres::PgPoolOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::address::{is_sqlite, postgres_options, sqlite_path, unreachable};
use super::circuit_breaker::CircuitBreaker;
use super::connection::Db;
use super::files::{create_private_folder, open_private_file};
use crate::error::Fatal;

impl Db {
    /// Connects to `sqlite:PATH` or `postgres://…`, creating a missing SQLite file and its folder.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn connect(url: &str, max_connections: u32, timeout: Duration) -> Result<Db, Fatal> {
        if is_sqlite(url)? {
            connect_sqlite(url, max_connections, timeout).await
        } else {
            connect_postgres(url, max_connections, timeout).await
        }
    }
}

async fn connect_sqlite(url: &str, max: u32, timeout: Duration) -> Result<Db, Fatal> {
    let path = sqlite_path(url)?;
    let unusable = |e: &dyn std::fmt::Display| {
        Fatal(format!("the SQLite file {} cannot be used: {e}", path.display()))
    };
    if let Some(folder) = path.parent() {
        create_private_folder(folder).map_err(|e| unusable(&e))?;
    }
    // SQLite would create it with the rights that the umask leaves; the files beside it get the
    // mode of this one.
    open_private_file(&path).map_err(|e| unusable(&e))?;
    let options = SqliteConnectOptions::new()
        .filename(&path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .statement_cache_capacity(256);
    // SQLite does not wait while another process enables write-ahead logging.
    let _held = lock_file(&path).await?;
    // The writer comes first: it creates the file and enables write-ahead logging, which the
    // read-only connections cannot do.
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(timeout)
        // On an I/O error (a full disk), SQLite itself rolls back, but sqlx goes on believing that
        // a transaction is open and can never begin another one. Such a connection is replaced.
        .after_release(|connection, _| {
            Box::pin(async move {
                connection.ping().await?; // Queued behind the rollback, which is not awaited.
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

async fn connect_postgres(url: &str, max: u32, timeout: Duration) -> Result<Db, Fatal> {
    let pool = PgPoolOptions::new()
        .max_connections(max)
        .acquire_timeout(timeout)
        .connect_with(postgres_options(url)?)
        .await
        .map_err(|e| unreachable(url, &e))?;
    let breaker = CircuitBreaker::new(pool.clone());
    Ok(Db::Postgres { pool, breaker })
}

/// Locks out other processes that set up the same SQLite file until the value is dropped; sqlx
/// takes no lock for SQLite.
pub(super) async fn lock_file(database: &Path) -> Result<File, Fatal> {
    let path = database.with_extension("lock");
    let failed =
        |e: &dyn std::fmt::Display| Fatal(format!("{} cannot be locked: {e}", path.display()));
    let file = open_private_file(&path).map_err(|e| failed(&e))?;
    // Waiting for the lock must not block other tasks, one of which may hold it.
    tokio::task::spawn_blocking(move || file.lock().map(|()| file))
        .await
        .map_err(|e| failed(&e))?
        .map_err(|e| failed(&e))
}

/// rocket_db_pools 0.2 itself is tied to sqlx 0.7 (RUSTSEC-2024-0363), but its trait is public.
#[rocket_db_pools::rocket::async_trait]
impl rocket_db_pools::Pool for Db {
    type Connection = Db;
    type Error = Fatal;

    async fn init(figment: &Figment) -> Result<Self, Fatal> {
        let config: rocket_db_pools::Config =
            figment.extract().map_err(|e| Fatal(e.to_string()))?;
        let timeout = Duration::from_secs(config.connect_timeout);
        let max = u32::try_from(config.max_connections).unwrap_or(u32::MAX);
        Db::connect(&config.url, max, timeout).await
    }

    async fn get(&self) -> Result<Db, Fatal> {
        Ok(self.clone())
    }

    async fn close(&self) {
        // Called as soon as shutdown begins, while running requests still need the pool. `serve`
        // closes it once they have finished.
    }
}

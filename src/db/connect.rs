//! Connecting to the database in `DATABASE_URL`.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use rocket_db_pools::figment::Figment;
use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use super::address::{is_sqlite, postgres_options, sqlite_path, unreachable};
use super::circuit_breaker::{Abandoned, CircuitBreaker};
use super::connection::{Common, Db};
use super::deadline::Deadline;
use super::files::{create_private_folder, open_private_file};
use super::group_commit::GroupCommit;
use super::sqlite_file::{OpenFiles, SqliteGuard};
use crate::error::Fatal;

/// For how long a connection to PostgreSQL counts as good after it was tested. One that breaks in this
/// time fails one statement. A restart of the server takes longer.
const TESTED_FOR: Duration = Duration::from_millis(100);

/// The limits of a pool.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub max_connections: u32,
    /// How long to wait for a connection of the pool.
    pub acquire: Duration,
    /// How long a statement may run; on SQLite, a whole transaction that writes.
    pub statement: Option<Duration>,
    /// How long a statement may wait for a lock, on PostgreSQL. SQLite has one lock, and waits five
    /// seconds for other processes.
    pub lock: Option<Duration>,
}

impl Db {
    /// Connects for a command: without time limits for its statements.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn connect(url: &str, max_connections: u32, acquire: Duration) -> Result<Db, Fatal> {
        Self::open(url, Limits { max_connections, acquire, statement: None, lock: None }).await
    }

    /// The same database through connections of its own for reading, whose statements may take
    /// longer than those of requests. They are closed when the value is dropped.
    ///
    /// A second `Db::open` in this process would not do: when a process closes a file, it loses all
    /// its locks on it, including those of SQLite.
    pub fn patient(&self, statement: Duration) -> Db {
        let acquire = Duration::from_secs(10);
        let limits = Limits { max_connections: 2, acquire, statement: Some(statement), lock: None };
        match self {
            Db::Sqlite { writer, readers, guard, commits, common } => {
                let options = SqliteConnectOptions::clone(&readers.connect_options());
                Db::Sqlite {
                    writer: writer.clone(),
                    readers: sqlite_readers(limits, guard.files()).connect_lazy_with(options),
                    guard: guard.clone(),
                    commits: commits.clone(),
                    common: common.clone(),
                }
            }
            Db::Postgres { pool, breaker, common, .. } => {
                let time = statement.as_millis().to_string();
                let options = PgConnectOptions::clone(&pool.connect_options())
                    .options([("statement_timeout", time)]);
                let pool = PgPoolOptions::new()
                    .max_connections(limits.max_connections)
                    .acquire_timeout(acquire)
                    .connect_lazy_with(options);
                Db::Postgres {
                    pool,
                    breaker: breaker.clone(),
                    patience: Some(acquire + statement + Duration::from_secs(1)),
                    common: common.clone(),
                }
            }
        }
    }

    /// Connects to `sqlite:PATH` or `postgres://…`, creating a missing SQLite file and its folder.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn open(url: &str, limits: Limits) -> Result<Db, Fatal> {
        if is_sqlite(url)? {
            open_sqlite(url, limits).await
        } else {
            open_postgres(url, limits).await
        }
    }
}

async fn open_sqlite(url: &str, limits: Limits) -> Result<Db, Fatal> {
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
    let files = OpenFiles::default();
    let deadline = Deadline::new(limits.statement);
    let (noted, database) = (files.clone(), path.clone());
    let (watched, started) = (deadline.clone(), deadline.clone());
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(limits.acquire)
        // sqlx has tested it when it was released.
        .test_before_acquire(false)
        // Kept: whoever closes a database last deletes its write-ahead log.
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |connection, _| {
            let (noted, database, deadline) = (noted.clone(), database.clone(), watched.clone());
            Box::pin(async move {
                deadline.watch(connection).await?;
                deadline.begin();
                noted.note(database, connection).await
            })
        })
        .before_acquire(move |_, _| {
            started.begin();
            Box::pin(async { Ok(true) })
        })
        // On an I/O error (a full disk), SQLite itself rolls back, but sqlx goes on believing that
        // a transaction is open and can never begin another one. Such a connection is replaced.
        .after_release(|connection, _| {
            Box::pin(async move {
                if connection.is_in_transaction() {
                    connection.ping().await?; // Queued behind the rollback, which is not awaited.
                }
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_with(options.clone().create_if_missing(true))
        .await
        .map_err(|e| unusable(&e))?;
    // A deleted database is not replaced by an empty one.
    writer.set_connect_options(options.clone());
    let readers = sqlite_readers(limits, files.clone())
        .connect_with(options.read_only(true))
        .await
        .map_err(|e| unusable(&e))?;
    let common = Common::default();
    let guard = SqliteGuard::new(writer.clone(), files, deadline, common.health.clone());
    let commits = GroupCommit::new(writer.clone(), guard.clone(), common.content.clone());
    Ok(Db::Sqlite { writer, readers, guard, commits, common })
}

/// Connections that only read, to the database that is open as `files`.
fn sqlite_readers(limits: Limits, files: OpenFiles) -> SqlitePoolOptions {
    let statement = limits.statement;
    SqlitePoolOptions::new()
        .max_connections(limits.max_connections)
        .acquire_timeout(limits.acquire)
        // Setting the time limit tests the connection.
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let files = files.clone();
            Box::pin(async move {
                files.check_database()?;
                limit(connection, statement).await
            })
        })
        .before_acquire(move |connection, _| {
            Box::pin(async move { limit(connection, statement).await.map(|()| true) })
        })
}

/// Interrupts what the connection still does after this time, with SQLITE_INTERRUPT. Until it is
/// released, a connection serves one statement or one transaction.
async fn limit(connection: &mut SqliteConnection, time: Option<Duration>) -> sqlx::Result<()> {
    /// How many instructions of its virtual machine SQLite executes between two looks at the clock.
    const INSTRUCTIONS: i32 = 10_000;
    let mut handle = connection.lock_handle().await?;
    if let Some(end) = time.map(|time| Instant::now() + time) {
        handle.set_progress_handler(INSTRUCTIONS, move || Instant::now() < end);
    }
    Ok(())
}

async fn open_postgres(url: &str, limits: Limits) -> Result<Db, Fatal> {
    // A name of its own, to tell the connections of this instance from those of others.
    let name = format!("postly-{}", random_name()?);
    let milliseconds = |time: Duration| time.as_millis().to_string();
    let mut options = postgres_options(url)?.application_name(&name);
    for (setting, time) in [("statement_timeout", limits.statement), ("lock_timeout", limits.lock)]
    {
        options = options.options(time.map(|time| (setting, milliseconds(time))));
    }
    let abandoned = Abandoned::default();
    let checked = abandoned.clone();
    let pool = PgPoolOptions::new()
        .max_connections(limits.max_connections)
        .acquire_timeout(limits.acquire)
        .after_release(move |connection, _| Box::pin(checked.clone().check(connection)))
        // sqlx has tested it when it was released; a test costs as much as a short statement.
        .test_before_acquire(false)
        .before_acquire(|connection, known| {
            Box::pin(async move {
                if known.idle_for > TESTED_FOR {
                    connection.ping().await?;
                }
                Ok(true)
            })
        })
        .connect_with(options)
        .await
        .map_err(|e| unreachable(url, &e))?;
    let common = Common::default();
    let breaker = CircuitBreaker::new(pool.clone(), common.health.clone(), abandoned);
    // The server ends a statement itself; this is for a connection that has died.
    let patience = limits.statement.map(|time| limits.acquire + time + Duration::from_secs(1));
    Ok(Db::Postgres { pool, breaker, patience, common })
}

/// Eight random hexadecimal digits.
fn random_name() -> Result<String, Fatal> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes)
        .map_err(|_| Fatal::new("the system's random number generator failed"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Locks out other processes that set up the same SQLite file until the value is dropped; sqlx
/// takes no lock for SQLite.
pub(super) async fn lock_file(database: &Path) -> Result<File, Fatal> {
    let path = database.with_extension("lock");
    let failed =
        |e: &dyn std::fmt::Display| Fatal(format!("{} cannot be locked: {e}", path.display()));
    let file = open_private_file(&path).map_err(|e| failed(&e))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => tracing::info!(
            "waiting for another Postly, which opens, migrates, restores or moves {}",
            database.display()
        ),
        Err(TryLockError::Error(e)) => return Err(failed(&e)),
    }
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
        let seconds = |name| figment.extract_inner(name).ok().map(Duration::from_secs);
        let limits = Limits {
            max_connections: u32::try_from(config.max_connections).unwrap_or(u32::MAX),
            acquire: Duration::from_secs(config.connect_timeout),
            statement: seconds("statement_timeout"),
            lock: seconds("lock_timeout"),
        };
        Db::open(&config.url, limits).await
    }

    async fn get(&self) -> Result<Db, Fatal> {
        Ok(self.clone())
    }

    async fn close(&self) {
        // Called as soon as shutdown begins, while running requests still need the pool. `serve`
        // closes it once they have finished.
    }
}

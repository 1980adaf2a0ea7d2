//! The target of a move: empty at first, marked as unfinished until the end.

use std::time::Duration;

use sqlx::migrate::Migrate;

use super::schema::Table;
use super::store::{Engine, Opening, Store, literal, quoted};
use crate::db::address::{is_sqlite, sqlite_path};
use crate::db::connection::{Db, Lock};
use crate::db::files::{create_private_folder, open_private_file};
use crate::db::migrations::{Backfill, UNFINISHED_MOVE};
use crate::error::Fatal;

/// How long to wait for a move that was interrupted: its server may not have noticed yet.
const PATIENCE: &str = "30s";

/// The target, in a transaction that fills it.
pub struct Target {
    pub store: Store,
    /// The statements that create the triggers again, on SQLite.
    triggers: Vec<String>,
}

/// Marks an empty database as the target of a move, brings its schema up to date and begins a
/// transaction in which its tables are empty, and nothing happens when rows are written.
///
/// # Errors
/// One sentence for the operator: it is not empty.
pub async fn prepare(url: &str, backfills: &[Backfill]) -> Result<Target, Fatal> {
    let mut store = mark(url).await?;
    if let Engine::Sqlite(_) = store.connection {
        // With the files that the pool closes, this process would lose the locks of this one.
        store.close().await;
        migrate(url, backfills).await?;
        store = Store::open(url, Opening::Writing).await?;
    } else {
        migrate(url, backfills).await?;
    }
    let tables = store.tables().await?;
    let mut triggers = Vec::new();
    match store.connection {
        Engine::Sqlite(_) => {
            store.execute("BEGIN IMMEDIATE").await?;
            triggers = store.words("SELECT sql FROM sqlite_schema WHERE type = 'trigger'").await?;
            for name in store.words("SELECT name FROM sqlite_schema WHERE type = 'trigger'").await?
            {
                store.execute(format!("DROP TRIGGER {}", quoted(&name))).await?;
            }
            for table in tables.iter().rev() {
                store.execute(format!("DELETE FROM {}", quoted(&table.name))).await?;
            }
        }
        Engine::Postgres(_) => {
            store.execute("BEGIN").await?;
            // Those of foreign keys go on checking.
            set_triggers(&mut store, &tables, "DISABLE").await?;
            let names: Vec<String> = tables.iter().map(|table| quoted(&table.name)).collect();
            store.execute(format!("TRUNCATE {}", names.join(", "))).await?;
        }
    }
    Ok(Target { store, triggers })
}

async fn set_triggers(store: &mut Store, tables: &[Table], what: &str) -> Result<(), Fatal> {
    for table in tables {
        let name = quoted(&table.name);
        store.execute(format!("ALTER TABLE {name} {what} TRIGGER USER")).await?;
    }
    Ok(())
}

async fn mark(url: &str) -> Result<Store, Fatal> {
    if is_sqlite(url)? {
        let path = sqlite_path(url)?;
        let unusable = |e| Fatal(format!("the file {} cannot be created: {e}", path.display()));
        if let Some(folder) = path.parent() {
            create_private_folder(folder).map_err(unusable)?;
        }
        open_private_file(&path).map_err(unusable)?;
    }
    let mut store = Store::open(url, Opening::Writing).await?;
    let (existing, checksum) = match store.connection {
        Engine::Sqlite(_) => ("SELECT name FROM sqlite_schema WHERE type = 'table'", "x''"),
        Engine::Postgres(_) => {
            let lock = Lock::Move as i64;
            let waiting = format!(
                "SET lock_timeout = '{PATIENCE}'; SELECT pg_advisory_lock({lock}); \
                 SET lock_timeout = 0"
            );
            store.execute(waiting).await.map_err(|Fatal(error)| {
                Fatal(format!("{error}; perhaps another `postly move` is filling the database"))
            })?;
            let existing = "SELECT relname::TEXT FROM pg_class \
                 WHERE relnamespace = current_schema()::REGNAMESPACE \
                 AND relkind IN ('r', 'p', 'v', 'm', 'f') ORDER BY relname";
            (existing, "''")
        }
    };
    let existing = store.words(existing).await?;
    let is_marked = existing.iter().any(|name| name == "_sqlx_migrations")
        && store.number(format!("{MARKED} WHERE version = {UNFINISHED_MOVE}")).await? > 0;
    if is_marked {
        return Ok(store);
    }
    if let Some(table) = existing.first() {
        return Err(Fatal(format!(
            "the database {} is not empty: it has the table {table}; move to a new one",
            store.name
        )));
    }
    store.execute("BEGIN").await?;
    let created = match &mut store.connection {
        Engine::Sqlite(connection) => connection.ensure_migrations_table(MIGRATIONS).await,
        Engine::Postgres(connection) => connection.ensure_migrations_table(MIGRATIONS).await,
    };
    created.map_err(|error| store.failed(&error))?;
    store
        .execute(format!(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({UNFINISHED_MOVE}, 'postly move is not finished', TRUE, {checksum}, 0); COMMIT"
        ))
        .await?;
    Ok(store)
}

const MIGRATIONS: &str = "_sqlx_migrations";
const MARKED: &str = "SELECT count(*) FROM _sqlx_migrations";

async fn migrate(url: &str, backfills: &[Backfill]) -> Result<(), Fatal> {
    let db = Db::connect(url, 2, Duration::from_secs(10)).await?;
    let migrated = db.migrate_target(backfills).await;
    db.close().await;
    migrated
}

impl Target {
    /// Sets the sequence of a table, so that no number is given twice.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn set_sequence(&mut self, table: &Table, last: i64) -> Result<(), Fatal> {
        let name = quoted(&table.name);
        let highest = self.store.number(format!("SELECT coalesce(max(id), 0) FROM {name}")).await?;
        let last = last.max(highest);
        let text = match self.store.connection {
            Engine::Sqlite(_) => format!(
                "DELETE FROM sqlite_sequence WHERE name = {0}; \
                 INSERT INTO sqlite_sequence (name, seq) VALUES ({0}, {last})",
                literal(&table.name)
            ),
            // `false`: the next number is this one.
            Engine::Postgres(_) => format!(
                "SELECT setval(pg_get_serial_sequence({}, 'id'), {}, {})",
                literal(&name),
                last.max(1),
                last > 0
            ),
        };
        self.store.execute(text).await
    }

    /// Makes the indexes of the search, brings the triggers back and commits.
    ///
    /// # Errors
    /// One sentence for the operator; nothing was committed.
    pub async fn commit(&mut self, tables: &[Table]) -> Result<(), Fatal> {
        match self.store.connection {
            Engine::Sqlite(_) => {
                let indexes = "SELECT name FROM pragma_table_list \
                     WHERE schema = 'main' AND type = 'virtual'";
                for name in self.store.words(indexes).await? {
                    let name = quoted(&name);
                    let text = format!("INSERT INTO {name} ({name}) VALUES ('rebuild')");
                    self.store.execute(text).await?;
                }
                for trigger in std::mem::take(&mut self.triggers) {
                    self.store.execute(trigger).await?;
                }
                self.store.execute("COMMIT").await
            }
            Engine::Postgres(_) => {
                set_triggers(&mut self.store, tables, "ENABLE").await?;
                // Without statistics, the first queries would read whole tables.
                self.store.execute("COMMIT; ANALYZE").await
            }
        }
    }
}

/// Removes the mark: from here on, the database is served.
///
/// # Errors
/// One sentence for the operator.
pub async fn finish(url: &str) -> Result<(), Fatal> {
    let mut store = Store::open(url, Opening::Writing).await?;
    let text = format!("DELETE FROM _sqlx_migrations WHERE version = {UNFINISHED_MOVE}");
    store.execute(text).await?;
    store.close().await;
    Ok(())
}

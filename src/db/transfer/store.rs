//! One connection to either database of a move, and reading from it.

use futures_util::stream::{BoxStream, StreamExt};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row as _, SqliteConnection};

use super::schema::{self, Kind, Table};
use crate::db::address::{describe, is_sqlite, postgres_options, sqlite_path, unreachable};
use crate::db::value::Value;
use crate::error::Fatal;

/// The connection, and the name of the database in messages.
pub struct Store {
    pub connection: Engine,
    pub name: String,
}

pub enum Engine {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// How a SQLite file is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    Reading,
    /// Nobody else uses it, and nobody can begin to: no file is left beside it.
    ReadingAlone,
    Writing,
}

impl Store {
    /// # Errors
    /// One sentence for the operator.
    pub async fn open(url: &str, opening: Opening) -> Result<Store, Fatal> {
        let name = describe(url)?;
        if !is_sqlite(url)? {
            let options = postgres_options(url)?.disable_statement_logging();
            let mut connection =
                options.connect().await.map_err(|error| unreachable(url, &error))?;
            // Whatever the server or the role has by default: a table may take long.
            sqlx::raw_sql(
                "SET statement_timeout = 0; SET lock_timeout = 0; \
                 SET idle_in_transaction_session_timeout = 0",
            )
            .execute(&mut connection)
            .await
            .map_err(|error| unreachable(url, &error))?;
            return Ok(Store { connection: Engine::Postgres(connection), name });
        }
        let options = SqliteConnectOptions::new().filename(sqlite_path(url)?);
        let options = match opening {
            Opening::Writing => options
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true),
            _ => options.read_only(true).immutable(opening == Opening::ReadingAlone),
        };
        let connection = options.disable_statement_logging().connect().await;
        let connection = connection
            .map_err(|error| Fatal(format!("the database {name} cannot be opened: {error}")))?;
        Ok(Store { connection: Engine::Sqlite(connection), name })
    }

    /// Begins to read: everything from here on is of one moment.
    pub async fn begin_snapshot(&mut self) -> Result<(), Fatal> {
        self.execute(match self.connection {
            // The first statement that reads determines the moment.
            Engine::Sqlite(_) => "BEGIN; SELECT count(*) FROM sqlite_schema",
            Engine::Postgres(_) => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        })
        .await
    }

    /// Runs statements without values.
    pub async fn execute(&mut self, text: impl Into<String>) -> Result<(), Fatal> {
        let text = sqlx::raw_sql(AssertSqlSafe(text.into()));
        let done = match &mut self.connection {
            Engine::Sqlite(connection) => text.execute(connection).await.map(drop),
            Engine::Postgres(connection) => text.execute(connection).await.map(drop),
        };
        done.map_err(|error| self.failed(&error))
    }

    /// A number that a statement returns; 0 without a row.
    pub async fn number(&mut self, text: impl Into<String>) -> Result<i64, Fatal> {
        let text = AssertSqlSafe(text.into());
        let number = match &mut self.connection {
            Engine::Sqlite(connection) => sqlx::query_scalar(text).fetch_optional(connection).await,
            Engine::Postgres(connection) => {
                sqlx::query_scalar(text).fetch_optional(connection).await
            }
        };
        Ok(number.map_err(|error| self.failed(&error))?.unwrap_or(0))
    }

    /// Words that a statement returns, one a row.
    pub async fn words(&mut self, text: &'static str) -> Result<Vec<String>, Fatal> {
        let words = match &mut self.connection {
            Engine::Sqlite(connection) => sqlx::query_scalar(text).fetch_all(connection).await,
            Engine::Postgres(connection) => sqlx::query_scalar(text).fetch_all(connection).await,
        };
        words.map_err(|error| self.failed(&error))
    }

    pub async fn tables(&mut self) -> Result<Vec<Table>, Fatal> {
        match &mut self.connection {
            Engine::Sqlite(connection) => schema::of_sqlite(connection).await,
            Engine::Postgres(connection) => schema::of_postgres(connection).await,
        }
    }

    pub async fn count(&mut self, table: &Table) -> Result<u64, Fatal> {
        let count = self.number(format!("SELECT count(*) FROM {}", quoted(&table.name))).await?;
        Ok(count.unsigned_abs())
    }

    /// The highest number that the sequence of a table has given, whether its row still exists.
    pub async fn sequence(&mut self, table: &Table) -> Result<i64, Fatal> {
        let text = match self.connection {
            Engine::Sqlite(_) => {
                format!("SELECT seq FROM sqlite_sequence WHERE name = {}", literal(&table.name))
            }
            Engine::Postgres(_) => format!(
                "SELECT coalesce(last_value, 0) FROM pg_sequences WHERE \
                 format('%I.%I', schemaname, sequencename) = \
                 pg_get_serial_sequence({}, 'id')",
                literal(&quoted(&table.name))
            ),
        };
        self.number(text).await
    }

    /// All rows of a table, the columns in the order of `table`. They are read as they are taken.
    pub fn rows<'s>(
        &'s mut self,
        table: &'s Table,
    ) -> BoxStream<'s, Result<Vec<Value>, sqlx::Error>> {
        macro_rules! values {
            ($connection:expr, $columns:expr) => {{
                let columns = $columns.collect::<Vec<String>>().join(", ");
                let text = format!("SELECT {columns} FROM {}", quoted(&table.name));
                let rows = sqlx::query(AssertSqlSafe(text)).fetch($connection);
                rows.map(move |row| {
                    let row = row?;
                    let values = table.columns.iter().enumerate().map(|(n, column)| {
                        Ok(match column.kind {
                            Kind::Bool => Value::Bool(row.try_get(n)?),
                            Kind::Int => Value::Int(row.try_get(n)?),
                            Kind::Text => Value::Text(row.try_get(n)?),
                            Kind::Bytes => Value::Bytes(row.try_get(n)?),
                            Kind::Time => Value::Time(row.try_get(n)?),
                        })
                    });
                    values.collect()
                })
                .boxed()
            }};
        }
        match &mut self.connection {
            Engine::Sqlite(connection) => {
                values!(connection, table.columns.iter().map(|column| quoted(&column.name)))
            }
            Engine::Postgres(connection) => {
                values!(
                    connection,
                    table.columns.iter().map(|column| match column.kind {
                        // Some columns are narrower.
                        Kind::Int => format!("{}::BIGINT", quoted(&column.name)),
                        _ => quoted(&column.name),
                    })
                )
            }
        }
    }

    pub fn failed(&self, error: &dyn std::fmt::Display) -> Fatal {
        Fatal(format!("the move failed at {}: {error}", self.name))
    }

    pub async fn close(self) {
        // Everything is committed; how the server takes the farewell does not matter.
        let _ = match self.connection {
            Engine::Sqlite(connection) => connection.close().await,
            Engine::Postgres(connection) => connection.close().await,
        };
    }
}

/// A name as SQL has it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL has it.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

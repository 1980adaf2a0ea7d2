//! The tables of a database, as it describes them itself: a new table or column is moved without
//! being named here.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{FromRow, PgConnection, SqliteConnection};

use crate::error::Fatal;

/// What a column holds, on either engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bool,
    Int,
    Text,
    Bytes,
    /// A point in time, in microseconds.
    Time,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableColumn {
    pub name: String,
    pub kind: Kind,
    pub is_key: bool,
}

/// A table with the rows of the site; not one from which a search index is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub name: String,
    /// By name.
    pub columns: Vec<TableColumn>,
    /// Whether the column `id` has numbers that are never used again.
    pub has_sequence: bool,
    /// The tables that its foreign keys refer to.
    pub parents: BTreeSet<String>,
}

/// A column, in the words of the engine.
#[derive(FromRow)]
struct Described {
    name: String,
    r#type: String,
    is_key: bool,
}

/// All tables, each after those that it refers to.
///
/// # Errors
/// One sentence, when there is a type that `Kind` does not know.
pub async fn of_sqlite(connection: &mut SqliteConnection) -> Result<Vec<Table>, Fatal> {
    // Search indexes are "virtual", and consist of "shadow" tables.
    let tables = "SELECT l.name, upper(s.sql) LIKE '%AUTOINCREMENT%' FROM pragma_table_list AS l \
         JOIN sqlite_schema AS s ON s.name = l.name AND s.type = 'table' \
         WHERE l.schema = 'main' AND l.type = 'table' AND l.name NOT LIKE 'sqlite!_%' ESCAPE '!' \
         AND l.name <> '_sqlx_migrations'";
    // Computed columns are hidden.
    let columns = "SELECT name, upper(type) AS type, pk > 0 AS is_key FROM pragma_table_xinfo($1) \
         WHERE hidden = 0 ORDER BY name";
    let parents = "SELECT \"table\" FROM pragma_foreign_key_list($1)";
    let mut found = Vec::new();
    let tables: Vec<(String, bool)> =
        sqlx::query_as(tables).fetch_all(&mut *connection).await.map_err(failed)?;
    for (name, has_sequence) in tables {
        let columns: Vec<Described> = sqlx::query_as(columns)
            .bind(&name)
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        let parents: Vec<String> = sqlx::query_scalar(parents)
            .bind(&name)
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        found.push(table(name, columns, has_sequence, parents)?);
    }
    ordered(found)
}

/// As `of_sqlite`.
///
/// # Errors
/// As of `of_sqlite`.
pub async fn of_postgres(connection: &mut PgConnection) -> Result<Vec<Table>, Fatal> {
    let tables = "SELECT c.relname::TEXT, EXISTS (SELECT 1 FROM pg_attribute AS a \
             WHERE a.attrelid = c.oid AND a.attname = 'id' AND a.attidentity <> '') \
         FROM pg_class AS c WHERE c.relnamespace = current_schema()::REGNAMESPACE \
         AND c.relkind = 'r' AND c.relname <> '_sqlx_migrations'";
    let columns = "SELECT a.attname::TEXT AS name, a.atttypid::REGTYPE::TEXT AS type, \
             EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conrelid = a.attrelid \
                 AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) AS is_key \
         FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
         WHERE c.relnamespace = current_schema()::REGNAMESPACE AND c.relname = $1 \
         AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attname";
    let parents = "SELECT p.relname::TEXT FROM pg_constraint AS k \
         JOIN pg_class AS c ON c.oid = k.conrelid JOIN pg_class AS p ON p.oid = k.confrelid \
         WHERE c.relnamespace = current_schema()::REGNAMESPACE AND c.relname = $1 \
         AND k.contype = 'f'";
    let mut found = Vec::new();
    let tables: Vec<(String, bool)> =
        sqlx::query_as(tables).fetch_all(&mut *connection).await.map_err(failed)?;
    for (name, has_sequence) in tables {
        let columns: Vec<Described> = sqlx::query_as(columns)
            .bind(&name)
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        let parents: Vec<String> = sqlx::query_scalar(parents)
            .bind(&name)
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
        found.push(table(name, columns, has_sequence, parents)?);
    }
    ordered(found)
}

fn failed(error: sqlx::Error) -> Fatal {
    Fatal(format!("the tables of the database cannot be read: {error}"))
}

fn table(
    name: String,
    columns: Vec<Described>,
    has_sequence: bool,
    parents: Vec<String>,
) -> Result<Table, Fatal> {
    let columns = columns.into_iter().map(|column| {
        let kind = match &*column.r#type {
            "BOOLEAN" | "boolean" => Kind::Bool,
            "INTEGER" | "bigint" | "integer" | "smallint" => Kind::Int,
            "TEXT" | "text" => Kind::Text,
            "BLOB" | "bytea" => Kind::Bytes,
            "TIMESTAMP" | "timestamp with time zone" => Kind::Time,
            other => {
                return Err(Fatal(format!(
                    "this version cannot move the column {name}.{}, whose type is {other}",
                    column.name
                )));
            }
        };
        Ok(TableColumn { name: column.name, kind, is_key: column.is_key })
    });
    let columns = columns.collect::<Result<_, _>>()?;
    Ok(Table { name, columns, has_sequence, parents: parents.into_iter().collect() })
}

/// Tables in the order in which rows can be written.
fn ordered(tables: Vec<Table>) -> Result<Vec<Table>, Fatal> {
    let mut waiting: BTreeMap<String, Table> =
        tables.into_iter().map(|table| (table.name.clone(), table)).collect();
    let mut ordered = Vec::new();
    while !waiting.is_empty() {
        let is_next =
            // A row refers to rows of its own table that were written before it.
            |table: &&Table| {
                let mut others = table.parents.iter().filter(|parent| **parent != table.name);
                others.all(|parent| !waiting.contains_key(parent))
            };
        let Some(name) = waiting.values().find(is_next).map(|table| table.name.clone()) else {
            let names: Vec<String> = waiting.into_keys().collect();
            return Err(Fatal(format!(
                "this version cannot move tables that refer to each other: {}",
                names.join(", ")
            )));
        };
        ordered.extend(waiting.remove(&name));
    }
    Ok(ordered)
}

/// # Errors
/// One sentence, when a row of the one does not fit into the other.
pub fn compare(from: &[Table], to: &[Table]) -> Result<(), Fatal> {
    for (here, there) in [(from, to), (to, from)] {
        for table in here {
            let other = there.iter().find(|other| other.name == table.name);
            if other.is_none_or(|other| {
                (&other.columns, other.has_sequence) != (&table.columns, table.has_sequence)
            }) {
                return Err(Fatal(format!(
                    "this version cannot move the table {}: it is not the same on both sides",
                    table.name
                )));
            }
        }
    }
    Ok(())
}

//! Writing the rows of a table to the target of a move. However many there are, only a few are in
//! memory at a time.

use chrono::SecondsFormat;
use futures_util::stream::TryStreamExt;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use super::digest::RowsDigest;
use super::schema::Table;
use super::store::{Engine, Store, quoted};
use crate::db::value::Value;
use crate::error::Fatal;

/// How many rows are read between two reports.
const REPORT: u64 = 10_000;
/// How many bytes are sent at a time, if no row is larger.
const CHUNK: usize = 256 * 1024;
/// How many rows a statement of SQLite inserts.
const ROWS: usize = 100;

/// Copies all rows, and returns the digest of what was read. `report` is told how many rows there
/// are so far.
///
/// # Errors
/// One sentence for the operator; the transaction of the target cannot go on.
pub async fn copy(
    source: &mut Store,
    target: &mut Store,
    table: &Table,
    report: impl FnMut(u64),
) -> Result<RowsDigest, Fatal> {
    let to = target.name.clone();
    let written = |error: sqlx::Error| {
        Fatal(format!("the move failed at the table {} of {to}: {error}", table.name))
    };
    let reader = Reader { source, table, report };
    match &mut target.connection {
        Engine::Postgres(connection) => reader.write_to_postgres(connection, written).await,
        Engine::Sqlite(connection) => reader.write_to_sqlite(connection, written).await,
    }
}

/// The digest of the rows that are there.
///
/// # Errors
/// One sentence for the operator.
pub async fn digest(
    store: &mut Store,
    table: &Table,
    mut report: impl FnMut(u64),
) -> Result<RowsDigest, Fatal> {
    let unreadable = unreadable(store, table);
    let mut digest = RowsDigest::default();
    let mut rows = store.rows(table);
    while let Some(row) = rows.try_next().await.map_err(&unreadable)? {
        digest.add(&row);
        if digest.rows.is_multiple_of(REPORT) {
            report(digest.rows);
        }
    }
    Ok(digest)
}

fn unreadable(store: &Store, table: &Table) -> impl Fn(sqlx::Error) -> Fatal + use<> {
    let (name, table) = (store.name.clone(), table.name.clone());
    move |error| Fatal(format!("the table {table} of {name} cannot be read: {error}"))
}

/// What is copied, and who is told how far it is.
struct Reader<'s, R> {
    source: &'s mut Store,
    table: &'s Table,
    report: R,
}

impl<R: FnMut(u64)> Reader<'_, R> {
    async fn write_to_postgres(
        self,
        connection: &mut PgConnection,
        written: impl Fn(sqlx::Error) -> Fatal,
    ) -> Result<RowsDigest, Fatal> {
        let Reader { source, table, mut report } = self;
        let columns: Vec<String> = table.columns.iter().map(|c| quoted(&c.name)).collect();
        let text = format!("COPY {} ({}) FROM STDIN", quoted(&table.name), columns.join(", "));
        let unreadable = unreadable(source, table);
        let mut digest = RowsDigest::default();
        let mut rows = source.rows(table);
        let mut copy = connection.copy_in_raw(&text).await.map_err(&written)?;
        let mut chunk = Vec::with_capacity(CHUNK);
        while let Some(row) = rows.try_next().await.map_err(&unreadable)? {
            digest.add(&row);
            refuse_nul(&row, table)?;
            append_line(&mut chunk, &row);
            if chunk.len() >= CHUNK {
                copy.send(&chunk[..]).await.map_err(&written)?;
                chunk.clear();
            }
            if digest.rows.is_multiple_of(REPORT) {
                report(digest.rows);
            }
        }
        copy.send(&chunk[..]).await.map_err(&written)?;
        copy.finish().await.map_err(&written)?;
        Ok(digest)
    }

    async fn write_to_sqlite(
        self,
        connection: &mut SqliteConnection,
        written: impl Fn(sqlx::Error) -> Fatal,
    ) -> Result<RowsDigest, Fatal> {
        let Reader { source, table, mut report } = self;
        let unreadable = unreadable(source, table);
        let mut digest = RowsDigest::default();
        let mut rows = source.rows(table);
        let (mut waiting, mut size) = (Vec::new(), 0);
        while let Some(row) = rows.try_next().await.map_err(&unreadable)? {
            digest.add(&row);
            size += row.iter().map(bytes).sum::<usize>();
            waiting.push(row);
            if waiting.len() == ROWS || size >= CHUNK {
                insert(connection, table, std::mem::take(&mut waiting)).await.map_err(&written)?;
                size = 0;
            }
            if digest.rows.is_multiple_of(REPORT) {
                report(digest.rows);
            }
        }
        insert(connection, table, waiting).await.map_err(&written)?;
        Ok(digest)
    }
}

/// # Errors
/// When PostgreSQL could not store the row. Postly accepts no such text, but something else may
/// have written it.
fn refuse_nul(row: &[Value], table: &Table) -> Result<(), Fatal> {
    let is_bad = |value: &Value| matches!(value, Value::Text(Some(text)) if text.contains('\0'));
    let Some(n) = row.iter().position(is_bad) else { return Ok(()) };
    let columns = table.columns.iter().zip(row);
    let key: Vec<String> = columns
        .filter(|(column, _)| column.is_key)
        .map(|(column, value)| match value {
            Value::Int(Some(number)) => format!("{} {number}", column.name),
            Value::Text(Some(text)) => format!("{} {text:?}", column.name),
            other => format!("{} {other:?}", column.name),
        })
        .collect();
    let (table, column) = (&table.name, &table.columns[n].name);
    Err(Fatal(format!(
        "the column {table}.{column} of the row with {} has the character NUL, which PostgreSQL \
         cannot store; change it and move again",
        key.join(", ")
    )))
}

/// A row as COPY reads it: <https://www.postgresql.org/docs/current/sql-copy.html>, “Text Format”.
fn append_line(chunk: &mut Vec<u8>, row: &[Value]) {
    const NULL: &[u8] = b"\\N";
    for (n, value) in row.iter().enumerate() {
        if n > 0 {
            chunk.push(b'\t');
        }
        match value {
            Value::Bool(Some(flag)) => chunk.push(if *flag { b't' } else { b'f' }),
            Value::Int(Some(number)) => chunk.extend_from_slice(number.to_string().as_bytes()),
            Value::Text(Some(text)) => {
                for byte in text.bytes() {
                    match byte {
                        b'\\' => chunk.extend_from_slice(b"\\\\"),
                        b'\t' => chunk.extend_from_slice(b"\\t"),
                        b'\n' => chunk.extend_from_slice(b"\\n"),
                        b'\r' => chunk.extend_from_slice(b"\\r"),
                        other => chunk.push(other),
                    }
                }
            }
            Value::Bytes(Some(bytes)) => {
                chunk.extend_from_slice(b"\\\\x");
                let digits = bytes.iter().map(|byte| format!("{byte:02x}"));
                chunk.extend_from_slice(digits.collect::<String>().as_bytes());
            }
            Value::Time(Some(time)) => {
                let text = time.to_rfc3339_opts(SecondsFormat::Micros, true);
                chunk.extend_from_slice(text.as_bytes());
            }
            _ => chunk.extend_from_slice(NULL),
        }
    }
    chunk.push(b'\n');
}

/// Roughly how much memory a value takes.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Text(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}

async fn insert(
    connection: &mut SqliteConnection,
    table: &Table,
    rows: Vec<Vec<Value>>,
) -> Result<(), sqlx::Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let columns: Vec<String> = table.columns.iter().map(|c| quoted(&c.name)).collect();
    let row = format!("({})", vec!["?"; columns.len()].join(", "));
    let text = format!(
        "INSERT INTO {} ({}) VALUES {}",
        quoted(&table.name),
        columns.join(", "),
        vec![row; rows.len()].join(", ")
    );
    // Statements of other lengths are not used again.
    let mut query = sqlx::query(AssertSqlSafe(text)).persistent(rows.len() == ROWS);
    for value in rows.into_iter().flatten() {
        query = match value {
            Value::Bool(v) => query.bind(v),
            Value::Int(v) => query.bind(v),
            Value::Text(v) => query.bind(v),
            Value::Bytes(v) => query.bind(v),
            Value::Time(v) => query.bind(v),
        };
    }
    query.execute(connection).await.map(drop)
}

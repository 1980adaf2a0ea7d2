//! One SQL statement with its values, for either engine.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow};

use super::{Conn, Db, Tx};
use crate::error::{Error, Result};

/// A row type that either engine can fill; `#[derive(FromRow)]` makes one.
pub trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}
impl<T> Row for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}

/// A value bound to a placeholder.
#[derive(Debug, Clone)]
pub enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Time(Option<DateTime<Utc>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(Some(value))
    }
}
impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Value::Int(value)
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(Some(value.to_owned()))
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(Some(value))
    }
}
impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Value::Text(value)
    }
}
impl From<DateTime<Utc>> for Value {
    fn from(value: DateTime<Utc>) -> Self {
        Value::Time(Some(value))
    }
}
impl From<Option<DateTime<Utc>>> for Value {
    fn from(value: Option<DateTime<Utc>>) -> Self {
        Value::Time(value)
    }
}

/// One SQL statement with its values. The text is made of `&'static str` only, so nothing that a
/// person typed can become SQL; the type leaves no other way.
pub struct Query {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// Starts a statement: `sql("SELECT … WHERE id = $1").bind(id)`.
pub fn sql(text: &'static str) -> Query {
    Query { text: Cow::Borrowed(text), values: Vec::new() }
}

/// Binds every value, then runs the statement wherever `$conn` says.
macro_rules! run {
    ($self:ident, $conn:expr, $make:ident $(::<$row:ty>)?, $how:ident) => {{
        let Query { text, values } = $self;
        macro_rules! with {
            ($db:ty, $executor:expr) => {{
                let mut query = sqlx::$make::<$db $(, $row)?>(AssertSqlSafe(text));
                for value in values {
                    query = match value {
                        Value::Int(v) => query.bind(v),
                        Value::Text(v) => query.bind(v),
                        Value::Time(v) => query.bind(v),
                    };
                }
                query.$how($executor).await?
            }};
        }
        match $conn.into() {
            Conn::Reader(Db::Sqlite { readers, .. }) => with!(Sqlite, readers).into(),
            Conn::Writer(Db::Sqlite { writer, .. }) => with!(Sqlite, writer).into(),
            Conn::Reader(Db::Postgres { pool, outage })
            | Conn::Writer(Db::Postgres { pool, outage }) => {
                outage.watch(async { Ok(with!(Postgres, pool)) }).await?.into()
            }
            Conn::Tx(Tx::Sqlite(tx)) => with!(Sqlite, &mut **tx).into(),
            Conn::Tx(Tx::Postgres(tx)) => with!(Postgres, &mut **tx).into(),
        }
    }};
}

impl Query {
    /// Gives the next placeholder its value.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds more SQL.
    pub fn push(mut self, text: &'static str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Adds more SQL and, behind it, a placeholder with this value.
    pub fn push_bind(mut self, text: &'static str, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        let number = self.values.len();
        let whole = self.text.to_mut();
        whole.push_str(text);
        whole.push('$');
        whole.push_str(&number.to_string());
        self
    }

    /// All rows.
    pub async fn all<T: Row>(self, conn: impl Into<Conn<'_>>) -> Result<Vec<T>> {
        Ok(run!(self, conn, query_as::<T>, fetch_all))
    }

    /// The row; none is `Error::NotFound`.
    pub async fn one<T: Row>(self, conn: impl Into<Conn<'_>>) -> Result<T> {
        self.optional(conn).await?.ok_or(Error::NotFound)
    }

    /// The row, if there is one.
    pub async fn optional<T: Row>(self, conn: impl Into<Conn<'_>>) -> Result<Option<T>> {
        // Not `fetch_optional`: it leaves an `INSERT … RETURNING` on SQLite behind its first row,
        // before the commit, and would report a row that a full disk then refuses.
        Ok(self.all(conn).await?.into_iter().next())
    }

    /// Runs the statement; gives the number of rows it touched.
    pub async fn execute(self, conn: impl Into<Conn<'_>>) -> Result<u64> {
        struct Touched(u64);
        impl From<sqlx::sqlite::SqliteQueryResult> for Touched {
            fn from(done: sqlx::sqlite::SqliteQueryResult) -> Self {
                Touched(done.rows_affected())
            }
        }
        impl From<sqlx::postgres::PgQueryResult> for Touched {
            fn from(done: sqlx::postgres::PgQueryResult) -> Self {
                Touched(done.rows_affected())
            }
        }
        let touched: Touched = run!(self, conn, query, execute);
        Ok(touched.0)
    }
}

//! One SQL statement with its values, for either engine.

use std::borrow::Cow;

use sqlx::postgres::{PgRow, Postgres};
use sqlx::sqlite::{Sqlite, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow};

use super::connection::{Conn, Db, Tx};
use super::record::record;
use super::value::Value;
use crate::error::{Error, Result};

/// A row type that both engines can fill: anything with `#[derive(FromRow)]`.
pub trait Row:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}
impl<T> Row for T where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static
{
}

/// One SQL statement with its values. The text consists of `&'static str` only, so that user input
/// can never become SQL.
pub struct Statement {
    text: Cow<'static, str>,
    values: Vec<Value>,
}

/// Starts a statement: `sql("SELECT … WHERE id = $1").bind(id)`.
pub fn sql(text: &'static str) -> Statement {
    Statement { text: Cow::Borrowed(text), values: Vec::new() }
}

/// Binds all values, then runs the statement on `$conn`.
macro_rules! run {
    ($self:ident, $conn:expr, $make:ident $(::<$row:ty>)?, $how:ident) => {{
        let Statement { text, values } = $self;
        record(&text, &values);
        macro_rules! with {
            ($db:ty, $executor:expr) => {{
                let mut query = sqlx::$make::<$db $(, $row)?>(AssertSqlSafe(text));
                for value in values {
                    query = match value {
                        Value::Bool(v) => query.bind(v),
                        Value::Int(v) => query.bind(v),
                        Value::Text(v) => query.bind(v),
                        Value::Bytes(v) => query.bind(v),
                        Value::Time(v) => query.bind(v),
                    };
                }
                query.$how($executor).await?
            }};
        }
        let conn = $conn.into();
        let _write = conn.begin_write();
        match conn {
            Conn::Reader(Db::Sqlite { readers, guard, .. }) => {
                guard.observe(async { Ok(with!(Sqlite, readers)) }).await?.into()
            }
            Conn::Writer(Db::Sqlite { writer, guard, .. }) => {
                guard.write(async { Ok(with!(Sqlite, writer)) }).await?.into()
            }
            Conn::Tx(Tx::Sqlite(tx)) => {
                let (connection, guard) = tx.begin_statement()?;
                let answer = guard.observe(async { Ok(with!(Sqlite, connection)) }).await?;
                tx.end_statement();
                answer.into()
            }
            Conn::Reader(Db::Postgres { pool, breaker, patience, .. })
            | Conn::Writer(Db::Postgres { pool, breaker, patience, .. }) => {
                breaker.call(*patience, async { Ok(with!(Postgres, pool)) }).await?.into()
            }
            Conn::Tx(Tx::Postgres { tx, breaker, patience, is_intact, .. }) => {
                *is_intact = false;
                let answer = async { Ok(with!(Postgres, &mut **tx)) };
                let answer = breaker.call(*patience, answer).await?;
                *is_intact = true;
                answer.into()
            }
        }
    }};
}

impl Statement {
    /// Binds a value to the next placeholder.
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Appends SQL.
    pub fn push(mut self, text: &'static str) -> Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Puts SQL in front: `EXPLAIN`, in tests.
    pub fn prepend(mut self, text: &'static str) -> Self {
        self.text.to_mut().insert_str(0, text);
        self
    }

    /// Both statements, as one text for SQLite: the numbers of the second one's placeholders continue
    /// those of the first.
    pub(super) fn and_then(mut self, second: Statement) -> Self {
        let offset = self.values.len();
        let whole = self.text.to_mut();
        whole.push_str("; ");
        for (n, piece) in second.text.split('$').enumerate() {
            let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
            let number = piece[..piece.len() - rest.len()].parse::<usize>();
            match (n, number) {
                (0, _) => {}
                (_, Ok(number)) => {
                    whole.push('$');
                    whole.push_str(&(offset + number).to_string());
                    whole.push_str(rest);
                    continue;
                }
                (_, Err(_)) => whole.push('$'),
            }
            whole.push_str(piece);
        }
        self.values.extend(second.values);
        self
    }

    /// Appends SQL and a placeholder bound to this value.
    pub fn push_bind(mut self, text: &'static str, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        let number = self.values.len();
        let whole = self.text.to_mut();
        whole.push_str(text);
        whole.push('$');
        whole.push_str(&number.to_string());
        self
    }

    /// Appends SQL and a list of placeholders for `IN`. An empty list matches nothing.
    pub fn push_list<V: Into<Value>>(
        mut self,
        text: &'static str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self = self.push(text).push("(NULL");
        for value in values {
            self = self.push_bind(", ", value);
        }
        self.push(")")
    }

    /// All rows.
    pub async fn all<T: Row>(self, conn: impl Into<Conn<'_>>) -> Result<Vec<T>> {
        Ok(run!(self, conn, query_as::<T>, fetch_all))
    }

    /// The first row; `Error::NotFound` if there is none.
    pub async fn one<T: Row>(self, conn: impl Into<Conn<'_>>) -> Result<T> {
        self.optional(conn).await?.ok_or(Error::NotFound)
    }

    /// The first row, if there is one.
    pub async fn optional<T: Row>(self, conn: impl Into<Conn<'_>>) -> Result<Option<T>> {
        // Not `fetch_optional`: on SQLite it stops an `INSERT … RETURNING` after the first row,
        // before the commit, and would report a row that is then lost if the disk is full.
        Ok(self.all(conn).await?.into_iter().next())
    }

    /// The single column of the first row; `Error::NotFound` if there is none.
    pub async fn scalar<T>(self, conn: impl Into<Conn<'_>>) -> Result<T>
    where
        (T,): Row,
    {
        Ok(self.one::<(T,)>(conn).await?.0)
    }

    /// The single column of the first row, if there is one.
    pub async fn optional_scalar<T>(self, conn: impl Into<Conn<'_>>) -> Result<Option<T>>
    where
        (T,): Row,
    {
        Ok(self.optional::<(T,)>(conn).await?.map(|(value,)| value))
    }

    /// Runs the statement soon, without making the caller wait; see `Deferred::run` for `key`.
    /// `failed` gets its error.
    pub fn execute_later(self, db: &Db, key: String, failed: impl FnOnce(Error) + Send + 'static) {
        let written = db.clone();
        db.common().deferred.run(key, async move {
            if let Err(error) = self.execute(written.writer()).await {
                failed(error);
            }
        });
    }

    /// Runs the statement and returns the number of affected rows.
    pub async fn execute(self, conn: impl Into<Conn<'_>>) -> Result<u64> {
        struct Affected(u64);
        impl From<sqlx::sqlite::SqliteQueryResult> for Affected {
            fn from(result: sqlx::sqlite::SqliteQueryResult) -> Self {
                Affected(result.rows_affected())
            }
        }
        impl From<sqlx::postgres::PgQueryResult> for Affected {
            fn from(result: sqlx::postgres::PgQueryResult) -> Self {
                Affected(result.rows_affected())
            }
        }
        let affected: Affected = run!(self, conn, query, execute);
        Ok(affected.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_placeholders_of_a_second_statement_come_after_those_of_the_first() {
        let first = sql("DELETE FROM a WHERE b = $1").bind(7i64);
        let second = sql("INSERT INTO c VALUES ('$', $1, $2)").bind(8i64).bind(9i64);
        let third = sql("SELECT 1");
        let joined = first.and_then(second).and_then(third);
        let text = "DELETE FROM a WHERE b = $1; INSERT INTO c VALUES ('$', $2, $3); SELECT 1";
        assert_eq!(joined.text, text);
        assert_eq!(joined.values.len(), 3);
    }
}

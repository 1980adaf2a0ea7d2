//! The clock that all instances share.

use chrono::{DateTime, Utc};

use super::connection::{Conn, Db, Tx};
use super::statement::sql;
use super::value::now;
use crate::error::Result;

/// The time of the database server; with SQLite, whose instances share one machine, of the machine.
/// For short periods that several instances measure: their own clocks may differ.
pub async fn shared_now<'c>(conn: impl Into<Conn<'c>>) -> Result<DateTime<Utc>> {
    match conn.into() {
        Conn::Reader(Db::Sqlite { .. })
        | Conn::Writer(Db::Sqlite { .. })
        | Conn::Tx(Tx::Sqlite(_)) => Ok(now()),
        conn => sql("SELECT clock_timestamp()").scalar(conn).await,
    }
}

//! The database: connections, migrations, and one query interface for both engines. All differences
//! between SQLite and PostgreSQL are handled here.

mod backup;
mod circuit_breaker;
mod clock;
mod connect;
mod connection;
mod migrate;
mod record;
mod search;
mod statement;
mod value;

pub use backup::backup;
pub use clock::shared_now;
pub use connect::{is_sqlite, sqlite_path};
pub use connection::{Conn, Db, Lock, Tx};
pub use migrate::{Backfill, Step};
pub use record::recording;
pub use search::{Hits, SearchFrom, SearchTable};
pub use statement::{Row, Statement, sql};
pub use value::{Value, now};

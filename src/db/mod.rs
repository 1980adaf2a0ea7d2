//! The database: connections, migrations, and one query interface for both engines. All differences
//! between SQLite and PostgreSQL are handled here.

mod backup;
mod circuit_breaker;
mod clock;
mod connect;
mod connection;
mod deferred;
mod describe;
mod health;
mod migrate;
mod record;
mod repeat;
mod search;
mod sqlite_file;
mod statement;
mod value;

pub use backup::backup;
pub use clock::shared_now;
pub use connect::{Limits, is_sqlite, sqlite_path};
pub use connection::{Conn, Db, Lock, Tx};
pub use describe::Description;
pub use health::Readiness;
pub use migrate::{Backfill, Step};
pub use record::recording;
pub use repeat::repeat;
pub use search::{Hits, SearchFrom, SearchTable};
pub use statement::{Row, Statement, sql};
pub use value::{Value, now};

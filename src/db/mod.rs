//! The database: connections, migrations, and one query interface for both engines. All differences
//! between SQLite and PostgreSQL are handled here.

mod address;
mod backup;
mod circuit_breaker;
mod connect;
mod connection;
mod files;
mod inspect;
mod migrate;
mod statement;
mod value;

pub use address::{describe, is_sqlite, sqlite_path};
pub use backup::backup;

pub use connection::{Conn, Db, Lock, Tx};
pub use files::{
    companions, create_private_folder, make_private, open_private_file, warn_of_open_folder,
};
pub use inspect::{SchemaState, inspect};
pub use migrate::{Backfill, Step};
pub use statement::{Row, Statement, sql};
pub use value::{Value, now};

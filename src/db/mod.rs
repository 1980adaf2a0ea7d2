//! The database: connections, migrations, and one query interface for both engines. All differences
//! between SQLite and PostgreSQL are handled here.

mod address;
mod backup;
mod batch;
mod circuit_breaker;
mod clock;
mod connect;
mod connection;
mod content_version;
mod deadline;
mod deferred;
mod describe;
mod exclusive;
mod fence;
mod files;
mod freshness;
mod group_commit;
mod health;
mod inspect;
mod integrity;
mod joined;
mod migrate;
mod migrations;
mod pool_use;
mod record;
mod repeat;
mod restore;
mod search;
mod sqlite_file;
mod statement;
mod transfer;
mod upgrade_copy;
mod value;
mod words;

pub use address::{describe, engine, is_sqlite, sqlite_path};
pub use backup::backup;
pub use batch::Batch;
pub use clock::shared_now;
pub use connection::{Conn, Db, Lock, Tx};
pub use content_version::{CONTENT_VERSION, count_content};
pub use describe::Description;
pub use fence::{fenced, set_fence};
pub use files::{
    Space, companions, create_private_folder, is_open_to_others, make_private, open_private_file,
    space, warn_of_open_folder,
};
pub use health::Readiness;
pub use inspect::{Inspection, PendingStep, SchemaState, examine, inspect};
pub use migrations::{Backfill, Step};
pub use pool_use::PoolUse;
pub use record::recording;
pub use repeat::repeat;
pub use restore::{Restored, restore};
pub use search::{Hits, SearchFrom, SearchTable};
pub use statement::{Row, Statement, sql};
pub use transfer::{
    MoveProgress, MovedTable, finish_move, move_database, moved_columns, refuse_running,
};
pub use value::{Value, now};
pub use words::{WordQuery, WordTable};

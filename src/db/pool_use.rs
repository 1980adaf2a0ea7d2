//! How many connections to the database are in use.

use sqlx::{Database, Pool};

use super::connection::Db;

/// A pool of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolUse {
    /// `writer` and `readers` on SQLite, `all` on PostgreSQL.
    pub pool: &'static str,
    pub open: i64,
    pub idle: i64,
    pub max: i64,
}

impl PoolUse {
    fn of<D: Database>(name: &'static str, pool: &Pool<D>) -> PoolUse {
        PoolUse {
            pool: name,
            open: pool.size().into(),
            idle: i64::try_from(pool.num_idle()).unwrap_or(i64::MAX),
            max: pool.options().get_max_connections().into(),
        }
    }
}

impl Db {
    /// The pools of this instance.
    pub fn pool_use(&self) -> Vec<PoolUse> {
        match self {
            Db::Sqlite { writer, readers, .. } => {
                vec![PoolUse::of("writer", writer), PoolUse::of("readers", readers)]
            }
            Db::Postgres { pool, .. } => vec![PoolUse::of("all", pool)],
        }
    }
}

//! Which database this is, for the operator.

use super::address::postgres_place;
use super::connection::Db;
use crate::error::Result;

/// The engine, and where the data is; without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Such as `SQLite 3.50.2`.
    pub engine: String,
    /// The path of the file, or `host:port/database`.
    pub place: String,
}

impl Db {
    pub async fn describe(&self) -> Result<Description> {
        Ok(match self {
            Db::Sqlite { writer, readers, .. } => {
                let version: String =
                    sqlx::query_scalar("SELECT sqlite_version()").fetch_one(readers).await?;
                let options = writer.connect_options();
                let path =
                    std::path::absolute(options.get_filename()).map_err(sqlx::Error::from)?;
                Description {
                    engine: format!("SQLite {version}"),
                    place: path.display().to_string(),
                }
            }
            Db::Postgres { pool, .. } => {
                let version: String =
                    sqlx::query_scalar("SHOW server_version").fetch_one(pool).await?;
                Description {
                    engine: format!("PostgreSQL {version}"),
                    place: postgres_place(&pool.connect_options()),
                }
            }
        })
    }

    /// How many migrations have been applied; none in an empty database.
    pub(super) async fn applied_migrations(&self) -> i64 {
        const COUNT: &str = "SELECT count(*) FROM _sqlx_migrations";
        let counted = match self {
            Db::Sqlite { readers, .. } => sqlx::query_scalar(COUNT).fetch_one(readers).await,
            Db::Postgres { pool, .. } => sqlx::query_scalar(COUNT).fetch_one(pool).await,
        };
        counted.unwrap_or(0)
    }
}

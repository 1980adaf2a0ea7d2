//! Whether the data itself is intact, as far as the engine can tell.

use std::path::PathBuf;

use super::connection::Db;
use crate::error::Result;

/// What is wrong with the tables of PostgreSQL: indexes that an interrupted command left invalid,
/// constraints that were never checked, and pages that were read with a wrong checksum.
const POSTGRES: &str = "SELECT 'the index ' || c.relname || ' is invalid' FROM pg_index i \
     JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisvalid \
     UNION ALL SELECT 'the constraint ' || conname || ' was never checked' FROM pg_constraint \
     WHERE NOT convalidated \
     UNION ALL SELECT checksum_failures || ' pages have a wrong checksum' FROM pg_stat_database \
     WHERE datname = current_database() AND checksum_failures > 0 LIMIT 10";

/// Whether SQLite says that the file is damaged, or no database.
fn is_damage(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code()?.parse::<i32>().ok());
    matches!(code.map(|code| code & 0xff), Some(11 | 26))
}

impl Db {
    /// What is wrong with the data, in the words of the engine; nothing when it is intact. On
    /// SQLite, this reads the whole file.
    pub async fn faults(&self) -> Result<Vec<String>> {
        Ok(match self {
            Db::Sqlite { readers, guard, .. } => {
                let asked = async {
                    let check = sqlx::query_scalar("PRAGMA integrity_check(10)");
                    let mut said: Vec<String> = match check.fetch_all(readers).await {
                        // So damaged that not even the check is possible.
                        Err(error) if is_damage(&error) => return Ok(vec![error.to_string()]),
                        said => said?,
                    };
                    said.retain(|line| line != "ok");
                    let orphans: Vec<String> = sqlx::query_scalar(
                        "SELECT \"table\" || ' refers to a missing row of ' || parent \
                         FROM pragma_foreign_key_check LIMIT 10",
                    )
                    .fetch_all(readers)
                    .await?;
                    said.extend(orphans);
                    Ok(said)
                };
                guard.observe(asked).await?
            }
            Db::Postgres { pool, breaker, .. } => {
                let asked = async { Ok(sqlx::query_scalar(POSTGRES).fetch_all(pool).await?) };
                breaker.call(None, asked).await?
            }
        })
    }

    /// The file of the database; `None` on PostgreSQL.
    pub fn file(&self) -> Option<PathBuf> {
        match self {
            Db::Sqlite { writer, .. } => Some(writer.connect_options().get_filename().to_owned()),
            Db::Postgres { .. } => None,
        }
    }
}

//! Migrations: SQL files for each engine, and code for the backfills that SQL cannot do on both.

use std::pin::Pin;

use sqlx::migrate::Migrator;

use super::connect::lock_file;
use super::connection::{Db, Lock, Tx};
use super::statement::sql;
use super::value::now;
use crate::error::{Error, Fatal, Result};

/// A migration step in Rust, for values that SQL alone cannot compute.
#[derive(Clone, Copy)]
pub struct Backfill {
    /// Recorded in the database when it has finished, so that it does not run again.
    pub name: &'static str,
    /// The number of the SQL migration after which it runs: at least 7, which creates the table
    /// `backfills`. Later SQL migrations can rely on its results.
    pub after: i64,
    /// Processes one batch of rows, in its own transaction.
    pub run: for<'t> fn(&'t mut Tx) -> Running<'t>,
}

/// The future of a batch.
pub type Running<'t> = Pin<Box<dyn Future<Output = Result<Step>> + Send + 't>>;

/// The outcome of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Rows may be left; run another batch.
    Continue,
    Finished,
}

/// The SQL files, embedded at compile time.
pub(super) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
pub(super) static POSTGRES: Migrator = sqlx::migrate!("migrations/postgres");

impl Db {
    /// Brings the schema up to date. Several instances may do so at once.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn migrate(&self, backfills: &[Backfill]) -> Result<(), Fatal> {
        let before = self.applied_migrations().await;
        let mut backfills = backfills.to_vec();
        backfills.sort_by_key(|backfill| backfill.after);
        for backfill in backfills {
            self.migrate_to(Some(backfill.after)).await?;
            self.backfill(&backfill).await.map_err(|e: Error| {
                Fatal(format!("the database cannot be migrated: {}: {e}", backfill.name))
            })?;
        }
        self.migrate_to(None).await?;
        let applied = self.applied_migrations().await - before;
        if applied > 0 {
            tracing::info!(applied, "the database was migrated");
        }
        Ok(())
    }

    async fn migrate_to(&self, target: Option<i64>) -> Result<(), Fatal> {
        let target = target.unwrap_or(i64::MAX);
        let migrated = match self {
            Db::Sqlite { writer, .. } => {
                let _held = lock_file(writer.connect_options().get_filename()).await?;
                SQLITE.run_to(target, writer).await
            }
            Db::Postgres { pool, .. } => POSTGRES.run_to(target, pool).await,
        };
        migrated.map_err(|e| Fatal(format!("the database cannot be migrated: {e}")))
    }

    async fn backfill(&self, backfill: &Backfill) -> Result<()> {
        loop {
            let mut tx = self.begin().await?;
            tx.lock(Lock::Backfills).await?;
            let recorded: i64 = sql("SELECT count(*) FROM backfills WHERE name = $1")
                .bind(backfill.name)
                .scalar(&mut tx)
                .await?;
            if recorded > 0 {
                return Ok(());
            }
            let step = (backfill.run)(&mut tx).await?;
            if step == Step::Finished {
                sql("INSERT INTO backfills (name, finished_at) VALUES ($1, $2)")
                    .bind(backfill.name)
                    .bind(now())
                    .execute(&mut tx)
                    .await?;
            }
            tx.commit().await?;
            if step == Step::Finished {
                return Ok(());
            }
        }
    }
}

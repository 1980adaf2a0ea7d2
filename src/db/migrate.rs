//! Brings a database up to date.

use sqlx::migrate::Migrator;

use super::connect::lock_file;
use super::connection::{Db, Lock};
use super::migrations::{Backfill, POSTGRES, SQLITE, Step};
use super::statement::sql;
use super::upgrade_copy;
use super::value::now;
use crate::error::{Error, Fatal, Result};

impl Db {
    /// Brings the schema up to date. Several instances may do so at once.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub async fn migrate(&self, backfills: &[Backfill]) -> Result<(), Fatal> {
        self.upgrade(backfills, 0).await
    }

    /// `migrate`, but first keeps a copy of an existing SQLite file beside it, and of such copies
    /// the latest `copies`; none with 0.
    ///
    /// # Errors
    /// One sentence for the operator. Nothing was migrated if there is no copy.
    pub async fn upgrade(&self, backfills: &[Backfill], copies: usize) -> Result<(), Fatal> {
        // One instance migrates, and the others wait: only the first makes a copy.
        let _held = match self {
            Db::Sqlite { writer, .. } => {
                let options = writer.connect_options();
                let held = lock_file(options.get_filename()).await?;
                upgrade_copy::keep(options.get_filename(), backfills, copies).await?;
                Some(held)
            }
            Db::Postgres { .. } => None,
        };
        self.run(backfills, false).await
    }

    /// `migrate`, for a database that is marked as the target of a move.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub(super) async fn migrate_target(&self, backfills: &[Backfill]) -> Result<(), Fatal> {
        self.run(backfills, true).await
    }

    async fn run(&self, backfills: &[Backfill], is_marked: bool) -> Result<(), Fatal> {
        let before = self.applied_migrations().await;
        let mut backfills = backfills.to_vec();
        backfills.sort_by_key(|backfill| backfill.after);
        for backfill in backfills {
            self.migrate_to(Some(backfill.after), is_marked).await?;
            self.backfill(&backfill).await.map_err(|e: Error| {
                Fatal(format!("the database cannot be migrated: {}: {e}", backfill.name))
            })?;
        }
        self.migrate_to(None, is_marked).await?;
        let applied = self.applied_migrations().await - before;
        if applied > 0 {
            tracing::info!(applied, "the database was migrated");
        }
        Ok(())
    }

    async fn migrate_to(&self, target: Option<i64>, is_marked: bool) -> Result<(), Fatal> {
        let target = target.unwrap_or(i64::MAX);
        let migrator = |known: &Migrator| {
            let mut migrator = Migrator::with_migrations(known.iter().cloned().collect());
            // The mark is a migration that nobody knows.
            migrator.set_ignore_missing(is_marked);
            migrator
        };
        let migrated = match self {
            Db::Sqlite { writer, .. } => migrator(&SQLITE).run_to(target, writer).await,
            Db::Postgres { pool, .. } => migrator(&POSTGRES).run_to(target, pool).await,
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

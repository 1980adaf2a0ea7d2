//! `postly move`.

use std::time::Duration;

use clap::Args;

use super::operator::{self, Access};
use crate::config::Config;
use crate::db::{self, Db, MoveProgress, MovedTable, SchemaState};
use crate::error::{AuditFault, Error, Fatal};
use crate::models;
use crate::models::audit::chain::{self, Verification};
use crate::models::base::site::Site;

#[derive(Args)]
pub struct MoveArguments {
    /// The new database, which must be empty: postgres://user@host/database or sqlite:PATH. A
    /// password can be in the environment as PGPASSWORD, or in ~/.pgpass
    #[arg(long, value_name = "URL")]
    to: String,
    /// Do not refuse while Postly is running; what it writes in the meantime is not moved
    #[arg(long)]
    online: bool,
}

/// Tables with more rows than this report how far they are.
const LARGE: u64 = 10_000;

pub async fn run(config: &Config, arguments: &MoveArguments) -> Result<(), Fatal> {
    let MoveArguments { to, online } = arguments;
    let from = &config.database_url;
    // Before anything is opened: what is wrong here concerns the option.
    let renamed = |Fatal(text): Fatal| Fatal(text.replace("DATABASE_URL", "--to"));
    let target = db::describe(to).map_err(renamed)?;
    let state = db::inspect(to, models::BACKFILLS, Duration::ZERO).await.map_err(renamed)?;
    if !matches!(state, SchemaState::Missing | SchemaState::Unfinished) {
        return Err(Fatal(format!(
            "the database {target} is not empty; move to a new one, since nothing is overwritten"
        )));
    }
    if !online {
        db::refuse_running(from).await?;
    }
    let site = operator::site(config, Access::Existing).await?;
    eprintln!("Moving to: {target}");
    let before = verify(&site).await?;
    site.db.close().await;

    let moved = db::move_database(from, to, *online, models::BACKFILLS, report).await?;
    let site = Site { db: Db::connect(to, 2, Duration::from_secs(10)).await?, ..site };
    let after = verify(&site).await?;
    site.db.close().await;
    compare(&before, &after)?;
    db::finish_move(to).await?;
    print(&moved);
    if let Err(fault) = after {
        eprintln!(
            "Its audit log is as broken as it was: {}",
            Fatal::from(Error::AuditBroken(fault))
        );
    }
    eprintln!(
        "Everything was moved to {target}. Let DATABASE_URL name it, and start Postly again."
    );
    if config.secrets.is_none() {
        eprintln!(
            "Set POSTLY_SECRET_KEY to the lines of {}, newest first, with commas in between.",
            config.data_dir.join("secret.key").display()
        );
    }
    Ok(())
}

/// A broken audit log is moved as it is.
async fn verify(site: &Site) -> Result<Result<Verification, AuditFault>, Fatal> {
    match chain::verify(site).await {
        Ok(verification) => Ok(Ok(verification)),
        Err(Error::AuditBroken(fault)) => Ok(Err(fault)),
        Err(error) => Err(error.into()),
    }
}

/// # Errors
/// When the audit log has suffered.
fn compare(
    before: &Result<Verification, AuditFault>,
    after: &Result<Verification, AuditFault>,
) -> Result<(), Fatal> {
    match (before, after) {
        // A running server may have added events in between.
        (Ok(before), Ok(after)) if before.end.id <= after.end.id => Ok(()),
        (Err(_), Err(_)) => Ok(()),
        _ => Err(Fatal::new("the audit log is not the same after the move; please report this")),
    }
}

/// Not to standard output, which scripts read.
fn report(progress: MoveProgress<'_>) {
    let MoveProgress { table, is_check, rows, total } = progress;
    if total > LARGE {
        let what = if is_check { "compared" } else { "copied" };
        eprintln!("{table}: {rows} of {total} rows {what}");
    }
}

fn print(moved: &[MovedTable]) {
    for MovedTable { name, rows, hash } in moved {
        println!("{name}\t{rows}\t{hash}");
    }
}

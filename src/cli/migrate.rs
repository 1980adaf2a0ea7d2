//! `postly migrate`.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::operator::{self, Access};
use crate::config::Config;
use crate::db::{self, PendingStep, SchemaState};
use crate::error::Fatal;
use crate::models;

/// With `--plan`, when something would run. Not 1, which is an error, nor 2, which is wrong usage.
const PENDING: u8 = 3;

#[derive(Args)]
pub struct MigrateArguments {
    /// Print what would run, and change nothing. The exit code is 3 if something would run, and 0
    /// if the database is up to date
    #[arg(long)]
    plan: bool,
}

pub async fn run(config: &Config, arguments: &MigrateArguments) -> Result<ExitCode, Fatal> {
    if arguments.plan {
        return plan(config).await;
    }
    operator::database(config, Access::Migrate).await?.close().await;
    println!("The database is up to date.");
    Ok(ExitCode::SUCCESS)
}

async fn plan(config: &Config) -> Result<ExitCode, Fatal> {
    let url = &config.database_url;
    let found = db::examine(url, models::BACKFILLS, Duration::ZERO).await?;
    operator::check(url, found.state, Access::Migrate)?;
    operator::announce(url)?;
    if found.state == SchemaState::Current {
        println!("The database is up to date.");
        return Ok(ExitCode::SUCCESS);
    }
    match found.state {
        SchemaState::Missing => println!("The database would be created by:"),
        _ => println!("The database has migration {}. These would run:", found.version),
    }
    for step in &found.pending {
        match step {
            PendingStep::Migration(number, name) => println!("{number:04} {name}"),
            PendingStep::Backfill(name) => println!("     backfill: {name}"),
        }
    }
    if found.state == SchemaState::Older && db::is_sqlite(url)? && config.upgrade_copies > 0 {
        println!("A copy of the file would be kept beside it.");
    }
    Ok(ExitCode::from(PENDING))
}

//! `postly restore`.

use std::path::PathBuf;

use clap::Args;

use super::operator;
use crate::config::Config;
use crate::db::{self, Restored};
use crate::error::Fatal;
use crate::models;

#[derive(Args)]
pub struct RestoreArguments {
    /// The copy, as made by `postly backup`; it stays as it is
    file: PathBuf,
}

pub async fn run(config: &Config, arguments: &RestoreArguments) -> Result<(), Fatal> {
    let file = &arguments.file;
    let Restored { is_older, replaced } =
        db::restore(&config.database_url, file, models::BACKFILLS).await?;
    operator::announce(&config.database_url)?;
    println!("{} was restored. Start Postly again.", file.display());
    if let Some(replaced) = replaced {
        println!("The database that it replaces is kept as {}.", replaced.display());
    }
    if is_older {
        println!("It is older than this version: it will be migrated at the start.");
    }
    Ok(())
}

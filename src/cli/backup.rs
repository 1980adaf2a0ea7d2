//! `postly backup`.

use std::path::PathBuf;

use clap::Args;

use crate::config::Config;
use crate::db;
use crate::error::Fatal;

#[derive(Args)]
pub struct BackupArguments {
    /// The file to create; it must not exist yet
    file: PathBuf,
}

pub async fn run(config: &Config, arguments: &BackupArguments) -> Result<(), Fatal> {
    // Without migrating: the backup may be needed to go back to the old version.
    // Silent, since cron mails whatever a command prints.
    db::backup(&config.database_url, &arguments.file).await
}

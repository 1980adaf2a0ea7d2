//! `postly keys`.

use clap::Subcommand;

use super::operator;
use crate::config::{Config, secret_keys};
use crate::error::Fatal;

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Add a new signing key to the generated file; used from the next start on
    Rotate {
        /// How many older keys to keep; tokens signed with them stay valid
        #[arg(long, default_value_t = 1)]
        keep: usize,
    },
}

pub async fn run(config: &Config, command: &KeysCommand) -> Result<(), Fatal> {
    let KeysCommand::Rotate { keep } = command;
    if config.secrets.is_some() {
        return Err(Fatal::new(
            "the keys are set in POSTLY_SECRET_KEY: add a new one in front, separated by a comma, \
             and restart every instance",
        ));
    }
    operator::require_current(config).await?;
    operator::announce(&config.database_url)?;
    let (path, count) = secret_keys::rotate(&config.database_url, *keep)?;
    println!("{} has a new key and {} older. Restart Postly to use it.", path.display(), count - 1);
    Ok(())
}

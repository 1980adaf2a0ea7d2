//! `postly keys`.

use clap::Subcommand;

use crate::config::{Config, secret_keys};
use crate::error::Fatal;

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Put a new key into the generated file; it signs from the next start on
    Rotate {
        /// How many of the older keys stay, whose tokens are still good
        #[arg(long, default_value_t = 1)]
        keep: usize,
    },
}

pub fn run(config: &Config, command: &KeysCommand) -> Result<(), Fatal> {
    let KeysCommand::Rotate { keep } = command;
    if config.is_key_configured {
        return Err(Fatal::new(
            "the keys are configured in POSTLY_SECRET_KEY: put a new one before them, separated \
             by a comma, and restart every instance",
        ));
    }
    let (path, count) = secret_keys::rotate(&config.database_url, *keep)?;
    println!("{} has a new key and {} older. Restart Postly to use it.", path.display(), count - 1);
    Ok(())
}

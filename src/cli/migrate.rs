//! `postly migrate`.

use super::operator::{self, Access};
use crate::config::Config;
use crate::error::Fatal;

pub async fn run(config: &Config) -> Result<(), Fatal> {
    operator::database(config, Access::Migrate).await?.close().await;
    println!("The database is up to date.");
    Ok(())
}

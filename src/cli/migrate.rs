//! `postly migrate`.

use super::operator;
use crate::config::Config;
use crate::error::Fatal;

pub async fn run(config: &Config) -> Result<(), Fatal> {
    operator::database(config).await?.close().await;
    println!("The database is up to date.");
    Ok(())
}

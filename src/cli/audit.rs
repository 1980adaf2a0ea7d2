//! `postly audit`.

use clap::Subcommand;

use super::operator::{self, Access};
use crate::config::Config;
use crate::error::Fatal;
use crate::models::audit::{self, Checkpoint};

#[derive(Subcommand)]
pub enum AuditCommand {
    /// Check that no event was changed or removed
    Verify {
        /// Checkpoint printed by an earlier verification (NUMBER:HASH) that must still match
        #[arg(long)]
        expect: Option<String>,
    },
}

pub async fn run(config: &Config, command: &AuditCommand) -> Result<(), Fatal> {
    let AuditCommand::Verify { expect } = command;
    let db = operator::database(config, Access::Existing).await?;
    let end = audit::verify(&db).await?;
    if let Some(expect) = expect {
        let checkpoint: Checkpoint =
            expect.parse().map_err(|()| Fatal::new("--expect must be NUMBER:HASH"))?;
        audit::verify_checkpoint(&db, &checkpoint).await?;
    }
    println!("{} events, none changed or missing. Checkpoint: {}:{}", end.id, end.id, end.hash);
    db.close().await;
    Ok(())
}

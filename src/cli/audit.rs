//! `postly audit`.

use clap::Subcommand;

use super::operator::{self, Access};
use crate::config::Config;
use crate::error::Fatal;
use crate::models::audit::chain::{self, Checkpoint, Verification};

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
    let site = operator::site(config, Access::Existing).await?;
    let Verification { end, sealed, erased } = chain::verify(&site).await?;
    if let Some(expect) = expect {
        let checkpoint: Checkpoint =
            expect.parse().map_err(|()| Fatal::new("--expect must be NUMBER:HASH"))?;
        chain::verify_checkpoint(&site.db, &checkpoint).await?;
    }
    print!("{} events, none changed or missing.", end.id - sealed);
    if sealed > 0 {
        print!(" Older events, up to number {sealed}, are sealed.");
    }
    if erased > 0 {
        print!(" Details of {erased} were erased with their accounts.");
    }
    println!(" Checkpoint: {}:{}", end.id, end.hash);
    site.db.close().await;
    Ok(())
}

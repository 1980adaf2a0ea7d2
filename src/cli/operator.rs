//! What the commands share: opening the site, and errors for the operator.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::db::Db;
use crate::error::{AuditFault, Error, Fatal};
use crate::models;
use crate::models::base::attempts::Attempts;
use crate::models::base::hasher::Hasher;
use crate::models::base::keys::Keys;
use crate::models::base::pool::Pool;
use crate::models::base::site::Site;
use crate::web::cause::Cause;
use crate::web::response::messages;

/// Connects to the database and brings it up to date.
pub async fn database(config: &Config) -> Result<Db, Fatal> {
    let db = Db::connect(&config.database_url, 2, Duration::from_secs(10)).await?;
    db.migrate(models::BACKFILLS).await?;
    Ok(db)
}

/// Builds the `Site` for a command.
pub async fn site(config: &Config) -> Result<Site, Fatal> {
    let origin = config.public_url.origin();
    Ok(Site {
        db: database(config).await?,
        hasher: Hasher::new(config.bcrypt_cost)?,
        renderer: Pool::default(),
        keys: Arc::new(Keys::new(&config.secret_key, &config.older_keys, origin)),
        rules: config.rules,
        reserved_names: config.reserved_names.clone(),
        breached_passwords: config.breached_passwords.clone(),
        limits: config.limits,
        attempts: Attempts::default(),
    })
}

/// Turns an error of the site into a message for the operator.
impl From<Error> for Fatal {
    fn from(error: Error) -> Fatal {
        Fatal(match error {
            Error::AuditBroken(AuditFault::Sealed { id, at, instead }) => format!(
                "event {id} was sealed on {} and is no longer stored, so it cannot be compared; \
                 expect {instead} instead",
                at.format("%Y-%m-%d")
            ),
            Error::AuditBroken(fault) => format!("the audit log is broken: {}", broken(fault)),
            Error::Database(error) => format!("the database failed: {error}"),
            Error::Internal(what) => what,
            error => messages::detail(&Cause::Site(error)),
        })
    }
}

fn broken(fault: AuditFault) -> String {
    match fault {
        AuditFault::Missing(id) => format!("event {id} is missing"),
        AuditFault::Changed(id) => format!("event {id} was changed"),
        AuditFault::DetailsChanged(id) => format!("the details of event {id} were changed"),
        AuditFault::DetailsMissing(id) => {
            format!("the details of event {id} are missing, although the account was not deleted")
        }
        AuditFault::Seal(id) => format!("the seal up to event {id} was changed"),
        AuditFault::UnknownKey { id, key } => format!(
            "the signature of the seal up to event {id} cannot be checked, since its key {key} is \
             unknown; add the key to POSTLY_SECRET_KEY again, behind the others"
        ),
        AuditFault::Sealed { id, .. } => format!("event {id} was sealed"),
        AuditFault::Head => "the record of the last event was changed".to_owned(),
        AuditFault::Checkpoint(id) => format!("event {id} does not match the checkpoint"),
    }
}

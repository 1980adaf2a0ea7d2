//! What the commands share: opening the site, and errors for the operator.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Config;
use crate::db::{self, Db, SchemaState};
use crate::error::{AuditFault, Error, Fatal};
use crate::models;
use crate::models::base::attempts::Attempts;
use crate::models::base::hasher::Hasher;
use crate::models::base::metrics::Metrics;
use crate::models::base::pool::Pool;
use crate::models::base::settings::Settings;
use crate::models::base::site::Site;
use crate::web::cause::Cause;
use crate::web::response::messages;

/// What a command may do to the database.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Use one that this version has made.
    Existing,
    /// Also create a missing one.
    Create,
    /// Also bring an older one up to date.
    Migrate,
}

/// Connects to the database, and prints which one it is.
///
/// # Errors
/// One sentence for the operator; nothing was created or changed.
pub async fn database(config: &Config, access: Access) -> Result<Db, Fatal> {
    let db = open(config, access).await?;
    announce(&config.database_url)?;
    Ok(db)
}

/// Connects to the database without a word.
///
/// # Errors
/// As of `database`.
pub async fn open(config: &Config, access: Access) -> Result<Db, Fatal> {
    let url = &config.database_url;
    let state = inspect(config, access).await?;
    let db = Db::connect(url, 2, Duration::from_secs(10)).await?;
    // Once it is open, nobody can restore another one in its place.
    let state = match db::is_sqlite(url)? {
        true => inspect(config, access).await?,
        false => state,
    };
    if state != SchemaState::Current {
        db.upgrade(models::BACKFILLS, config.upgrade_copies).await?;
    }
    Ok(db)
}

/// Creates the database, or brings it up to date, for a server that then opens it. One that is current is
/// not opened.
///
/// # Errors
/// As of `database`.
pub async fn prepare(config: &Config) -> Result<(), Fatal> {
    if inspect(config, Access::Migrate).await? != SchemaState::Current {
        open(config, Access::Migrate).await?.close().await;
    }
    Ok(())
}

/// The state of the database, in which the command can use it.
async fn inspect(config: &Config, access: Access) -> Result<SchemaState, Fatal> {
    // The server and the migration are often started together with PostgreSQL.
    let patience = Duration::from_secs(if access == Access::Migrate { 8 } else { 0 });
    let state = db::inspect(&config.database_url, models::BACKFILLS, patience).await?;
    check(&config.database_url, state, access)?;
    Ok(state)
}

/// Fails unless the database exists and this version has made it.
///
/// # Errors
/// As of `database`.
pub async fn require_current(config: &Config) -> Result<(), Fatal> {
    inspect(config, Access::Existing).await.map(drop)
}

/// Not on standard output, which scripts read.
pub fn announce(url: &str) -> Result<(), Fatal> {
    eprintln!("Database: {}", db::describe(url)?);
    Ok(())
}

/// # Errors
/// When the command cannot use a database in this state.
pub fn check(url: &str, state: SchemaState, access: Access) -> Result<(), Fatal> {
    let name = db::describe(url)?;
    Err(Fatal(match state {
        SchemaState::Current => return Ok(()),
        SchemaState::Missing if access != Access::Existing => return Ok(()),
        SchemaState::Older if access == Access::Migrate => return Ok(()),
        SchemaState::Missing => format!(
            "there is no database at {name}; check DATABASE_URL and the folder you are in. \
             `postly serve`, `migrate`, `user add` and `demo` create one"
        ),
        SchemaState::Older => format!(
            "the database {name} was made by another version of Postly, which is older: make a \
             backup, then run `postly migrate`"
        ),
        SchemaState::Newer => format!(
            "the database {name} was made by another version of Postly, which is newer: use that \
             version, or restore a backup from before the upgrade"
        ),
        SchemaState::Different => format!(
            "the database {name} was made by another version of Postly: its migrations differ from \
             those of this version"
        ),
        SchemaState::Foreign => {
            format!("the database {name} belongs to another program: it has no tables of Postly")
        }
        SchemaState::Unfinished => format!(
            "the database {name} was not filled completely: repeat `postly move`, with DATABASE_URL \
             naming the database that the site comes from"
        ),
    }))
}

/// Builds the `Site` for a command.
pub async fn site(config: &Config, access: Access) -> Result<Site, Fatal> {
    Ok(Site {
        db: database(config, access).await?,
        hasher: Hasher::new(config.bcrypt_cost),
        renderer: Pool::default(),
        keys: Arc::new(config.keys()?),
        rules: config.rules,
        settings: Settings::new(config.fixed.clone()),
        reserved_names: config.reserved_names.clone(),
        breached_passwords: config.breached_passwords.clone(),
        limits: config.limits,
        attempts: Attempts::default(),
        metrics: Metrics::new(db::engine(&config.database_url)?)?,
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
            Error::AuditBroken(fault) => format!("the audit log is broken: {fault}"),
            Error::Database(error) => format!("the database failed: {error}"),
            Error::Internal(what) => what,
            error => messages::detail(&Cause::Site(error)),
        })
    }
}

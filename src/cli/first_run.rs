//! Before the server starts on a site that has never had an admin: creates the configured one, or
//! the link to the page that does.

use std::fs::Permissions;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::config::Config;
use crate::db;
use crate::error::{Error, Fatal};
use crate::models::base::caller::Caller;
use crate::models::base::site::Site;
use crate::models::moderation::first_run;
use crate::routes::admin::setup::SetupLink;

/// # Errors
/// When the configured admin cannot be created.
pub async fn prepare(config: &Config, site: &Site, file: Option<&SetupLink>) -> Result<(), Fatal> {
    if let Some(admin) = &config.first_admin {
        match first_run::create_admin(site, &Caller::operator(), admin).await {
            // There has been one already: the setting concerns the first start only.
            Err(Error::NotFound) => {}
            created => {
                let user = created?.user;
                tracing::info!(username = user.username, "the first admin was created");
            }
        }
    }
    let Some(file) = file else { return Ok(()) };
    let Some(secret) = first_run::secret(site).await? else {
        file.remove();
        return Ok(());
    };
    let link = format!("{}/setup?token={secret}", config.public_url.origin());
    if let Err(error) = write(file.file(), &link) {
        tracing::warn!(%error, "the setup link cannot be written to {}", file.file().display());
    }
    file.set(link);
    Ok(())
}

/// Replaces the file; only its owner can read it.
fn write(path: &Path, link: &str) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    db::create_private_folder(folder)?;
    let permissions = Permissions::from_mode(0o600);
    let mut file = tempfile::Builder::new().permissions(permissions).tempfile_in(folder)?;
    writeln!(file, "{link}")?;
    file.persist(path)?;
    Ok(())
}

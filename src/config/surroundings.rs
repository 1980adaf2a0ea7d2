//! What surrounds the site, as far as the configuration tells, and what is unwise about it.

use super::{Config, data_dir};
use crate::db;
use crate::error::Fatal;
use crate::jobs::surroundings::Surroundings;

impl Config {
    /// # Errors
    /// When `DATABASE_URL` cannot be read.
    pub fn surroundings(&self) -> Result<Surroundings, Fatal> {
        let mut private = Vec::new();
        let mut folder = None;
        if db::is_sqlite(&self.database_url)? {
            let path = data_dir(&self.database_url)?;
            private.extend(db::companions(&db::sqlite_path(&self.database_url)?));
            private.push(path.join("secret.key"));
            private.push(path.join("setup-link"));
            let is_here = path.as_os_str().is_empty();
            folder = Some(if is_here { ".".into() } else { path });
        }
        Ok(Surroundings {
            database_url: self.database_url.clone(),
            private,
            folder,
            origin: self.public_url.origin().to_owned(),
            advice: self.advice(),
        })
    }

    /// What is right at home, but hardly on the Internet; one sentence each.
    pub fn advice(&self) -> Vec<String> {
        let address = self.listens_at.ip();
        let mut advice = Vec::new();
        if address.is_loopback() {
            return advice;
        }
        if self.public_url.is_default() {
            advice.push(format!(
                "ROCKET_ADDRESS={address} lets other machines connect, but POSTLY_PUBLIC_URL is \
                 not set: forms from any other address than {} are refused",
                self.public_url.origin()
            ));
        }
        if self.trusted_proxies.is_empty() {
            advice.push(format!(
                "ROCKET_ADDRESS={address} lets other machines connect, but POSTLY_TRUSTED_PROXIES \
                 is not set: a public site needs a proxy in front of it that stops slow and \
                 excessive clients, and its address belongs there"
            ));
        }
        advice
    }
}

//! Running the site: commands, health, the log, static files.

mod commands;
mod flows;
mod health;
mod healthcheck;
mod log;
mod operator;
mod requests;
mod static_files;
mod systemd;

use crate::support::permission::Permission;

pub fn permissions() -> Vec<Permission> {
    [health::permissions(), static_files::permissions()].concat()
}

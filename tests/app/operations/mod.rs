//! Running the site: commands, health, the log, static files.

mod appearance;
mod commands;
mod doctor;
mod flows;
mod guide;
mod handbook;
mod health;
mod healthcheck;
mod instructions;
mod log;
mod metrics;
mod operator;
mod requests;
mod static_files;
mod systemd;
mod upgrades;

use crate::support::permission::Permission;

pub fn permissions() -> Vec<Permission> {
    [appearance::permissions(), health::permissions(), static_files::permissions()].concat()
}

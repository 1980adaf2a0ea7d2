//! What `serve` tells the operator when it starts.

use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

use crate::config::{Config, data_dir};
use crate::db;
use crate::error::Fatal;

/// Closes files of the site that other users of the machine can read, and says so.
///
/// # Errors
/// When `DATABASE_URL` cannot be read.
pub fn check_files(config: &Config) -> Result<(), Fatal> {
    if !db::is_sqlite(&config.database_url)? {
        return Ok(());
    }
    let folder = data_dir(&config.database_url)?;
    db::warn_of_open_folder(&folder);
    db::make_private(&folder.join("secret.key"));
    for file in db::companions(&db::sqlite_path(&config.database_url)?) {
        db::make_private(&file);
    }
    Ok(())
}

/// Warns of what is right at home, but hardly on the Internet.
pub fn warn(config: &Config) {
    for advice in config.advice() {
        tracing::warn!("{advice}");
    }
}

/// Why a server cannot listen at an address, and which variable to change: `setting`.
pub fn cannot_listen(address: SocketAddr, setting: &str, error: &Error) -> Fatal {
    let (ip, port) = (address.ip(), address.port());
    let setting_of_ip = if setting == "ROCKET_PORT" { "ROCKET_ADDRESS" } else { setting };
    Fatal(match error.kind() {
        ErrorKind::AddrInUse => format!(
            "port {port} of {ip} is taken by another program, perhaps another Postly; end it, or \
             choose another port with {setting}"
        ),
        ErrorKind::PermissionDenied => format!(
            "port {port} needs more rights than this user has; choose one from 1024 up with \
             {setting}"
        ),
        ErrorKind::AddrNotAvailable => {
            format!("this machine does not have the address {ip}; change {setting_of_ip}")
        }
        _ => format!("the server cannot listen on {ip}, port {port}: {error}"),
    })
}

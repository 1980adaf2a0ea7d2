//! Logging setup.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Logs to standard error; `RUST_LOG` sets the level.
pub fn to_stderr(format: LogFormat) {
    // We log a line for each request; Rocket's own routing log would duplicate it.
    // The same holds for sqlx, whose pool reports each broken connection.
    let default = "info,rocket=error,rocket::server::_=off,rocket_dyn_templates=error,\
                   sqlx_core::pool=off";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

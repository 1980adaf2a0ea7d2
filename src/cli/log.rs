//! Logging setup.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Logs to standard error; `RUST_LOG` sets the level.
pub fn to_stderr(format: LogFormat) {
    // We log a line for each request, and one for each failure; what Rocket says about routing, its
    // macros about guards, and the pool of sqlx about broken connections would duplicate them.
    let quiet = "rocket=error,rocket::server::_=off,rocket_dyn_templates=error,\
                 postly::routes=error,sqlx_core::pool=off";
    let level = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(format!("{quiet},{level}"))
        .unwrap_or_else(|_| EnvFilter::new(format!("{quiet},info")));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

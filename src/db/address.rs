//! What `DATABASE_URL` says, and what is said about it to the operator.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;

use crate::error::Fatal;

/// Whether a URL is for SQLite; otherwise it is for PostgreSQL.
pub fn is_sqlite(url: &str) -> Result<bool, Fatal> {
    match url.split_once(':') {
        Some(("sqlite", _)) => Ok(true),
        Some(("postgres" | "postgresql", _)) => Ok(false),
        _ => Err(Fatal::new("DATABASE_URL must begin with sqlite: or postgres://")),
    }
}

/// The name of the engine of a URL.
///
/// # Errors
/// As of `is_sqlite`.
pub fn engine(url: &str) -> Result<&'static str, Fatal> {
    Ok(if is_sqlite(url)? { "sqlite" } else { "postgresql" })
}

/// The file of a `sqlite:` URL.
///
/// # Errors
/// When it has parameters: Postly opens the file in its own way, and would ignore `?mode=ro`.
pub fn sqlite_path(url: &str) -> Result<PathBuf, Fatal> {
    if url.split_once('?').is_some_and(|(_, parameters)| parameters != "mode=rwc") {
        return Err(Fatal::new(
            "DATABASE_URL must be sqlite:PATH without parameters: Postly itself decides how it \
             opens the file, and commands that only read change nothing",
        ));
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|e| Fatal(format!("DATABASE_URL cannot be read: {e}")))?;
    let path = options.get_filename().to_owned();
    if url.contains(":memory:") || path.as_os_str().is_empty() {
        return Err(Fatal::new("DATABASE_URL must name a file: sqlite:PATH"));
    }
    Ok(path)
}

/// The parameters of a PostgreSQL URL that sqlx knows; it ignores others.
const PARAMETERS: [&str; 18] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

/// Parses a PostgreSQL URL.
///
/// # Errors
/// When it is malformed or has an unknown parameter; a mistyped `sslmode` must not be ignored. The
/// sentence does not repeat the URL, which contains a password.
pub(super) fn postgres_options(url: &str) -> Result<PgConnectOptions, Fatal> {
    let malformed = "DATABASE_URL must be postgres://USER:PASSWORD@HOST:PORT/DATABASE; special \
         characters in the password must be percent-encoded, such as %40 for @";
    let parsed = url::Url::parse(url).map_err(|_| Fatal::new(malformed))?;
    for (name, _) in parsed.query_pairs() {
        if !PARAMETERS.contains(&&*name) && !name.starts_with("options[") {
            return Err(Fatal(format!(
                "DATABASE_URL has an unknown parameter {name:?}; known are {}",
                PARAMETERS.join(", ")
            )));
        }
    }
    PgConnectOptions::from_str(url).map_err(|_| Fatal::new(malformed))
}

/// Names the database in messages: the absolute path of the SQLite file, or host, port and name of
/// the PostgreSQL database, never the password.
///
/// # Errors
/// One sentence for the operator.
pub fn describe(url: &str) -> Result<String, Fatal> {
    if is_sqlite(url)? {
        return Ok(absolute(&sqlite_path(url)?));
    }
    Ok(postgres_place(&postgres_options(url)?))
}

/// The whole path of a file, for messages.
pub(super) fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or(path.to_owned()).display().to_string()
}

/// The options by which the commands of PostgreSQL find the server, never the password; and the name
/// of the database.
pub(super) fn postgres_flags(url: &str) -> Result<(String, String), Fatal> {
    let options = postgres_options(url)?;
    let socket = options.get_socket().map(|socket| socket.display().to_string());
    let host = socket.unwrap_or_else(|| options.get_host().to_owned());
    let (port, user) = (options.get_port(), options.get_username());
    let database = options.get_database().unwrap_or(user).to_owned();
    Ok((format!("--host={host} --port={port} --username={user}"), database))
}

/// Host, port and name of a PostgreSQL database.
pub(super) fn postgres_place(options: &PgConnectOptions) -> String {
    let server = match options.get_socket() {
        Some(socket) => socket.display().to_string(),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    let database = options.get_database().unwrap_or(options.get_username());
    format!("{server}/{database}")
}

/// Why a PostgreSQL database cannot be used, in words that tell the operator where to look. Never
/// contains the password.
pub(super) fn unreachable(url: &str, error: &sqlx::Error) -> Fatal {
    let name = describe(url).unwrap_or_default();
    let code = error.as_database_error().and_then(|e| e.code());
    Fatal(match (error, code.as_deref()) {
        (_, Some("28P01" | "28000")) => format!(
            "PostgreSQL refuses the log-in to {name}: {error}; check the user and the password in \
             DATABASE_URL"
        ),
        (_, Some("3D000")) => {
            format!(
                "PostgreSQL answers, but has no such database as {name}; create it with: createdb"
            )
        }
        (_, Some("53300")) => format!(
            "PostgreSQL has no free connection for {name}: {error}; raise its max_connections, or \
             lower max_connections in Rocket.toml"
        ),
        (_, Some("57P03")) => format!("PostgreSQL is not ready yet for {name}: {error}"),
        (sqlx::Error::PoolTimedOut, _) => format!(
            "the PostgreSQL database {name} cannot be reached: nothing answered in time; the server \
             may hang, or a firewall may be in between"
        ),
        (sqlx::Error::Io(e), _) if e.kind() == std::io::ErrorKind::ConnectionRefused => format!(
            "the PostgreSQL database {name} cannot be reached: the connection was refused; is the \
             server running there?"
        ),
        _ => format!("the PostgreSQL database {name} cannot be reached: {error}"),
    })
}

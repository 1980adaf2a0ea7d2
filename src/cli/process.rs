//! The process itself: its limits, the mode of its files, its environment.

use std::path::Path;

use rustix::fs::Mode;
use rustix::process::{Resource, getrlimit, setrlimit, umask};

use crate::error::Fatal;

/// Creates files for their owner only, and allows as many open files as the system does: each
/// connection needs one, and the soft limit is often 1,024.
pub fn set_up() {
    umask(Mode::from_raw_mode(0o077));
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // With the lower limit it still works.
    let _ = setrlimit(Resource::Nofile, limit);
}

/// Reads `.env` in the working folder, and in no folder above it: what lies there may belong to
/// somebody else.
///
/// # Errors
/// One sentence for the operator. It does not repeat the line, which may contain a password.
pub fn read_dotenv() -> Result<(), Fatal> {
    let file = Path::new(".env");
    // Python calls a folder so.
    if file.is_dir() {
        return Ok(());
    }
    match dotenvy::from_path(file) {
        Ok(()) => Ok(()),
        Err(error) if error.not_found() => Ok(()),
        Err(dotenvy::Error::LineParse(line, _)) => {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let number = text.lines().position(|other| other.trim() == line.trim());
            let place = number.map_or("a line".to_owned(), |number| format!("line {}", number + 1));
            Err(Fatal(format!(
                "the file .env cannot be read: {place} is not NAME=value; put a value with spaces \
                 or special characters in single quotes"
            )))
        }
        Err(dotenvy::Error::Io(error)) => {
            Err(Fatal(format!("the file .env cannot be read: {error}")))
        }
        Err(_) => Err(Fatal::new("the file .env cannot be read")),
    }
}

//! The signing secrets: configured, or generated at the first start and stored in a file.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::db;
use crate::error::Fatal;

/// Minimum length of a signing secret in bytes (RFC 7518 §3.2: at least the size of the hash, 256
/// bits).
const BYTES: usize = 32;

/// The secret that signs, and older ones that still verify.
pub type Secrets = (String, Vec<String>);

/// Parses the configured secrets, separated by commas or whitespace, newest first. Returns the
/// newest and the older ones.
///
/// # Errors
/// When there is none, or one is weak.
pub fn configured(text: &str) -> Result<(String, Vec<String>), Fatal> {
    let mut secrets = Vec::new();
    for part in text.split([',', ' ', '\r', '\n', '\t']).filter(|part| !part.is_empty()) {
        secrets.push(check(part)?);
    }
    newest_first(secrets).ok_or_else(weak)
}

fn newest_first(mut secrets: Vec<String>) -> Option<(String, Vec<String>)> {
    if secrets.is_empty() {
        return None;
    }
    let newest = secrets.remove(0);
    Some((newest, secrets))
}

fn weak() -> Fatal {
    Fatal(format!(
        "POSTLY_SECRET_KEY is too weak: use at least {BYTES} random characters, for example from \
         `openssl rand -base64 48`; several are separated by commas, the newest first"
    ))
}

/// Rejects secrets that are short, repetitive or copied from an example.
fn check(secret: &str) -> Result<String, Fatal> {
    let mut letters: Vec<u8> = secret.bytes().collect();
    letters.sort_unstable();
    letters.dedup();
    let lower = secret.to_lowercase();
    let placeholder = ["change", "secret", "example", "placeholder", "password", "postly"]
        .iter()
        .any(|word| lower.contains(word));
    if secret.len() < BYTES || letters.len() < 10 || placeholder {
        return Err(weak());
    }
    Ok(secret.to_owned())
}

/// The secrets in the file next to the SQLite database; one is generated at the first start.
pub fn generated(database_url: &str) -> Result<(String, Vec<String>), Fatal> {
    let (folder, path) = paths(database_url)?;
    let fails = |e| Fatal(format!("the secret file {} cannot be used: {e}", path.display()));
    let secrets = read_or_create(&folder, &path).map_err(fails)?;
    newest_first(secrets).ok_or_else(weak)
}

/// Adds a new secret to the generated file and keeps `keep` of the older ones. Returns the file's
/// path and the number of secrets that it now contains.
///
/// # Errors
/// On PostgreSQL, which has no such file, or when the file cannot be read or written.
pub fn rotate(database_url: &str, keep: usize) -> Result<(PathBuf, usize), Fatal> {
    let (folder, path) = paths(database_url)?;
    let fails = |e| Fatal(format!("the secret file {} cannot be used: {e}", path.display()));
    let mut secrets = read_or_create(&folder, &path).map_err(fails)?;
    secrets.truncate(keep);
    secrets.insert(0, generate().map_err(fails)?);
    // Atomically, so that a server that starts now reads either the old file or the new one.
    let file = temp_file(&folder, &secrets).map_err(fails)?;
    file.persist(&path).map_err(|e| fails(e.error))?;
    Ok((path, secrets.len()))
}

/// # Errors
/// On PostgreSQL, where the secrets must be configured.
pub fn require_file(database_url: &str) -> Result<(), Fatal> {
    paths(database_url).map(|_| ())
}

fn paths(database_url: &str) -> Result<(PathBuf, PathBuf), Fatal> {
    if !db::is_sqlite(database_url)? {
        return Err(Fatal::new(
            "POSTLY_SECRET_KEY must be set when Postly runs on PostgreSQL, since all instances \
             share it",
        ));
    }
    let database = db::sqlite_path(database_url)?;
    let folder = database.parent().map(Path::to_owned).unwrap_or_else(|| PathBuf::from("."));
    let path = folder.join("secret.key");
    Ok((folder, path))
}

fn generate() -> std::io::Result<String> {
    let mut random = [0u8; 48];
    getrandom::fill(&mut random).map_err(|_| std::io::Error::other("no randomness"))?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}

/// A temporary file in the same folder, with one secret per line.
fn temp_file(folder: &Path, secrets: &[String]) -> std::io::Result<tempfile::NamedTempFile> {
    let mut file = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    file.write_all(secrets.join("\n").as_bytes())?;
    file.as_file().sync_all()?;
    Ok(file)
}

fn read_or_create(folder: &Path, path: &Path) -> std::io::Result<Vec<String>> {
    db::create_private_folder(folder)?;
    if let Some(found) = read(path)? {
        return Ok(found);
    }
    // Written to a temporary file and linked into place, so that no other process reads a partial
    // secret; if two processes start at once, the first one wins.
    let file = temp_file(folder, &[generate()?])?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(e) if e.error.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e.error),
    }
    read(path)?.ok_or_else(|| std::io::Error::other("it disappeared"))
}

fn read(path: &Path) -> std::io::Result<Option<Vec<String>>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    let secrets: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    if secrets.is_empty() || secrets.iter().any(|secret| secret.len() < BYTES) {
        return Err(std::io::Error::other(
            "it contains no valid secret; delete it to generate a new one",
        ));
    }
    Ok(Some(secrets))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_are_short_repeated_or_copied_are_refused() {
        const GOOD: &str = "p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6";
        for bad in ["", " , ", "short", &"a".repeat(64), "please-change-me-please-change-me-0123"] {
            assert!(configured(bad).is_err(), "{bad:?}");
            assert!(configured(&format!("{GOOD},{bad}x")).is_err(), "{bad:?} behind a good one");
        }
        assert_eq!(configured(GOOD).unwrap(), (GOOD.to_owned(), vec![]));
        let second = GOOD.replace('p', "q");
        let both = configured(&format!("{second}, {GOOD}")).unwrap();
        assert_eq!(both, (second, vec![GOOD.to_owned()]));
    }

    #[test]
    fn the_generated_secret_is_kept_and_private_and_rotates() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/new/postly.db", folder.path().display());
        let first = generated(&url).unwrap();
        assert_eq!(first, generated(&url).unwrap());
        let (path, count) = rotate(&url, 1).unwrap();
        assert_eq!(count, 2);
        let (newest, older) = generated(&url).unwrap();
        assert!(newest != first.0 && older == [first.0.clone()]);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        rotate(&url, 1).unwrap();
        let (_, older) = generated(&url).unwrap();
        assert_eq!(older, [newest], "the oldest is dropped");
    }
}

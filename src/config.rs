//! Configuration: `Rocket.toml`, `ROCKET_*`, `POSTLY_*` and `DATABASE_URL` in one figment, checked
//! before anything is bound.

use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::{Figment, Profile};
use serde::Deserialize;
use url::Url;

use crate::db;
use crate::error::{Error, Result};

/// Everything that Postly is told from outside.
#[derive(Clone)]
pub struct Config {
    /// Rocket's own configuration, with the database in it.
    pub figment: Figment,
    pub database_url: String,
    /// Signs the tokens; at least 32 bytes.
    pub secret_key: String,
    pub public_url: PublicUrl,
    /// bcrypt's cost: the logarithm to base 2 of its rounds.
    pub bcrypt_cost: u32,
    pub log_format: LogFormat,
    /// How long it serves on, though not ready, once it is told to end.
    pub drain: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// The `postly` table of the figment: `POSTLY_*`, or `[default.postly]` in `Rocket.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Options {
    secret_key: Option<String>,
    public_url: Option<String>,
    bcrypt_cost: u32,
    log_format: LogFormat,
    drain_seconds: u64,
}

impl Config {
    /// Reads the surroundings: `Rocket.toml`, then the environment over it.
    ///
    /// # Errors
    /// `Error::Internal` with one sentence for the operator.
    pub fn load() -> Result<Config> {
        let options = Env::prefixed("POSTLY_")
            .filter(|key| !key.starts_with("test_"))
            .map(|key| format!("postly.{key}").into());
        let database = Env::raw().only(&["DATABASE_URL"]).map(|_| "databases.postly.url".into());
        let file = Env::var_or("ROCKET_CONFIG", "Rocket.toml");
        Self::from_figment(
            Self::defaults()
                .merge(Toml::file(file).nested())
                .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
                .merge(options.global())
                .merge(database.global())
                .select(Profile::from_env_or("ROCKET_PROFILE", rocket::Config::DEFAULT_PROFILE)),
        )
    }

    /// What holds when nobody says otherwise.
    pub fn defaults() -> Figment {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        Figment::from(rocket::Config::default())
            .merge(("ident", "Postly"))
            // Any client could write Rocket's default, X-Real-IP.
            .merge(("ip_header", false))
            // A post of 100,000 characters, each encoded as up to twelve bytes.
            .merge(("limits.form", "2MiB"))
            .merge(("limits.json", "2MiB"))
            .merge(("databases.postly.url", "sqlite:data/postly.db"))
            .merge(("databases.postly.max_connections", (cores * 4).max(8)))
            .merge(("databases.postly.connect_timeout", 5))
            .merge(("postly.bcrypt_cost", 12))
            .merge(("postly.log_format", "text"))
            .merge(("postly.drain_seconds", 0))
            // `web::drain` listens instead; then what is under way has these seconds, and a
            // connection that does nothing one more.
            .merge(("shutdown.ctrlc", false))
            .merge(("shutdown.signals", Vec::<String>::new()))
            .merge(("shutdown.grace", 5))
            .merge(("shutdown.mercy", 1))
    }

    /// Takes everything out of `figment` and checks it.
    pub fn from_figment(figment: Figment) -> Result<Config> {
        let unreadable =
            |e: rocket::figment::Error| Error::Internal(format!("the configuration is wrong: {e}"));
        let rocket: rocket::Config = figment.extract().map_err(unreadable)?;
        let options: Options = figment.extract_inner("postly").map_err(unreadable)?;
        let database_url: String =
            figment.extract_inner("databases.postly.url").map_err(unreadable)?;

        // A debug build may hash faster: its tests make thousands of accounts.
        let floor = if cfg!(debug_assertions) { 4 } else { 10 };
        if !(floor..=16).contains(&options.bcrypt_cost) {
            return Err(Error::Internal(format!(
                "POSTLY_BCRYPT_COST must lie between {floor} and 16"
            )));
        }
        let public_url = match options.public_url {
            Some(url) => PublicUrl::parse(&url)?,
            None => PublicUrl::loopback(rocket.port),
        };
        let secret_key = match options.secret_key {
            Some(key) => check_secret(key)?,
            None => generated_secret(&database_url)?,
        };
        Ok(Config {
            figment,
            database_url,
            secret_key,
            public_url,
            bcrypt_cost: options.bcrypt_cost,
            log_format: options.log_format,
            drain: Duration::from_secs(options.drain_seconds),
        })
    }
}

/// The site's public origin: links, cookie flags and the cross-origin check follow it.
#[derive(Debug, Clone)]
pub struct PublicUrl {
    origin: String,
    https: bool,
    /// The same loopback site under its other name, while no address is configured.
    alias: Option<String>,
}

impl PublicUrl {
    /// Reads `https://example.org` or `http://host:port`; a path, query or password is refused.
    pub fn parse(text: &str) -> Result<PublicUrl> {
        let wrong = || {
            Error::Internal(format!(
                "POSTLY_PUBLIC_URL must be an origin such as https://posts.example, not {text:?}"
            ))
        };
        let url = Url::parse(text).map_err(|_| wrong())?;
        let bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !bare || !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
            return Err(wrong());
        }
        Ok(PublicUrl {
            origin: url.origin().ascii_serialization(),
            https: url.scheme() == "https",
            alias: None,
        })
    }

    /// The default: this machine alone, by either of its usual names.
    fn loopback(port: u16) -> PublicUrl {
        PublicUrl {
            origin: format!("http://127.0.0.1:{port}"),
            https: false,
            alias: Some(format!("http://localhost:{port}")),
        }
    }

    /// The origin as a browser writes it, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn is_https(&self) -> bool {
        self.https
    }

    /// Whether an `Origin` header names this site.
    pub fn is_origin(&self, origin: &str) -> bool {
        origin == self.origin || self.alias.as_deref() == Some(origin)
    }
}

/// Fewest bytes of a signing secret (RFC 7518 §3.2: at least the size of the hash, 256 bits).
const SECRET_BYTES: usize = 32;

/// Refuses secrets that are short, that repeat themselves or that were copied from an example.
fn check_secret(key: String) -> Result<String> {
    let mut letters: Vec<u8> = key.bytes().collect();
    letters.sort_unstable();
    letters.dedup();
    let lower = key.to_lowercase();
    let placeholder = ["change", "secret", "example", "placeholder", "password", "postly"]
        .iter()
        .any(|word| lower.contains(word));
    if key.len() < SECRET_BYTES || letters.len() < 10 || placeholder {
        return Err(Error::Internal(format!(
            "POSTLY_SECRET_KEY is too weak: give at least {SECRET_BYTES} random characters, \
             for example from `openssl rand -base64 48`"
        )));
    }
    Ok(key)
}

/// The secret that lies beside the SQLite file; made at the first start.
fn generated_secret(database_url: &str) -> Result<String> {
    if !db::is_sqlite(database_url)? {
        return Err(Error::Internal(
            "POSTLY_SECRET_KEY must be set when Postly runs on PostgreSQL, since all instances \
             share it"
                .to_owned(),
        ));
    }
    let database = db::sqlite_path(database_url)?;
    let folder = database.parent().map(Path::to_owned).unwrap_or_else(|| PathBuf::from("."));
    let path = folder.join("secret.key");
    read_or_make_secret(&folder, &path)
        .map_err(|e| Error::Internal(format!("the secret file {} fails: {e}", path.display())))
}

fn read_or_make_secret(folder: &Path, path: &Path) -> std::io::Result<String> {
    std::fs::create_dir_all(folder)?;
    if let Some(found) = read_secret(path)? {
        return Ok(found);
    }
    let mut random = [0u8; 48];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| std::io::Error::other("no randomness"))?;
    // Written aside and linked into place, so that no other process ever reads half a secret and
    // of two that start at once the first one wins.
    let mut file = tempfile::Builder::new()
        .permissions(std::fs::Permissions::from_mode(0o600))
        .tempfile_in(folder)?;
    file.write_all(BASE64_URL_SAFE_NO_PAD.encode(random).as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(e) if e.error.kind() == ErrorKind::AlreadyExists => {}
        Err(e) => return Err(e.error),
    }
    read_secret(path)?.ok_or_else(|| std::io::Error::other("it vanished"))
}

fn read_secret(path: &Path) -> std::io::Result<Option<String>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text.trim().to_owned(),
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(e),
    };
    if text.len() < SECRET_BYTES {
        return Err(std::io::Error::other("it holds no secret; remove it to have a new one made"));
    }
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_that_are_short_repeated_or_copied_are_refused() {
        for weak in ["", "short", &"a".repeat(64), "please-change-me-please-change-me-0123"] {
            assert!(check_secret(weak.to_owned()).is_err(), "{weak:?}");
        }
        assert!(check_secret("p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6".to_owned()).is_ok());
    }

    #[test]
    fn a_public_url_is_an_origin() {
        for wrong in
            ["posts.example", "ftp://a.example", "https://a.example/x", "https://u@a.example"]
        {
            assert!(PublicUrl::parse(wrong).is_err(), "{wrong:?}");
        }
        let url = PublicUrl::parse("https://Posts.example:443/").unwrap();
        assert_eq!(url.origin(), "https://posts.example");
        assert!(url.is_https());
        assert!(!url.is_origin("http://posts.example"));
    }

    #[test]
    fn the_generated_secret_is_kept_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}/new/postly.db", folder.path().display());
        let first = generated_secret(&url).unwrap();
        assert_eq!(first, generated_secret(&url).unwrap());
        let mode = folder.path().join("new/secret.key").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

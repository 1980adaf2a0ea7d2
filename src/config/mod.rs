//! Configuration: `Rocket.toml`, `ROCKET_*`, `POSTLY_*` and `DATABASE_URL` in one figment, checked
//! before anything is bound.

pub mod keys;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use lettre::message::Mailbox;
use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::{Figment, Profile};
use serde::Deserialize;
use url::Url;

use crate::db;
use crate::error::{Error, Result};
use crate::mail::Route;
use crate::models::email::Rules;

/// Everything that Postly is told from outside.
#[derive(Clone)]
pub struct Config {
    /// Rocket's own configuration, with the database in it.
    pub figment: Figment,
    pub database_url: String,
    /// Signs the tokens; at least 32 bytes.
    pub secret_key: String,
    /// Whether the secrets were given, rather than kept in the generated file.
    pub is_key_configured: bool,
    /// Secrets from before, whose tokens are still good.
    pub older_keys: Vec<String>,
    pub public_url: PublicUrl,
    /// bcrypt's cost: the logarithm to base 2 of its rounds.
    pub bcrypt_cost: u32,
    pub log_format: LogFormat,
    /// How long it serves on, though not ready, once it is told to end.
    pub drain: Duration,
    pub email: Rules,
    pub mail: Mail,
    /// Proxies whose word about a client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// How mails leave, and from whom.
#[derive(Clone)]
pub struct Mail {
    pub route: Route,
    pub from: Mailbox,
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
    trusted_proxies: Option<String>,
    mail_url: Option<String>,
    mail_from: Option<String>,
    email_required: bool,
    posting_needs_verified_email: bool,
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
            .merge(("postly.email_required", false))
            .merge(("postly.posting_needs_verified_email", false))
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
        let public_url = match &options.public_url {
            Some(url) => PublicUrl::parse(url)?,
            None => PublicUrl::loopback(rocket.port),
        };
        let mail = mail(&options, &database_url)?;
        let email = Rules {
            sends_mail: mail.route.reaches_people(),
            required: options.email_required,
            verified_to_post: options.posting_needs_verified_email,
        };
        let is_key_configured = options.secret_key.is_some();
        let (secret_key, older_keys) = match options.secret_key {
            Some(keys) => keys::configured(&keys)?,
            None => keys::generated(&database_url)?,
        };
        Ok(Config {
            figment,
            database_url,
            secret_key,
            older_keys,
            is_key_configured,
            public_url,
            bcrypt_cost: options.bcrypt_cost,
            log_format: options.log_format,
            email,
            mail,
            trusted_proxies: networks(options.trusted_proxies.as_deref().unwrap_or_default())?,
            drain: Duration::from_secs(options.drain_seconds),
        })
    }
}

/// Without a server, mails go to the log of a debug build, otherwise into a folder beside the database.
fn mail(options: &Options, database_url: &str) -> Result<Mail> {
    let route = match &options.mail_url {
        Some(url) => Route::parse(url)?,
        None if cfg!(debug_assertions) => Route::Log,
        None => Route::Folder(beside(database_url)?.join("outbox")),
    };
    let from = match &options.mail_from {
        Some(from) => from.as_str(),
        None if route.reaches_people() => {
            return Err(Error::Internal(
                "POSTLY_MAIL_FROM must name the sender, such as Postly <post@posts.example>"
                    .to_owned(),
            ));
        }
        None => "Postly <postly@localhost>",
    };
    let from = from
        .parse()
        .map_err(|e| Error::Internal(format!("POSTLY_MAIL_FROM must be an e-mail address: {e}")))?;
    Ok(Mail { route, from })
}

/// The folder of the SQLite file; `data` when there is none.
fn beside(database_url: &str) -> Result<PathBuf> {
    if !db::is_sqlite(database_url)? {
        return Ok(PathBuf::from("data"));
    }
    let path = db::sqlite_path(database_url)?;
    Ok(path.parent().map(Path::to_owned).unwrap_or_else(|| PathBuf::from(".")))
}

/// Reads `10.0.0.0/8, 2001:db8::1`: networks and single addresses.
fn networks(text: &str) -> Result<Vec<IpNet>> {
    text.split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let address = || part.parse::<IpAddr>().map(IpNet::from);
            part.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
                Error::Internal(format!(
                    "POSTLY_TRUSTED_PROXIES must be networks such as 10.0.0.0/8, not {part:?}"
                ))
            })
        })
        .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn trusted_proxies_are_networks_or_addresses() {
        let read = networks("127.0.0.1, 10.0.0.0/8 2001:db8::/32").unwrap();
        assert_eq!(read.len(), 3);
        assert!(read[0].contains(&"127.0.0.1".parse::<IpAddr>().unwrap()));
        assert!(networks("").unwrap().is_empty());
        for wrong in ["localhost", "10.0.0.0/33", "*"] {
            assert!(networks(wrong).is_err(), "{wrong}");
        }
    }
}

//! Configuration: `Rocket.toml`, `ROCKET_*`, `POSTLY_*` and `DATABASE_URL` in one figment,
//! validated before the server listens.

mod first_admin;
mod invalid;
pub mod limits;
pub mod mail;
pub mod networks;
mod secret_files;
pub mod secret_keys;
mod service_links;
pub mod sources;
mod surroundings;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rocket::figment::Figment;
use rocket::figment::providers::Serialized;
use serde::Deserialize;

use self::mail::MailConfig;
use self::secret_keys::Secrets;
use crate::db;
use crate::error::Fatal;
use crate::models::base::breached_passwords::BreachedPasswords;
use crate::models::base::keys::Keys;
use crate::models::base::rate_policy::RateLimits;
use crate::models::base::settings::{FixedSettings, RegistrationPolicy, parse_site_name};
use crate::models::base::site::{Rules, TwoFactorPolicy};
use crate::models::moderation::first_run::FirstRunInput;
use crate::models::users::reserved_names::ReservedNames;
use crate::web::public_url::PublicUrl;
use crate::web::security::cors::CorsOrigins;

/// All configuration.
#[derive(Clone)]
pub struct Config {
    /// Rocket's own configuration, including the database.
    pub figment: Figment,
    pub database_url: String,
    /// The configured secrets; without them, the generated file is used.
    pub secrets: Option<Secrets>,
    pub public_url: PublicUrl,
    /// Where the server listens.
    pub listens_at: SocketAddr,
    /// The bcrypt cost: the base-2 logarithm of the number of rounds.
    pub bcrypt_cost: u32,
    pub log_format: LogFormat,
    /// Where the metrics are served, if anywhere.
    pub metrics_address: Option<SocketAddr>,
    /// How long to keep serving after SIGTERM while not ready.
    pub drain: Duration,
    pub rules: Rules,
    /// Settings that admins cannot change in pages.
    pub fixed: FixedSettings,
    /// The first admin of a new site, for unattended installations.
    pub first_admin: Option<FirstRunInput>,
    /// The folder of generated files.
    pub data_dir: PathBuf,
    pub reserved_names: ReservedNames,
    pub breached_passwords: Option<Arc<BreachedPasswords>>,
    pub limits: RateLimits,
    pub mail: MailConfig,
    /// The URI in `security.txt`.
    pub security_contact: Option<String>,
    /// Other sites whose scripts may use the API.
    pub cors: CorsOrigins,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<IpNet>,
    /// How many copies of the SQLite file are kept from before upgrades.
    pub upgrade_copies: usize,
    /// How much memory may be used to keep finished answers.
    pub cache_megabytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// Extracted as a whole: errors name the path to their setting.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Tables {
    postly: Options,
}

/// The `postly` table of the figment: `POSTLY_*`, or `[default.postly]` in `Rocket.toml`. A test
/// compares it with README.md and .env.example.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Options {
    secret_key: Option<String>,
    secret_key_file: Option<PathBuf>,
    database_password_file: Option<PathBuf>,
    public_url: Option<String>,
    bcrypt_cost: u32,
    log_format: LogFormat,
    metrics_address: Option<String>,
    trusted_proxies: Option<String>,
    mail_url: Option<String>,
    mail_password_file: Option<PathBuf>,
    mail_from: Option<String>,
    mail_ca: Option<PathBuf>,
    site_name: Option<String>,
    registration: Option<RegistrationPolicy>,
    email_required: Option<bool>,
    posting_needs_verified_email: Option<bool>,
    setup_username: Option<String>,
    setup_password_file: Option<PathBuf>,
    setup_email: Option<String>,
    require_two_factor: TwoFactorPolicy,
    breached_passwords: Option<PathBuf>,
    drain_seconds: u64,
    reserved_names: Option<String>,
    audit_retention_days: Option<u32>,
    statement_timeout_seconds: u64,
    lock_timeout_seconds: u64,
    limits: Option<String>,
    security_contact: Option<String>,
    cors_origins: Option<String>,
    oauth_password_grant: bool,
    upgrade_copies: usize,
    cache_megabytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            secret_key: None,
            secret_key_file: None,
            database_password_file: None,
            public_url: None,
            bcrypt_cost: 12,
            log_format: LogFormat::Text,
            metrics_address: None,
            trusted_proxies: None,
            mail_url: None,
            mail_password_file: None,
            mail_from: None,
            mail_ca: None,
            site_name: None,
            registration: None,
            email_required: None,
            posting_needs_verified_email: None,
            setup_username: None,
            setup_password_file: None,
            setup_email: None,
            require_two_factor: TwoFactorPolicy::None,
            breached_passwords: None,
            drain_seconds: 0,
            reserved_names: None,
            audit_retention_days: None,
            statement_timeout_seconds: 5,
            lock_timeout_seconds: 2,
            limits: None,
            security_contact: None,
            cors_origins: None,
            oauth_password_grant: true,
            upgrade_copies: 3,
            cache_megabytes: 16,
        }
    }
}

impl Config {
    /// Reads `Rocket.toml`; environment variables override it.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub fn load() -> Result<Config, Fatal> {
        Self::from_figment(sources::figment())
    }

    /// Our defaults for Rocket's settings; `Options` has those of `POSTLY_*`.
    pub fn defaults() -> Figment {
        sources::defaults()
    }

    /// Extracts and validates all settings.
    ///
    /// # Errors
    /// One sentence for the operator.
    pub fn from_figment(mut figment: Figment) -> Result<Config, Fatal> {
        let invalid = |e: rocket::figment::Error| invalid::invalid(&e);
        let rocket: rocket::Config = figment.extract().map_err(invalid)?;
        let Tables { postly: options } = figment.extract().map_err(invalid)?;
        let mut database_url: String =
            figment.extract_inner("databases.postly.url").map_err(invalid)?;
        if let Some(file) = &options.database_password_file {
            let name = "POSTLY_DATABASE_PASSWORD_FILE";
            database_url = secret_files::with_password("DATABASE_URL", &database_url, name, file)?;
            // Rocket opens the pool. Above what the environment says.
            figment = figment.merge(Serialized::global("databases.postly.url", &database_url));
        }

        // A debug build allows cheaper hashes: the tests create thousands of accounts.
        let min_cost = if cfg!(debug_assertions) { 4 } else { 10 };
        if !(min_cost..=16).contains(&options.bcrypt_cost) {
            return Err(Fatal(format!("POSTLY_BCRYPT_COST must be between {min_cost} and 16")));
        }
        let (statement, lock) = (options.statement_timeout_seconds, options.lock_timeout_seconds);
        for (name, seconds) in [("STATEMENT", statement), ("LOCK", lock)] {
            if !(1..=3_600).contains(&seconds) {
                return Err(Fatal(format!(
                    "POSTLY_{name}_TIMEOUT_SECONDS must be between 1 and 3600"
                )));
            }
        }
        // Rocket opens the pool, and passes on its table of the figment.
        let figment = figment
            .merge(("databases.postly.statement_timeout", statement))
            .merge(("databases.postly.lock_timeout", lock));
        let public_url = match &options.public_url {
            Some(url) => PublicUrl::parse(url)?,
            None => PublicUrl::loopback(rocket.port),
        };
        if options.security_contact.as_deref().is_some_and(|contact| !is_contact(contact)) {
            return Err(Fatal::new(
                "POSTLY_SECURITY_CONTACT must be a URI such as mailto:security@posts.example, \
                 https://posts.example/security or tel:+1-201-555-0123",
            ));
        }
        let data_dir = data_dir(&database_url)?;
        let mail_url = match (options.mail_url, &options.mail_password_file) {
            (url, None) => url,
            (url, Some(file)) => {
                let (url, name) = (url.unwrap_or_default(), "POSTLY_MAIL_PASSWORD_FILE");
                Some(secret_files::with_password("POSTLY_MAIL_URL", &url, name, file)?)
            }
        };
        let (url, from) = (mail_url.as_deref(), options.mail_from.as_deref());
        let mail = MailConfig::parse(url, from, options.mail_ca.as_deref(), &data_dir)?;
        let sends_mail = mail.transport.delivers();
        let site_name = options.site_name.as_deref().map(parse_site_name).transpose();
        let fixed = FixedSettings {
            site_name: site_name.map_err(|_| {
                Fatal::new("POSTLY_SITE_NAME must have 1 to 40 characters, on one line")
            })?,
            registration: options.registration,
            email_required: options.email_required,
            posting_needs_verified_email: options.posting_needs_verified_email,
        };
        let first_admin = first_admin::parse(
            options.setup_username,
            options.setup_password_file.as_deref(),
            options.setup_email,
        )?;
        let metrics_address = options.metrics_address.as_deref().map(metrics_address);
        let file = options.secret_key_file.as_deref();
        let secrets = secret_files::either("POSTLY_SECRET_KEY", options.secret_key, file)?;
        let secrets = secrets.as_deref().map(secret_keys::configured).transpose()?;
        if secrets.is_none() {
            secret_keys::require_file(&database_url)?;
        }
        let list = options.breached_passwords.as_deref().map(BreachedPasswords::open);
        let breached_passwords = list.transpose()?.map(Arc::new);
        if options.audit_retention_days.is_some_and(|days| !(1..=36_500).contains(&days)) {
            return Err(Fatal::new("POSTLY_AUDIT_RETENTION_DAYS must be between 1 and 36500"));
        }
        if options.cache_megabytes > 65_536 {
            return Err(Fatal::new("POSTLY_CACHE_MEGABYTES must be between 0 and 65536"));
        }
        Ok(Config {
            figment,
            database_url,
            secrets,
            public_url,
            listens_at: SocketAddr::new(rocket.address, rocket.port),
            bcrypt_cost: options.bcrypt_cost,
            log_format: options.log_format,
            metrics_address: metrics_address.transpose()?,
            reserved_names: ReservedNames::new(
                options.reserved_names.as_deref().unwrap_or_default(),
            ),
            rules: Rules {
                sends_mail,
                two_factor: options.require_two_factor,
                audit_retention_days: options.audit_retention_days,
                password_grant: options.oauth_password_grant,
            },
            fixed,
            first_admin,
            data_dir,
            breached_passwords,
            limits: limits::parse(options.limits.as_deref().unwrap_or_default())?,
            mail,
            security_contact: options.security_contact,
            cors: CorsOrigins::parse(options.cors_origins.as_deref().unwrap_or_default())?,
            trusted_proxies: networks::parse(
                options.trusted_proxies.as_deref().unwrap_or_default(),
            )?,
            drain: Duration::from_secs(options.drain_seconds),
            upgrade_copies: options.upgrade_copies,
            cache_megabytes: options.cache_megabytes,
        })
    }
}

impl Config {
    /// The signing keys. Without configured ones, the first call creates the file with a new one;
    /// so a command that must not create anything does not call this.
    ///
    /// # Errors
    /// One sentence for the operator, when the file cannot be used.
    pub fn keys(&self) -> Result<Keys, Fatal> {
        let (newest, older) = match &self.secrets {
            Some(secrets) => secrets.clone(),
            None => secret_keys::generated(&self.database_url)?,
        };
        Ok(Keys::new(&newest, &older, self.public_url.origin()))
    }
}

/// Whether RFC 9116 allows it as a contact; on one line, so that it adds no other field.
fn is_contact(text: &str) -> bool {
    let is_known = ["mailto:", "https://", "tel:"].iter().any(|scheme| text.starts_with(scheme));
    is_known && text.bytes().all(|b| b.is_ascii_graphic()) && url::Url::parse(text).is_ok()
}

/// Where the metrics are served.
fn metrics_address(text: &str) -> Result<SocketAddr, Fatal> {
    text.trim().parse().map_err(|_| {
        Fatal::new("POSTLY_METRICS_ADDRESS must be an address with a port, such as 127.0.0.1:9464")
    })
}

/// The folder of the SQLite file; `data` on PostgreSQL.
pub fn data_dir(database_url: &str) -> Result<PathBuf, Fatal> {
    if !db::is_sqlite(database_url)? {
        return Ok(PathBuf::from("data"));
    }
    let path = db::sqlite_path(database_url)?;
    Ok(path.parent().map(Path::to_owned).unwrap_or_else(|| PathBuf::from(".")))
}

//! Where settings come from: our defaults, `Rocket.toml` and the environment.

use std::net::SocketAddr;

use rocket::figment::providers::{Env, Format, Toml};
use rocket::figment::{Figment, Profile};

use super::invalid::invalid;
use super::service_links::is_service_link;
use crate::error::Fatal;

/// Reads `Rocket.toml`; environment variables override it.
pub fn figment() -> Figment {
    let options = Env::prefixed("POSTLY_")
        .filter(|key| {
            let name = key.as_str().to_lowercase();
            let value = std::env::var(format!("POSTLY_{}", name.to_uppercase()));
            !name.starts_with("test_") && !is_service_link(&name, &value.unwrap_or_default())
        })
        .map(|key| format!("postly.{key}").into());
    let database = Env::raw().only(&["DATABASE_URL"]).map(|_| "databases.postly.url".into());
    let file = Env::var_or("ROCKET_CONFIG", "Rocket.toml");
    defaults()
        .merge(Toml::file(file).nested())
        .merge(Env::prefixed("ROCKET_").ignore(&["PROFILE", "CONFIG"]).global())
        .merge(options.global())
        .merge(database.global())
        .select(Profile::from_env_or("ROCKET_PROFILE", rocket::Config::DEFAULT_PROFILE))
}

/// Our defaults for Rocket's settings; `Options` has those of `POSTLY_*`.
pub fn defaults() -> Figment {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    Figment::from(rocket::Config::default())
        .merge(("ident", "Postly"))
        // Any client could forge Rocket's default, X-Real-IP.
        .merge(("ip_header", false))
        // A post of 100,000 characters, each encoded as up to twelve bytes.
        .merge(("limits.form", "2MiB"))
        .merge(("limits.json", "2MiB"))
        // An uploaded image, and the form around it.
        .merge(("limits.bytes", "1MiB"))
        .merge(("limits.data-form", "1MiB"))
        .merge(("databases.postly.url", "sqlite:data/postly.db"))
        .merge(("databases.postly.max_connections", (cores * 4).max(8)))
        .merge(("databases.postly.connect_timeout", 5))
        // `web::drain` handles signals; running requests then have `grace` seconds to finish,
        // and idle connections `mercy` more.
        .merge(("shutdown.ctrlc", false))
        .merge(("shutdown.signals", Vec::<String>::new()))
        .merge(("shutdown.grace", 5))
        .merge(("shutdown.mercy", 1))
}

/// Where a server with this configuration listens. Nothing else is read, neither files nor the
/// other settings.
///
/// # Errors
/// One sentence for the operator.
pub fn listening_address() -> Result<SocketAddr, Fatal> {
    let rocket: rocket::Config = figment().extract().map_err(|e| invalid(&e))?;
    Ok(SocketAddr::new(rocket.address, rocket.port))
}

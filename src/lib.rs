//! Postly: a self-hosted, multi-user posting site.
//!
//! This file assembles the server: state, fairings and rooms (groups of routes).

pub mod cli;
pub mod config;
pub mod db;
pub mod error;
pub mod jobs;
pub mod models;
pub mod routes;
pub mod validation;
pub mod web;

use std::io::Write;
use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::shield::Shield;
use rocket::{Build, Rocket, catchers};
use rocket_dyn_templates::Template;

use crate::config::Config;
use crate::error::{Fatal, Result};
use crate::jobs::mailer::Mailer;
use crate::models::base::attempts::Attempts;
use crate::models::base::hasher::Hasher;
use crate::models::base::metrics::Metrics;
use crate::models::base::pool::Pool;
use crate::models::base::settings::Settings;
use crate::models::base::site::Site;
use crate::routes::admin::setup::SetupLink;
use crate::routes::api::document::ApiDocument;
use crate::routes::operations::SecurityContact;
use crate::web::background::Worker;
use crate::web::database::{Database, manage_site};
use crate::web::door::API;
use crate::web::request::authentication::Authenticate;
use crate::web::request::client_address::TrustedProxies;
use crate::web::request::idempotency::idempotent;
use crate::web::request_log::RequestLog;
use crate::web::response::cache::{AnswerCache, cached};
use crate::web::response::unchanged::Unchanged;
use crate::web::response::whole::Whole;
use crate::web::response::{assets, catcher};
use crate::web::security::cors::Cors;
use crate::web::security::denials::Denials;
use crate::web::security::headers::Headers;
use crate::web::security::method::FormMethod;
use crate::web::security::origin;
use crate::web::settings::SettingsRefresh;

/// Builds the server. The database must already be migrated.
///
/// # Errors
/// One sentence for the operator.
pub fn rocket(config: Config) -> Result<Rocket<Build>, Fatal> {
    // rocket_dyn_templates requires a folder, even when the templates are embedded; in a debug
    // build it watches the real one and reloads.
    let (folder, empty) = if cfg!(debug_assertions) {
        (concat!(env!("CARGO_MANIFEST_DIR"), "/templates").into(), None)
    } else {
        let empty = tempfile::tempdir()
            .map_err(|e| Fatal(format!("no temporary folder can be created: {e}")))?;
        (empty.path().to_owned(), Some(empty))
    };
    let keys = Arc::new(config.keys()?);
    let surroundings = config.surroundings()?;
    let figment = config.figment.merge(("template_dir", folder));

    let origin = config.public_url.origin();
    let mailer = Mailer::new(config.mail.transport, config.mail.from, origin);
    let (hasher, renderer) = (Hasher::new(config.bcrypt_cost), Pool::default());
    let (rules, reserved_names) = (config.rules, config.reserved_names);
    let (limits, attempts) = (config.limits, Attempts::default());
    let breached_passwords = config.breached_passwords;
    let settings = Settings::new(config.fixed);
    let metrics = Metrics::new(db::engine(&config.database_url)?)?;

    let rooms = routes::rooms();
    let fragments = rooms.iter().map(|room| room.document).collect();
    let rocket = rocket::custom(figment)
        .manage(ApiDocument::new(fragments))
        .manage(config.public_url)
        .manage(SecurityContact(config.security_contact))
        .manage(SetupLink::new(&config.data_dir))
        .manage(config.cors)
        .manage(AnswerCache::new(config.cache_megabytes * 1024 * 1024))
        .manage(TrustedProxies::new(config.trusted_proxies))
        .attach(<Database as rocket_db_pools::Database>::init())
        .attach(manage_site(move |db| Site {
            db,
            hasher,
            renderer,
            keys,
            rules,
            settings,
            reserved_names,
            breached_passwords,
            limits,
            attempts,
            metrics,
        }))
        .attach(Template::try_custom(assets::templates()))
        .attach(Shield::new()) // Our own fairing sets all security headers.
        .attach(FormMethod)
        .attach(Authenticate)
        .attach(Unchanged)
        .attach(Cors)
        .attach(Headers)
        .attach(Denials)
        .attach(RequestLog)
        .attach(Worker::new(mailer, surroundings))
        .attach(SettingsRefresh)
        .attach(web::drain::Drain)
        .attach(Whole)
        .attach(AdHoc::on_liftoff("address", move |rocket| {
            drop(empty);
            Box::pin(async move {
                let config = rocket.config();
                println!("Postly is at http://{}:{}", config.address, config.port);
                // On standard output as well, and not in the log: it is a secret.
                if let Some(link) = rocket.state::<SetupLink>().and_then(SetupLink::get) {
                    // Whoever reads only the first line may have closed the pipe.
                    let _ = writeln!(std::io::stdout(), "Set up the site at {link}");
                }
            })
        }))
        .mount("/", origin::routes())
        .register("/", catchers![catcher::catch]);

    Ok(rooms.into_iter().fold(rocket, |rocket, room| {
        let wrapped = |routes| cached(idempotent(routes), room.cached);
        rocket
            .mount("/", wrapped(room.both.clone()))
            .mount("/", wrapped(room.pages))
            .mount(API, wrapped(room.both))
            .mount(API, wrapped(room.api))
            .mount(format!("{API}/auth"), wrapped(room.auth))
    }))
}

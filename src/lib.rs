//! Postly: a self-hosted, multi-user posting site.
//!
//! This file is the table of contents: every fairing, mount and catcher stands here.

pub mod config;
pub mod db;
pub mod demo;
pub mod error;
pub mod jobs;
pub mod mail;
pub mod models;
pub mod routes;
pub mod web;

use rocket::fairing::AdHoc;
use rocket::shield::Shield;
use rocket::{Build, Rocket, Route, catchers};
use rocket_db_pools::Database as _;
use rocket_dyn_templates::Template;
use utoipa::OpenApi;

use crate::config::{Config, Mail};
use crate::error::{Error, Result};
use crate::jobs::Postman;
use crate::mail::Mailer;
use crate::models::password::Hasher;
use crate::models::token::Keys;
use crate::routes::{
    accounts, admin, docs, emails, events, oauth, operations, passwords, posts, sessions, tokens,
    two_factor, users, votes,
};
use crate::web::door::API;
use crate::web::{address, assets, denials, drain, failure, headers, origin, scene, scope};

/// The site, ready to be launched. Its database must be migrated already.
pub fn rocket(config: Config) -> Result<Rocket<Build>> {
    // rocket_dyn_templates wants to look into a folder, even when the templates are in the binary;
    // in a debug build it watches the real one and reloads.
    let (folder, empty) = if cfg!(debug_assertions) {
        (concat!(env!("CARGO_MANIFEST_DIR"), "/templates").into(), None)
    } else {
        let empty = tempfile::tempdir()
            .map_err(|e| Error::Internal(format!("no temporary folder can be made: {e}")))?;
        (empty.path().to_owned(), Some(empty))
    };
    let figment = config.figment.merge(("template_dir", folder));

    let Mail { route, from } = config.mail;
    let mailer = Mailer::new(route, from, config.public_url.origin())?;

    Ok(rocket::custom(figment)
        .manage(Keys::new(&config.secret_key, &config.older_keys, config.public_url.origin()))
        .manage(Hasher::new(config.bcrypt_cost)?)
        .manage(config.email)
        .manage(config.public_url)
        .manage(address::TrustedProxies(config.trusted_proxies))
        .manage(scope::Scopes(routes::scope))
        .manage(docs::Document::openapi())
        .attach(web::Database::init())
        .attach(Template::try_custom(assets::templates))
        .attach(Shield::new()) // Our own fairing sets all security headers.
        .attach(scene::Stage)
        .attach(headers::Headers)
        .attach(denials::Denials)
        .attach(Postman::new(mailer))
        .attach(drain::Drain)
        .attach(AdHoc::on_liftoff("address", move |rocket| {
            drop(empty);
            Box::pin(async move {
                let config = rocket.config();
                println!("Postly is at http://{}:{}", config.address, config.port);
            })
        }))
        .mount("/", origin::routes())
        .mount("/", page_door())
        .mount(API, api_door())
        .mount(format!("{API}/auth"), auth())
        .register("/", catchers![failure::catch]))
}

/// What stands at both doors.
fn both_doors() -> Vec<Route> {
    [
        posts::both(),
        votes::both(),
        users::both(),
        accounts::both(),
        sessions::both(),
        tokens::both(),
        passwords::both(),
        emails::both(),
        two_factor::both(),
        events::both(),
        admin::both(),
    ]
    .concat()
}

fn page_door() -> Vec<Route> {
    [
        both_doors(),
        posts::pages(),
        accounts::pages(),
        passwords::pages(),
        emails::pages(),
        docs::pages(),
        operations::pages(),
    ]
    .concat()
}

/// What stands below `/auth` at the API door.
fn auth() -> Vec<Route> {
    [accounts::api(), passwords::api(), emails::api(), oauth::api()].concat()
}

fn api_door() -> Vec<Route> {
    [both_doors(), posts::api(), docs::api()].concat()
}

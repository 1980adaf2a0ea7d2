//! Postly: a self-hosted, multi-user posting site.
//!
//! This file is the table of contents: every fairing, mount and catcher stands here.

pub mod config;
pub mod db;
pub mod demo;
pub mod error;
pub mod models;
pub mod routes;
pub mod web;

use rocket::fairing::AdHoc;
use rocket::shield::Shield;
use rocket::{Build, Rocket, Route, catchers};
use rocket_db_pools::Database as _;
use rocket_dyn_templates::Template;
use utoipa::OpenApi;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::models::password::Hasher;
use crate::models::token::Keys;
use crate::routes::{accounts, admin, docs, operations, posts, users, votes};
use crate::web::door::API;
use crate::web::{assets, drain, failure, headers, origin, scene};

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

    Ok(rocket::custom(figment)
        .manage(Keys::new(&config.secret_key, config.public_url.origin()))
        .manage(Hasher::new(config.bcrypt_cost)?)
        .manage(config.public_url)
        .manage(docs::Document::openapi())
        .attach(web::Database::init())
        .attach(Template::try_custom(assets::templates))
        .attach(Shield::new()) // Our own fairing sets all security headers.
        .attach(scene::Stage)
        .attach(headers::Headers)
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
        .mount(format!("{API}/auth"), accounts::api())
        .register("/", catchers![failure::catch]))
}

/// What stands at both doors.
fn both_doors() -> Vec<Route> {
    [posts::both(), votes::both(), users::both(), accounts::both(), admin::both()].concat()
}

fn page_door() -> Vec<Route> {
    [both_doors(), posts::pages(), accounts::pages(), docs::pages(), operations::pages()].concat()
}

fn api_door() -> Vec<Route> {
    [both_doors(), posts::api(), docs::api()].concat()
}

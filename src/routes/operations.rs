//! Health checks and static files.

use std::path::PathBuf;

use rocket::response::Redirect;
use rocket::{State, get};

use crate::models::base::site::Site;
use crate::web::drain::Draining;
use crate::web::response::assets::Asset;
use crate::web::{self, room};

room! {
    pages: [healthz, readyz, asset, favicon],
}

/// Liveness: the process is running.
#[get("/healthz")]
fn healthz() -> &'static str {
    "ok\n"
}

/// Readiness: it is not shutting down, and its database answers.
#[get("/readyz")]
async fn readyz(draining: &State<Draining>, site: &Site) -> web::Result<&'static str> {
    draining.refuse()?;
    site.ping().await?;
    Ok("ready\n")
}

#[get("/static/<path..>")]
fn asset(path: PathBuf) -> web::Result<Asset> {
    Ok(Asset::get(&path)?)
}

/// Browsers request it under this name.
#[get("/favicon.ico")]
fn favicon() -> Redirect {
    Redirect::permanent("/static/icons/favicon.svg")
}

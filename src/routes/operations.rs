//! Health checks and static files.

use std::path::PathBuf;

use rocket::http::Status;
use rocket::response::Redirect;
use rocket::{State, get};

use crate::db::Readiness;
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

/// Readiness, in a word. Only what other instances may not share takes this one out: a full disk or
/// a locked table would take out all of them.
#[get("/readyz")]
async fn readyz(draining: &State<Draining>, site: &Site) -> (Status, &'static str) {
    if draining.has_begun() {
        return (Status::ServiceUnavailable, "shutting down\n");
    }
    match site.db.readiness().await {
        Readiness::Ready => (Status::Ok, "ready\n"),
        Readiness::Busy => (Status::Ok, "busy\n"),
        Readiness::Full => (Status::Ok, "full\n"),
        Readiness::ReadOnly => (Status::Ok, "read-only\n"),
        Readiness::Gone => (Status::ServiceUnavailable, "gone\n"),
    }
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

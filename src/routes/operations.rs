//! For those who run Postly, and the files that pages need.

use std::path::PathBuf;

use rocket::response::Redirect;
use rocket::{Route, State, get, routes};

use crate::db::sql;
use crate::web::assets::Asset;
use crate::web::drain::Draining;
use crate::web::{self, Database};

pub fn pages() -> Vec<Route> {
    routes![healthz, readyz, asset, favicon]
}

/// The process lives.
#[get("/healthz")]
fn healthz() -> &'static str {
    "ok\n"
}

/// The process can serve: it has not been told to end, and its database answers.
#[get("/readyz")]
async fn readyz(draining: &State<Draining>, db: &Database) -> web::Result<&'static str> {
    draining.refuse()?;
    sql("SELECT CAST(1 AS BIGINT)").one::<(i64,)>(&**db).await?;
    Ok("ready\n")
}

#[get("/static/<path..>")]
fn asset(path: PathBuf) -> web::Result<Asset> {
    Ok(Asset::get(&path)?)
}

/// Browsers ask for it by this name.
#[get("/favicon.ico")]
fn favicon() -> Redirect {
    Redirect::permanent("/static/icons/favicon.svg")
}

//! For those who run Postly, and the files that pages need.

use std::path::PathBuf;

use rocket::response::Redirect;
use rocket::{Route, get, routes};

use crate::db::sql;
use crate::web::assets::Asset;
use crate::web::{self, Database};

pub fn pages() -> Vec<Route> {
    routes![healthz, readyz, asset, favicon]
}

/// The process lives.
#[get("/healthz")]
fn healthz() -> &'static str {
    "ok\n"
}

/// The process can serve: its database answers.
#[get("/readyz")]
async fn readyz(db: &Database) -> web::Result<&'static str> {
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

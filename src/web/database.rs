//! The pool, as Rocket manages it, and the site that is built on it.

use rocket::fairing::AdHoc;
use rocket_db_pools::Database as _;

use crate::db::Db;
use crate::models::base::site::Site;

#[derive(rocket_db_pools::Database)]
#[database("postly")]
pub struct Database(Db);

/// Manages the site, as soon as there is a pool.
pub fn manage_site(build: impl FnOnce(Db) -> Site + Send + 'static) -> AdHoc {
    AdHoc::try_on_ignite("site", |rocket| async {
        match Database::fetch(&rocket).map(|db| Db::clone(db)) {
            Some(db) => Ok(rocket.manage(build(db))),
            None => Err(rocket),
        }
    })
}

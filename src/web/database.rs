//! The connection pool and the site as Rocket's managed state.

use rocket::fairing::AdHoc;
use rocket_db_pools::Database as _;

use crate::db::Db;
use crate::models::base::site::Site;

#[derive(rocket_db_pools::Database)]
#[database("postly")]
pub struct Database(Db);

/// Adds the site to Rocket's state once the pool exists.
pub fn manage_site(build: impl FnOnce(Db) -> Site + Send + 'static) -> AdHoc {
    AdHoc::try_on_ignite("site", |rocket| async {
        match Database::fetch(&rocket).map(|db| Db::clone(db)) {
            Some(db) => Ok(rocket.manage(build(db))),
            None => Err(rocket),
        }
    })
}

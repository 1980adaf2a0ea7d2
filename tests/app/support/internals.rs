//! The inside of Postly that tests look at: the only file that names paths of the library.

use rocket::http::Method;
use rocket_db_pools::Database as _;

pub use postly::config::{Config, PublicUrl};
pub use postly::db::{Db, now, sql};
pub use postly::error::Error;
pub use postly::error::Error::Broken as AuditBroken;
pub use postly::models::account::{Registration, operator_create};
pub use postly::models::api_token::Scope;
pub use postly::models::audit::{expect as verify_checkpoint, verify as verify_audit};
pub use postly::models::outbox::waiting as pending_mails;
pub use postly::models::page::{Asked as PageParams, Part as Keyset};
pub use postly::models::password::Hasher;
pub use postly::models::secret::hashed;
pub use postly::models::token::{Audience, Keys, key_id};
pub use postly::models::user::Role;
pub use postly::rocket;
pub use postly::routes::docs::Document;
pub use postly::web::door::API;

/// The scope that a personal token needs for a route of the API.
pub fn scope(method: Method, path: &str) -> Option<Scope> {
    postly::routes::scope(method, path)
}

/// The database that a site uses.
pub fn database(rocket: &::rocket::Rocket<::rocket::Orbit>) -> &Db {
    postly::web::Database::fetch(rocket).unwrap()
}

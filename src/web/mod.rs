//! HTTP words: doors, guards, input, replies, headers. Knows no feature of the site.

pub mod address;
pub mod assets;
pub mod client;
pub mod cookie;
pub mod denials;
pub mod door;
pub mod drain;
pub mod failure;
pub mod flash;
pub mod guards;
pub mod headers;
pub mod input;
pub mod link;
pub mod oauth;
pub mod origin;
pub mod reply;
pub mod scene;
pub mod scope;
pub mod search;

pub use client::Client;
pub use failure::{Failure, OrForm};
pub use flash::Flash;
pub use guards::{Sudo, Visitor};
pub use input::{Back, IfMatch, Input, Query};
pub use reply::{Reply, created, form, gone, page, saved, shown};
pub use search::Search;

pub type Result<T = Reply> = std::result::Result<T, Failure>;

/// The database as Rocket manages it; handlers ask for `&Database`.
#[derive(rocket_db_pools::Database)]
#[database("postly")]
pub struct Database(crate::db::Db);

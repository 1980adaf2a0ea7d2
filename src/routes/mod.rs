//! Thin handlers, one noun per file: load, call one model function, reply.

pub mod accounts;
pub mod admin;
pub mod api;
pub mod appearance;
pub mod crawlers;
pub mod documents;
pub mod metrics;
pub mod operations;
pub mod posts;
pub mod search;
pub mod users;

use crate::web::Room;

/// Every room.
pub fn rooms() -> Vec<Room> {
    let single = [
        documents::room(),
        users::room(),
        search::room(),
        operations::room(),
        appearance::room(),
        crawlers::room(),
    ];
    [accounts::rooms(), posts::rooms(), admin::rooms(), api::rooms(), single.into()]
        .into_iter()
        .flatten()
        .collect()
}

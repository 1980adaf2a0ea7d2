//! The site's rules and their SQL, one noun per file. Independent of Rocket.

pub mod accounts;
pub mod audit;
pub mod base;
pub mod mail;
pub mod moderation;
pub mod posts;
pub mod users;

/// The backfills of migrations, in any order.
pub const BACKFILLS: &[crate::db::Backfill] = &[
    posts::rendering::BACKFILL,
    posts::post_search::BACKFILL,
    posts::word_index::BACKFILL,
    accounts::account_search::BACKFILL,
    accounts::name_search::BACKFILL,
    mail::address::BACKFILL,
    users::skeleton::BACKFILL,
];

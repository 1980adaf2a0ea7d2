//! The rules of the site and their SQL, one noun a file, in rooms. Knows no Rocket.

pub mod accounts;
pub mod audit;
pub mod base;
pub mod mail;
pub mod moderation;
pub mod posts;
pub mod users;

/// Code that takes part in migrations, in any order.
pub const BACKFILLS: &[crate::db::Backfill] = &[posts::rendering::BACKFILL];

//! Users and their public profiles.

pub mod user;

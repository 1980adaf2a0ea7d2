//! Users and their public profiles.

pub mod reserved_names;
pub mod skeleton;
pub mod user;

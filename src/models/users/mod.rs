//! People, as everybody sees them.

pub mod user;

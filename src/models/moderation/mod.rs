//! What admins do to people.

pub mod administration;

//! Moderation: user administration.

pub mod administration;

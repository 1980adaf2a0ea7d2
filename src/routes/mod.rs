//! Thin handlers, one noun a file: load, call one model function, reply.

pub mod accounts;
pub mod admin;
pub mod docs;
pub mod operations;
pub mod posts;
pub mod users;
pub mod votes;

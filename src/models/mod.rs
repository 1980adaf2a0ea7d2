//! The rules of the site and their SQL, one noun a file. Knows no Rocket.

pub mod account;
pub mod markdown;
pub mod page;
pub mod password;
pub mod post;
pub mod session;
pub mod token;
pub mod user;
pub mod vote;

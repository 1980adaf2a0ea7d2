//! Requests: authentication, client address, guards, input.

pub mod authentication;
pub mod client_address;
pub mod conditional;
pub mod guards;
pub mod input;
pub mod panics;
pub mod query;
pub mod reach;
pub mod refusal;
pub mod return_to;
pub mod state;
pub mod upload;

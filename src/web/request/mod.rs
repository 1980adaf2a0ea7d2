//! Requests: authentication, client address, guards, input.

pub mod address;
pub mod authentication;
pub mod body;
pub mod client_address;
pub mod conditional;
pub mod edit_form;
pub mod guards;
pub mod id;
pub mod idempotency;
pub mod input;
pub mod kept;
pub mod panics;
pub mod query;
pub mod reach;
pub mod refusal;
pub mod return_to;
pub mod slug;
pub mod state;
pub mod upload;

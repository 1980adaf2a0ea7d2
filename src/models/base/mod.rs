//! The basis of all other models.

pub mod actor;
pub mod attempts;
pub mod breached_passwords;
pub mod caller;
pub mod diff;
pub mod form_value;
pub mod hasher;
pub mod highlight;
pub mod idempotency;
pub mod job;
pub mod keys;
pub mod metrics;
pub mod page;
pub mod pool;
pub mod random;
pub mod rate_limit;
pub mod rate_policy;
pub mod search;
pub mod search_query;
pub mod selection;
pub mod settings;
pub mod site;
pub mod url_path;
pub mod user_agent;
pub mod visible;
pub mod words;

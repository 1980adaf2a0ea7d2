//! What the tests share: sites, people at their doors, the real binary, other servers.

mod app;
pub mod binary;
pub mod caddy;
pub mod certificates;
mod contract;
pub mod database;
pub mod internals;
pub mod mail_server;
pub mod nginx;
pub mod oauth_client;
pub mod permission;
mod person;
mod phone;
pub mod postgres;
pub mod slow_clients;
pub mod varnish;

pub use app::{App, ORIGIN, PASSWORD, SECRET};
pub use person::{FORM_ID, IMAGE, Person, Response, encode, send, send_from, upload};
pub use phone::Phone;

/// The kinds of the events in a list of the API.
pub fn event_kinds(list: &serde_json::Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
}

/// The factor by which tests repeat what depends on chance: 1 by default, more with `./test slow`.
pub fn repetitions() -> u32 {
    let wanted = std::env::var("POSTLY_TEST_REPETITIONS");
    wanted.map_or(1, |count| count.parse().expect("POSTLY_TEST_REPETITIONS is a number"))
}

//! Every behaviour, through both doors. `POSTLY_TEST_ENGINE=postgres` runs the same suite there.

mod accounts;
mod admin;
mod audit;
mod checks;
mod commands;
mod flows;
mod fuzz;
mod input;
mod mail;
mod oauth;
mod pages;
mod posts;
mod relay;
mod reliability;
mod security;
mod sessions;
mod structure;
mod support;
mod throttle;
mod tokens;
mod two_factor;
#[path = "house/upgrade.rs"]
mod upgrade;
mod votes;

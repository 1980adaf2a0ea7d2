//! Every behaviour, through both doors. `POSTLY_TEST_ENGINE=postgres` runs the same suite there.

mod accounts;
mod admin;
mod commands;
mod flows;
mod input;
mod pages;
mod posts;
mod reliability;
mod security;
mod structure;
mod support;
mod votes;

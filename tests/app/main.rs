//! Every behaviour, through both doors. `POSTLY_TEST_ENGINE=postgres` runs the same suite there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod accounts;
mod admin;
mod api;
mod crawlers;
mod documents;
mod house;
mod jobs;
mod mail;
mod operations;
mod pages;
mod posts;
mod reliability;
mod search;
mod security;
mod support;
mod transfer;
mod users;

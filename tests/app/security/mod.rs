//! Security: what holds whatever is sent.

mod cookies;
mod csrf;
mod exposure;
mod fuzz;
mod headers;
mod input;
mod jwt;

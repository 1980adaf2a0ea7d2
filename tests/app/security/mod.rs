//! Security: what must hold for any request.

mod cookies;
mod cors;
mod csrf;
mod exposure;
mod fuzz;
mod headers;
mod input;
mod jwt;

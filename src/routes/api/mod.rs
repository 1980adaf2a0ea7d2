//! The API's documentation, and OAuth2.

pub mod guide;
pub mod idempotency;
pub mod oauth;
pub mod openapi;

use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![oauth::room(), openapi::room(), guide::room()]
}

//! The API's documentation, and OAuth2.

pub mod document;
pub mod metadata;
pub mod oauth;
pub mod openapi;

use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![metadata::room(), oauth::room(), openapi::room()]
}

//! Posts and what belongs to them.

pub mod posts;
pub mod votes;

use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![posts::room(), votes::room()]
}

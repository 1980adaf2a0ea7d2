//! Administration. To everybody else, its pages do not exist.

pub mod audit;
pub mod posts;
pub mod sessions;
pub mod users;

use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![audit::room(), posts::room(), sessions::room(), users::room()]
}

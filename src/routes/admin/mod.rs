//! Administration. To everybody else, its pages do not exist.

pub mod audit;
pub mod bulk_posts;
pub mod bulk_users;
pub mod checkup;
pub mod logo;
pub mod overview;
pub mod posts;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod users;

use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![
        audit::room(),
        bulk_posts::room(),
        bulk_users::room(),
        checkup::room(),
        logo::room(),
        overview::room(),
        posts::room(),
        sessions::room(),
        settings::room(),
        setup::room(),
        users::room(),
    ]
}

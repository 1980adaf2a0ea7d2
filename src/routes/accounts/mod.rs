//! Accounts: registration, log-in, and the user's own settings.

pub mod applications;
pub mod authorize;
pub mod emails;
pub mod events;
pub mod login;
pub mod me;
pub mod passwords;
pub mod registration;
pub mod resume;
pub mod sessions;
pub mod sudo;
pub mod tokens;
pub mod two_factor;

use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![
        applications::room(),
        authorize::room(),
        emails::room(),
        events::room(),
        login::room(),
        me::room(),
        passwords::room(),
        registration::room(),
        resume::room(),
        sessions::room(),
        sudo::room(),
        tokens::room(),
        two_factor::room(),
    ]
}

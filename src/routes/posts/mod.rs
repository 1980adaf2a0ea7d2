//! Posts and what belongs to them.

pub mod comment_revisions;
pub mod comments;
pub mod feeds;
#[allow(clippy::module_inception)] // Route files are plural, rooms are named after their main noun.
pub mod posts;
pub mod revisions;
pub mod tags;
pub mod votes;

use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![
        posts::room(),
        revisions::room(),
        tags::room(),
        votes::room(),
        comments::room(),
        comment_revisions::room(),
        feeds::room(),
    ]
}

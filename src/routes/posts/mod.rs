//! Posts and what belongs to them.

pub mod comment_revisions;
pub mod comment_votes;
pub mod comments;
pub mod discussions;
pub mod drafts;
pub mod editor;
pub mod feeds;
#[allow(clippy::module_inception)] // Route files are plural, rooms are named after their main noun.
pub mod posts;
pub mod publication;
pub mod revisions;
pub mod series;
pub mod shares;
pub mod tags;
pub mod votes;

use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![
        posts::room(),
        editor::room(),
        publication::room(),
        drafts::room(),
        revisions::room(),
        shares::room(),
        tags::room(),
        series::room(),
        votes::room(),
        comments::room(),
        comment_revisions::room(),
        discussions::room(),
        comment_votes::room(),
        feeds::room(),
    ]
}

//! Posts and what belongs to them.

pub mod edit;
pub mod feed;
pub mod markdown;
pub mod neighbours;
pub mod post;
pub mod post_search;
pub mod removal;
pub mod rendering;
pub mod search;
pub mod vote;

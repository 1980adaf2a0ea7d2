//! Posts and what belongs to them.

pub mod edit;
pub mod feed;
pub mod markdown;
pub mod post;
pub mod post_search;
pub mod rendering;
pub mod vote;

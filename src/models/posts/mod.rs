//! Posts and what belongs to them.

pub mod closure;
pub mod comment;
pub mod comment_vote;
pub mod edit;
pub mod feed;
pub mod markdown;
pub mod neighbours;
pub mod post;
pub mod post_search;
pub mod removal;
pub mod rendering;
pub mod search;
pub mod sitemap;
pub mod syndication;
pub mod thread;
pub mod vote;

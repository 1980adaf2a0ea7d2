//! Posts and what belongs to them.

pub mod closure;
pub mod comment;
pub mod comment_list;
pub mod comment_vote;
pub mod edit;
pub mod feed;
mod feed_content;
mod feed_filter;
pub mod feed_params;
mod feed_query;
pub mod markdown;
pub mod neighbours;
pub mod plain_text;
pub mod post;
pub mod post_search;
pub mod public_search;
pub mod removal;
pub mod rendering;
pub mod search;
pub mod sitemap;
pub mod syndication;
pub mod tag;
pub mod tag_merge;
pub mod tag_name;
pub mod thread;
pub mod vote;
pub mod word_index;

//! Responses that suit both doors, and the texts that they contain.

pub mod assets;
pub mod cache;
pub mod catalogue;
pub mod catcher;
pub mod color_scheme;
pub mod encoding;
pub mod failure;
pub mod filters;
pub mod flash;
pub mod linked_data;
pub mod messages;
pub mod moved;
pub mod problem;
pub mod render;
pub mod reply;
pub mod representation;
pub mod shown;
pub mod sitemap;
pub mod status;
pub mod syndication;
pub mod theme;
pub mod unchanged;
pub mod whole;

//! The rules of the site and their SQL, one noun a file. Knows no Rocket.

pub mod account;
pub mod api_token;
pub mod audit;
pub mod caller;
pub mod device;
pub mod email;
pub mod link;
pub mod markdown;
pub mod outbox;
pub mod page;
pub mod password;
pub mod post;
pub mod recovery;
pub mod refresh;
pub mod secret;
pub mod session;
pub mod throttle;
pub mod token;
pub mod two_factor;
pub mod user;
pub mod vote;
pub mod written;

//! Posts: writing and reading them, the feed, votes.

mod feed;
mod lists;
mod post;
mod votes;

use crate::support::permission::Permission;

pub fn permissions() -> Vec<Permission> {
    [feed::permissions(), post::permissions(), votes::permissions()].concat()
}

//! Posts: writing and reading them, the feed, votes.

mod feed;
mod posts;
mod votes;

use crate::support::permission::Permission;

pub fn permissions() -> Vec<Permission> {
    [feed::permissions(), posts::permissions(), votes::permissions()].concat()
}

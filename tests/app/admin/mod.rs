//! Administration: users, their sessions, posts, the audit log.

mod audit;
mod audit_retention;
mod audit_search;
mod posts;
mod search;
mod sessions;
mod users;

use crate::support::permission::Permission;

pub fn permissions() -> Vec<Permission> {
    [audit::permissions(), posts::permissions(), sessions::permissions(), users::permissions()]
        .concat()
}

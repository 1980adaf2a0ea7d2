//! Administration: users, their sessions, posts, the audit log, the settings, and the first run.

mod audit;
mod audit_retention;
mod audit_search;
mod bulk;
mod checkup;
mod first_run;
mod logo;
mod overview;
mod posts;
mod search;
mod sessions;
mod settings;
mod users;

use crate::support::permission::Permission;

pub fn permissions() -> Vec<Permission> {
    [
        audit::permissions(),
        bulk::permissions(),
        checkup::permissions(),
        first_run::permissions(),
        logo::permissions(),
        overview::permissions(),
        posts::permissions(),
        sessions::permissions(),
        settings::permissions(),
        users::permissions(),
    ]
    .concat()
}

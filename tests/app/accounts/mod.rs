//! Accounts: registration, log-in, sessions, tokens, passwords, addresses.

pub mod applications;
mod authorization_codes;
mod authorize;
mod authorized_applications;
mod dashboard;
mod emails;
mod events;
mod kept_forms;
mod lockouts;
mod login;
mod me;
mod metadata;
mod oauth;
mod oauth_scopes;
mod once;
mod password_resets;
mod passwords;
mod rate_limits;
mod registration;
mod sessions;
mod sudo;
mod tokens;
mod two_factor;

use crate::support::internals::{Job, Sweep, claimed_job, worker};
use crate::support::permission::Permission;
use crate::support::{App, Response};
use serde_json::json;

pub fn permissions() -> Vec<Permission> {
    [
        applications::permissions(),
        authorize::permissions(),
        authorized_applications::permissions(),
        emails::permissions(),
        events::permissions(),
        kept_forms::permissions(),
        login::permissions(),
        me::permissions(),
        metadata::permissions(),
        oauth::permissions(),
        password_resets::permissions(),
        once::permissions(),
        passwords::permissions(),
        registration::permissions(),
        sessions::permissions(),
        sudo::permissions(),
        tokens::permissions(),
        two_factor::permissions(),
    ]
    .concat()
}

/// Logs in at the API door from this address.
async fn log_in(app: &App, address: &str, name: &str, password: &str) -> Response {
    let login = json!({"username": name, "password": password});
    app.nobody().from(address).api().post("/auth/login", login).await
}

/// Deletes what has expired.
pub async fn sweep(app: &App) {
    let folder = tempfile::tempdir().unwrap();
    Sweep.run(worker(app.site(), folder.path()), claimed_job()).await.unwrap();
}

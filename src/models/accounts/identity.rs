//! A user who has just been authenticated.

use crate::models::users::user::User;

/// A user, and the password hash that was verified. A session is opened only if the account still
/// has this hash.
#[derive(Debug)]
pub struct Identity {
    pub user: User,
    pub password_hash: String,
}

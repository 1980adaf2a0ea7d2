//! Somebody who has just proved who they are.

use crate::models::users::user::User;

/// A person, and the hash of the password that was verified. A session is opened only while the
/// account still has it.
#[derive(Debug)]
pub struct Identity {
    pub user: User,
    pub password_hash: String,
}

//! Two-factor log-in: an authenticator, and recovery codes for when it is lost.

pub mod authenticator;
pub mod code;
pub mod recovery_codes;
pub mod totp;

use crate::error::Result;
use crate::models::base::site::{Site, TwoFactorPolicy};
use crate::models::users::user::{Role, User};

/// Whether the site requires a second factor of this user.
pub fn is_required(site: &Site, user: &User) -> bool {
    match site.rules.two_factor {
        TwoFactorPolicy::None => false,
        TwoFactorPolicy::Admins => user.role == Role::Admin,
        TwoFactorPolicy::Everybody => true,
    }
}

/// Whether the site requires a second factor of this user, who has none.
pub async fn is_missing(site: &Site, user: &User) -> Result<bool> {
    Ok(is_required(site, user) && !totp::is_on(&site.db, user.id).await?)
}

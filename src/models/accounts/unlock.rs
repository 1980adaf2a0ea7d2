//! Unlocking an account: forgetting its failed log-ins and codes.

use crate::db::sql;
use crate::error::Result;
use crate::models::accounts::two_factor::code;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Admin;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::users::user;

/// Forgets the failed log-ins to an account, its wrong passwords and its wrong codes, so that its
/// owner can try again at once. What a network has used up stays: it belongs to no account.
///
/// # Errors
/// `NotFound`.
pub async fn unlock(site: &Site, admin: &Admin, username: &str) -> Result<()> {
    let person = user::by_username(&site.db, username).await?;
    let limits = &site.limits;
    let key = person.id.to_string();
    let mut tx = site.db.begin().await?;
    let email: Option<Option<String>> = sql("SELECT email_key FROM users WHERE id = $1")
        .bind(person.id)
        .optional_scalar(&mut tx)
        .await?;
    code::forgive_code_failures(&mut tx, person.id).await?;
    let name = Some(user::canonical(&person.username));
    for name in [name, email.flatten()].into_iter().flatten() {
        rate_limit::forget(&mut tx, &Budget::new(limits.login_account, &name)).await?;
    }
    for policy in [limits.login_device, limits.login_code, limits.sudo, limits.code] {
        rate_limit::forget(&mut tx, &Budget::new(policy, &key)).await?;
    }
    AuditEvent::new(EventKind::USER_UNLOCKED)
        .by(admin.user())
        .about(person.id, &person.username)
        .write(&mut tx, admin.caller())
        .await?;
    tx.commit().await
}

//! User administration: listing, changing roles, disabling, deleting.

use crate::db::{Lock, Tx, now, repeat, sql};
use crate::error::{Conflict, Error, Result};
use crate::models::accounts::account::{self, Account};
use crate::models::accounts::account_search;
use crate::models::accounts::application;
use crate::models::accounts::session;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Admin;
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::search;
use crate::models::base::site::Site;
use crate::models::posts::comment_removal;
use crate::models::users::user::{self, Role, User};
use crate::validation::Rule;

/// What an admin looks for; blank texts mean nothing.
pub struct UserSearch<'a> {
    /// Part of a username or e-mail address.
    pub q: Option<&'a str>,
    pub username: Option<&'a str>,
}

/// All accounts, newest first; with a username, that one alone, if there is one.
///
/// # Errors
/// `Invalid`.
pub async fn list(
    site: &Site,
    _: &Admin,
    wanted: &UserSearch<'_>,
    params: &PageParams,
) -> Result<Page<Account>> {
    let keyset = Keyset::<1>::new(params)?;
    let q = wanted.q.and_then(search::needle);
    if let Some(name) = wanted.username.filter(|name| !name.trim().is_empty()) {
        if q.is_some() {
            return Err(Error::invalid("username", Rule::Exclusive));
        }
        let query = account::select().push_bind(" WHERE u.username_key = ", user::canonical(name));
        let accounts = keyset.apply(query, [Column::Int("u.id")]).all(&site.db).await?;
        return Ok(keyset.page(accounts, |account: &Account| [account.id]));
    }
    let Some(needle) = q else {
        let query = account::select().push(" WHERE true");
        let accounts = keyset.apply(query, [Column::Int("u.id")]).all(&site.db).await?;
        return Ok(keyset.page(accounts, |account: &Account| [account.id]));
    };
    let found = search::find(&site.db, &account_search::SEARCH.table, &needle, &keyset).await?;
    let query = account::select().push_list(" WHERE u.id IN ", found.ids());
    Ok(found.page(query.all(&site.db).await?, |account: &Account| [account.id]))
}

/// The account with this username.
///
/// # Errors
/// `NotFound`.
pub async fn show(site: &Site, _: &Admin, username: &str) -> Result<Account> {
    let user = user::by_username(&site.db, username).await?;
    account::by_id(&site.db, user.id).await
}

/// All accounts at once, oldest first: for the command line.
pub async fn list_all(site: &Site, _: &Admin) -> Result<Vec<Account>> {
    account::select().push(" ORDER BY u.id").all(&site.db).await
}

/// Changes to a user by an admin; missing fields stay unchanged.
#[derive(Debug, Default)]
pub struct UserUpdate {
    pub role: Option<Role>,
    /// True disables the account, false enables it again.
    pub disabled: Option<bool>,
}

/// Changes a user's role or access, effective with their next request, on every instance.
///
/// # Errors
/// `NotFound`; `Conflict` when no admin would remain.
pub async fn update(
    site: &Site,
    admin: &Admin,
    username: &str,
    update: &UserUpdate,
) -> Result<Account> {
    repeat(|| try_update(site, admin, username, update)).await
}

async fn try_update(
    site: &Site,
    admin: &Admin,
    username: &str,
    update: &UserUpdate,
) -> Result<Account> {
    let mut tx = site.db.begin().await?;
    tx.lock(Lock::Admins).await?;
    let user = user::by_username(&mut tx, username).await?;
    if update.role == Some(Role::User) || update.disabled == Some(true) {
        ensure_admin_remains(&mut tx, &user).await?;
    }
    let mut events = Vec::new();
    if let Some(role) = update.role {
        sql("UPDATE users SET role = $1 WHERE id = $2")
            .bind(role.as_str())
            .bind(user.id)
            .execute(&mut tx)
            .await?;
        events.push((EventKind::ROLE_CHANGED, role.as_str()));
    }
    if let Some(disabled) = update.disabled {
        sql("UPDATE users SET disabled_at = $1 WHERE id = $2")
            .bind(disabled.then(now))
            .bind(user.id)
            .execute(&mut tx)
            .await?;
        if disabled {
            // When the account is enabled again, the user has to log in.
            session::revoke_all(&mut tx, user.id).await?;
            application::end_access(&mut tx, user.id).await?;
        }
        let kind = if disabled { EventKind::USER_DISABLED } else { EventKind::USER_ENABLED };
        events.push((kind, ""));
    }
    for (kind, detail) in events {
        event(kind, admin, &user).detail(detail).write(&mut tx, admin.caller()).await?;
    }
    let account = account::by_id(&mut tx, user.id).await?;
    tx.commit().await?;
    Ok(account)
}

/// Whether anybody could administer the site.
pub async fn has_admin(site: &Site) -> Result<bool> {
    let admin: Option<i64> =
        sql("SELECT id FROM users WHERE role = 'admin' AND disabled_at IS NULL LIMIT 1")
            .optional_scalar(&site.db)
            .await?;
    Ok(admin.is_some())
}

/// Deletes a user with their posts, comments, votes and sessions, and what the audit log says about
/// them.
///
/// # Errors
/// `NotFound`; `Conflict` when no admin would remain.
pub async fn delete(site: &Site, admin: &Admin, username: &str) -> Result<()> {
    repeat(|| try_delete(site, admin, username)).await
}

async fn try_delete(site: &Site, admin: &Admin, username: &str) -> Result<()> {
    let mut tx = site.db.begin().await?;
    tx.lock(Lock::Admins).await?;
    let user = user::by_username(&mut tx, username).await?;
    ensure_admin_remains(&mut tx, &user).await?;
    sql("DELETE FROM users WHERE id = $1").bind(user.id).execute(&mut tx).await?;
    comment_removal::delete_orphans(&mut tx).await?;
    AuditEvent::account_deleted(user.id).by(admin.user()).write(&mut tx, admin.caller()).await?;
    tx.commit().await
}

fn event(kind: EventKind, admin: &Admin, user: &User) -> AuditEvent {
    AuditEvent::new(kind).by(admin.user()).about(user.id, &user.username)
}

/// Fails when `user` is the last admin.
async fn ensure_admin_remains(tx: &mut Tx, user: &User) -> Result<()> {
    if user.role != Role::Admin {
        return Ok(());
    }
    // One suffices; the index holds the admins alone.
    let other: Option<i64> = sql("SELECT id FROM users \
         WHERE role = 'admin' AND disabled_at IS NULL AND id <> $1 LIMIT 1")
    .bind(user.id)
    .optional_scalar(tx)
    .await?;
    if other.is_none() { Err(Error::Conflict(Conflict::LastAdmin)) } else { Ok(()) }
}

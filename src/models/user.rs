//! People: who they are, what they may do, and what others see of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use unicode_normalization::UnicodeNormalization;
use unicode_security::MixedScript;

use crate::db::{Db, Lock, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::account;
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::page::{Asked, Page, Part};

/// What a person may do beyond their own things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    User,
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Admin => "admin",
        }
    }
}

impl TryFrom<String> for Role {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        match text.as_str() {
            "user" => Ok(Role::User),
            "admin" => Ok(Role::Admin),
            _ => Err(Error::invalid("role", "Give user or admin.")),
        }
    }
}

/// The person who acts. Every mutation takes one, so that permission cannot be forgotten.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct User {
    pub id: i64,
    pub username: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
}

impl User {
    /// Whether this person may change what `owner` (a user's id) owns.
    pub fn may_change(&self, owner: i64) -> bool {
        self.id == owner || self.role == Role::Admin
    }
}

/// A person whose role was seen to be admin.
#[derive(Debug, Clone)]
pub struct Admin(User);

impl Admin {
    /// # Errors
    /// `Forbidden` for everybody else.
    pub fn of(user: User) -> Result<Admin> {
        match user.role {
            Role::Admin => Ok(Admin(user)),
            Role::User => Err(Error::Forbidden("Only an admin may do this.")),
        }
    }

    pub fn user(&self) -> &User {
        &self.0
    }
}

/// What everybody may see of a person.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Profile {
    pub id: i64,
    #[schema(example = "ann")]
    pub username: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
    pub created_at: DateTime<Utc>,
}

/// What the person and admins see.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Account {
    pub id: i64,
    #[schema(example = "ann")]
    pub username: String,
    #[schema(example = "ann@mail.example")]
    pub email: Option<String>,
    /// Whether the e-mail address was confirmed.
    pub email_verified: bool,
    /// An address that was given and is not confirmed yet.
    pub pending_email: Option<String>,
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// When an admin locked the account; null while it is open.
    pub disabled_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// How many posts they have written.
    pub posts: i64,
}

const ACCOUNT: &str = "SELECT u.id, u.username, u.email, \
    u.email_verified_at IS NOT NULL AS email_verified, u.pending_email, u.role, u.disabled_at, u.created_at, \
    (SELECT count(*) FROM posts p WHERE p.user_id = u.id) AS posts FROM users u";

/// A username as it is kept: trimmed, in NFKC.
///
/// # Errors
/// `Invalid` unless it has 2 to 40 letters, digits, `_` and `-`, all of one script.
pub fn username(text: &str) -> Result<String> {
    let name: String = text.trim().chars().take(LONGEST_KEY).nfkc().collect();
    let length = name.chars().count();
    if name.is_empty() {
        return Err(Error::invalid("username", "Choose a username."));
    }
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    if !(2..=40).contains(&length) || !name.chars().all(fits) {
        return Err(Error::invalid(
            "username",
            "Use 2 to 40 letters, digits, underscores and hyphens.",
        ));
    }
    // A Cyrillic "а" among Latin letters makes a name that passes for somebody else's.
    if !name.as_str().is_single_script() {
        return Err(Error::invalid("username", "Use letters of one alphabet only."));
    }
    Ok(name)
}

/// Longest text that is compared, in characters: an e-mail address has at most 254.
const LONGEST_KEY: usize = 300;

/// A username or e-mail as uniqueness sees it: NFKC without regard to case.
pub fn key(text: &str) -> String {
    // No name and no address is longer; normalising megabytes would be work for nothing.
    let text: String = text.trim().chars().take(LONGEST_KEY).collect();
    // PostgreSQL takes no NUL, which an address can bring; nobody has the replacement in a name.
    let text = text.trim().replace('\0', "\u{fffd}");
    text.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// The public face of the person with this username.
pub async fn profile(db: &Db, username: &str) -> Result<Profile> {
    sql("SELECT id, username, role, created_at FROM users WHERE username_key = $1")
        .bind(key(username))
        .one(db)
        .await
}

/// The person's own account.
pub async fn account(db: &Db, me: &User) -> Result<Account> {
    sql(ACCOUNT).push_bind(" WHERE u.id = ", me.id).one(db).await
}

/// Everybody, newest first; `q` searches usernames and e-mails.
pub async fn list(db: &Db, _: &Admin, q: Option<&str>, asked: &Asked) -> Result<Page<Account>> {
    let part = Part::<1>::of(asked)?;
    let mut query = sql(ACCOUNT).push(" WHERE true");
    if let Some(pattern) = q.and_then(containing) {
        query = query
            .push_bind(" AND (u.username_key LIKE ", pattern.clone())
            .push_bind(" ESCAPE '\\' OR u.email_key LIKE ", pattern)
            .push(" ESCAPE '\\')");
    }
    let found = part.narrow(query, ["u.id"]).all(db).await?;
    Ok(part.page(found, |account: &Account| [account.id]))
}

/// The LIKE pattern for text that contains `q`, as `key` writes it; `None` when `q` is blank.
pub fn containing(q: &str) -> Option<String> {
    let needle = key(q);
    if needle.is_empty() {
        return None;
    }
    let escaped = needle.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    Some(format!("%{escaped}%"))
}

/// What an admin may change about somebody; what is missing stays as it is.
#[derive(Debug, Default)]
pub struct Change {
    pub role: Option<Role>,
    /// True locks the person out, false lets them in again.
    pub disabled: Option<bool>,
}

/// Changes somebody's standing; in effect from their next request on, on every instance.
///
/// # Errors
/// `NotFound`; `Conflict` when no admin would remain.
pub async fn update(
    db: &Db,
    caller: &Caller,
    admin: &Admin,
    username: &str,
    change: &Change,
) -> Result<Account> {
    apply(db, caller, Some(admin), username, change).await
}

/// `update` for whoever holds the command line, who needs no account.
pub async fn operator_update(db: &Db, username: &str, change: &Change) -> Result<Account> {
    apply(db, &Caller::operator(), None, username, change).await
}

async fn apply(
    db: &Db,
    caller: &Caller,
    admin: Option<&Admin>,
    username: &str,
    change: &Change,
) -> Result<Account> {
    let mut tx = db.begin().await?;
    tx.lock(Lock::Admins).await?;
    let user = find(&mut tx, username).await?;
    if change.role == Some(Role::User) || change.disabled == Some(true) {
        keep_an_admin(&mut tx, &user).await?;
    }
    let mut events = Vec::new();
    if let Some(role) = change.role {
        sql("UPDATE users SET role = $1 WHERE id = $2")
            .bind(role.as_str())
            .bind(user.id)
            .execute(&mut tx)
            .await?;
        events.push((Kind::RoleChanged, role.as_str()));
    }
    if let Some(disabled) = change.disabled {
        sql("UPDATE users SET disabled_at = $1 WHERE id = $2")
            .bind(disabled.then(now))
            .bind(user.id)
            .execute(&mut tx)
            .await?;
        if disabled {
            // Let in again, the person begins with a log-in.
            account::revoke_all(&mut tx, user.id).await?;
        }
        events.push((if disabled { Kind::UserDisabled } else { Kind::UserEnabled }, ""));
    }
    for (kind, detail) in events {
        entry(kind, admin, &user).detail(detail).write(&mut tx, caller).await?;
    }
    let account = sql(ACCOUNT).push_bind(" WHERE u.id = ", user.id).one(&mut tx).await?;
    tx.commit().await?;
    Ok(account)
}

fn entry(kind: Kind, admin: Option<&Admin>, user: &User) -> Entry {
    let entry = Entry::new(kind).about(user.id, &user.username);
    match admin {
        Some(admin) => entry.by(admin.user()),
        None => entry,
    }
}

/// Deletes a person with their posts, votes and sessions.
///
/// # Errors
/// `NotFound`; `Conflict` when no admin would remain.
pub async fn delete(db: &Db, caller: &Caller, admin: &Admin, username: &str) -> Result<()> {
    remove(db, caller, Some(admin), username).await
}

/// `delete` for whoever holds the command line.
pub async fn operator_delete(db: &Db, username: &str) -> Result<()> {
    remove(db, &Caller::operator(), None, username).await
}

async fn remove(db: &Db, caller: &Caller, admin: Option<&Admin>, username: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.lock(Lock::Admins).await?;
    let user = find(&mut tx, username).await?;
    keep_an_admin(&mut tx, &user).await?;
    sql("DELETE FROM users WHERE id = $1").bind(user.id).execute(&mut tx).await?;
    entry(Kind::UserDeleted, admin, &user).write(&mut tx, caller).await?;
    tx.commit().await
}

/// Everybody, for the command line.
pub async fn operator_list(db: &Db) -> Result<Vec<Account>> {
    sql(ACCOUNT).push(" ORDER BY u.id").all(db).await
}

/// The person with this id.
///
/// # Errors
/// `NotFound`.
pub async fn by_id(tx: &mut Tx, id: i64) -> Result<User> {
    sql("SELECT id, username, role FROM users WHERE id = $1").bind(id).one(tx).await
}

async fn find(tx: &mut Tx, username: &str) -> Result<User> {
    sql("SELECT id, username, role FROM users WHERE username_key = $1")
        .bind(key(username))
        .one(tx)
        .await
}

/// Fails when `user` is the last admin.
async fn keep_an_admin(tx: &mut Tx, user: &User) -> Result<()> {
    if user.role != Role::Admin {
        return Ok(());
    }
    let (others,): (i64,) = sql("SELECT count(*) FROM users \
         WHERE role = 'admin' AND disabled_at IS NULL AND id <> $1")
    .bind(user.id)
    .one(tx)
    .await?;
    if others == 0 {
        return Err(Error::conflict("", "This is the last admin. Make another one first."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_normalised_and_bounded() {
        assert_eq!(username(" Ann_1 ").unwrap(), "Ann_1");
        assert_eq!(username("ａｎｎ").unwrap(), "ann");
        assert_eq!(username("Zoë").unwrap(), "Zoë");
        assert_eq!(username("世界").unwrap(), "世界");
        let long = "x".repeat(41);
        for bad in ["", "a", &long, "a b", "a@b", "a/b", "../x", "a\u{0}b", "a\r\nb", "аnn"] {
            assert!(username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn one_key_for_all_spellings() {
        for same in ["ANN", "ann ", "Ａｎｎ"] {
            assert_eq!(key(same), "ann");
        }
        assert_eq!(key("STRASSE"), key("strasse"));
    }

    #[test]
    fn wildcards_in_a_search_are_letters() {
        assert_eq!(containing("50%_\\").unwrap(), "%50\\%\\_\\\\%");
        assert_eq!(containing("  "), None);
    }
}

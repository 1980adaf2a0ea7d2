//! People: who they are, what they may do, and what others see of them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use unicode_normalization::UnicodeNormalization;
use unicode_security::MixedScript;

use crate::db::{Db, Lock, Tx, sql};
use crate::error::{Error, Result};
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
    #[sqlx(try_from = "String")]
    pub role: Role,
    pub created_at: DateTime<Utc>,
    /// How many posts they have written.
    pub posts: i64,
}

const ACCOUNT: &str = "SELECT u.id, u.username, u.email, u.role, u.created_at, \
    (SELECT count(*) FROM posts p WHERE p.user_id = u.id) AS posts FROM users u";

/// A username as it is kept: trimmed, in NFKC.
///
/// # Errors
/// `Invalid` unless it has 2 to 40 letters, digits, `_` and `-`, all of one script.
pub fn username(text: &str) -> Result<String> {
    let name: String = text.trim().nfkc().collect();
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

/// A username or e-mail as uniqueness sees it: NFKC without regard to case.
pub fn key(text: &str) -> String {
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

/// Gives the person with this username another role; in effect from their next request on.
///
/// # Errors
/// `NotFound`; `Conflict` when no admin would remain.
pub async fn set_role(db: &Db, admin: &Admin, username: &str, role: Role) -> Result<Account> {
    tracing::info!(admin = admin.0.id, username, role = role.as_str(), "an admin sets a role");
    operator_set_role(db, username, role).await
}

/// `set_role` for whoever holds the command line, who needs no account.
pub async fn operator_set_role(db: &Db, username: &str, role: Role) -> Result<Account> {
    let mut tx = db.begin().await?;
    tx.lock(Lock::Admins).await?;
    let user = find(&mut tx, username).await?;
    if role == Role::User {
        keep_an_admin(&mut tx, &user).await?;
    }
    sql("UPDATE users SET role = $1 WHERE id = $2")
        .bind(role.as_str())
        .bind(user.id)
        .execute(&mut tx)
        .await?;
    let account = sql(ACCOUNT).push_bind(" WHERE u.id = ", user.id).one(&mut tx).await?;
    tx.commit().await?;
    Ok(account)
}

/// Deletes a person with their posts, votes and sessions.
///
/// # Errors
/// `NotFound`; `Conflict` when no admin would remain.
pub async fn delete(db: &Db, admin: &Admin, username: &str) -> Result<()> {
    tracing::info!(admin = admin.0.id, username, "an admin deletes an account");
    operator_delete(db, username).await
}

/// `delete` for whoever holds the command line.
pub async fn operator_delete(db: &Db, username: &str) -> Result<()> {
    let mut tx = db.begin().await?;
    tx.lock(Lock::Admins).await?;
    let user = find(&mut tx, username).await?;
    keep_an_admin(&mut tx, &user).await?;
    sql("DELETE FROM users WHERE id = $1").bind(user.id).execute(&mut tx).await?;
    tx.commit().await
}

/// Everybody, for the command line.
pub async fn operator_list(db: &Db) -> Result<Vec<Account>> {
    sql(ACCOUNT).push(" ORDER BY u.id").all(db).await
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
    let (others,): (i64,) = sql("SELECT count(*) FROM users WHERE role = 'admin' AND id <> $1")
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

//! Users: the name, the role and the public profile.

use chrono::{DateTime, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use strum::{EnumString, IntoStaticStr};
use unicode_normalization::UnicodeNormalization;
use unicode_security::{GeneralSecurityProfile, MixedScript};

use crate::db::{Conn, Db, Tx, sql};
use crate::error::{Error, Result};
use crate::validation::{FieldError, Rule};

/// A user's role.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    User,
    Admin,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

impl TryFrom<String> for Role {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse().map_err(|_| Error::invalid("role", Rule::Unknown))
    }
}

/// A user.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct User {
    pub id: i64,
    pub username: String,
    #[sqlx(try_from = "String")]
    pub role: Role,
}

impl User {
    /// Whether this user may change what `owner` (a user's id) owns.
    pub fn may_change(&self, owner: i64) -> bool {
        self.id == owner || self.role == Role::Admin
    }
}

/// The public profile of a user.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Profile {
    /// The number of the account.
    pub id: i64,
    /// Unique, ignoring case.
    #[schema(example = "ann")]
    pub username: String,
    /// What the user may do.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// When the user registered.
    pub created_at: DateTime<Utc>,
}

/// What an address shows as it is (RFC 3986 §2.3).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// Maximum length of text that is compared, in characters: an e-mail address has at most 254.
const MAX_KEY_LENGTH: usize = 300;

/// Shortest and longest username, in characters.
const USERNAME_LENGTH: std::ops::RangeInclusive<usize> = 2..=40;

/// Parses a username: trimmed and normalised to NFKC.
///
/// # Errors
/// `Invalid` unless it has 2 to 40 letters, digits, `_` and `-`, all of one script.
pub fn parse_username(text: &str) -> Result<String> {
    let name: String = text.trim().chars().take(MAX_KEY_LENGTH).nfkc().collect();
    if name.is_empty() {
        return Err(Error::invalid("username", Rule::Required));
    }
    // UTS #39 excludes characters that are invisible or obsolete.
    let is_allowed = |c: char| {
        matches!(c, '_' | '-')
            || (c.is_alphanumeric() && GeneralSecurityProfile::identifier_allowed(c))
    };
    if !USERNAME_LENGTH.contains(&name.chars().count()) || !name.chars().all(is_allowed) {
        return Err(FieldError::new("username", Rule::Malformed)
            .with("min", *USERNAME_LENGTH.start())
            .with("max", *USERNAME_LENGTH.end())
            .into());
    }
    // A Cyrillic "а" among Latin letters makes a name that looks like somebody else's.
    if !name.as_str().is_single_script() {
        return Err(Error::invalid("username", Rule::MixedScripts));
    }
    Ok(name)
}

/// The form in which usernames and e-mail addresses are unique: NFKC, in lower case.
pub fn canonical(text: &str) -> String {
    // No valid name or address is longer; normalising megabytes would be wasted work.
    let text: String = text.trim().chars().take(MAX_KEY_LENGTH).collect();
    // PostgreSQL cannot store NUL, which a path can contain; no name has the replacement character.
    let text = text.trim().replace('\0', "\u{fffd}");
    text.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// The path of the profile of the user with this username, the same at both doors.
pub fn path(username: &str) -> String {
    format!("/users/{}", utf8_percent_encode(username, UNRESERVED))
}

/// The public profile of the user with this username.
///
/// # Errors
/// `NotFound`.
pub async fn profile(db: &Db, username: &str) -> Result<Profile> {
    sql("SELECT id, username, role, created_at FROM users WHERE username_key = $1")
        .bind(canonical(username))
        .one(db)
        .await
}

/// The user with this id.
///
/// # Errors
/// `NotFound`.
pub async fn by_id<'c>(conn: impl Into<Conn<'c>>, id: i64) -> Result<User> {
    sql("SELECT id, username, role FROM users WHERE id = $1").bind(id).one(conn).await
}

/// The user with this username.
///
/// # Errors
/// `NotFound`.
pub async fn by_username<'c>(conn: impl Into<Conn<'c>>, username: &str) -> Result<User> {
    sql("SELECT id, username, role FROM users WHERE username_key = $1")
        .bind(canonical(username))
        .one(conn)
        .await
}

/// Locks an account's row until the transaction ends. Whatever changes several rows of an account
/// does this first: rows are locked from the person down.
///
/// # Errors
/// `NotFound` when the account was deleted.
pub async fn lock(tx: &mut Tx, id: i64) -> Result<()> {
    // Changes nothing; SQLite has no FOR UPDATE.
    let locked = sql("UPDATE users SET role = role WHERE id = $1").bind(id).execute(tx).await?;
    if locked == 0 { Err(Error::NotFound) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames_are_normalised_and_bounded() {
        assert_eq!(parse_username(" Ann_1 ").unwrap(), "Ann_1");
        assert_eq!(parse_username("ａｎｎ").unwrap(), "ann");
        assert_eq!(parse_username("Zoë").unwrap(), "Zoë");
        assert_eq!(parse_username("世界").unwrap(), "世界");
        let long = "x".repeat(41);
        for bad in [
            "",
            "a",
            &long,
            "a b",
            "a@b",
            "a/b",
            "../x",
            "a\u{0}b",
            "a\r\nb",
            "аnn",
            "\u{3164}\u{3164}",
            "a\u{200b}b",
        ] {
            assert!(parse_username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn all_spellings_are_compared_alike() {
        for same in ["ANN", "ann ", "Ａｎｎ"] {
            assert_eq!(canonical(same), "ann");
        }
        assert_eq!(canonical("STRASSE"), canonical("strasse"));
    }
}

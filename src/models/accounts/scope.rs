//! Scopes: what a token may be used for (RFC 6749 §3.3).

use std::fmt;

use serde::Serialize;
use strum::{EnumIter, EnumString, IntoEnumIterator, IntoStaticStr};

use crate::models::users::user::{Role, User};

/// What a token may be used for.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    EnumIter,
    EnumString,
    IntoStaticStr,
    utoipa::ToSchema,
)]
pub enum Scope {
    #[serde(rename = "posts:read")]
    #[strum(serialize = "posts:read")]
    PostsRead,
    #[serde(rename = "posts:write")]
    #[strum(serialize = "posts:write")]
    PostsWrite,
    #[serde(rename = "account")]
    #[strum(serialize = "account")]
    Account,
    #[serde(rename = "admin")]
    #[strum(serialize = "admin")]
    Admin,
}

impl Scope {
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The scopes of a token, each once; as text, separated by single spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Everything that this user could permit a program.
    pub fn all_of(user: &User) -> Scopes {
        let is_admin = user.role == Role::Admin;
        Scopes(Scope::iter().filter(|scope| is_admin || *scope != Scope::Admin).collect())
    }

    /// `None` when one of the words is no scope.
    pub fn parse<'w>(words: impl Iterator<Item = &'w str>) -> Option<Scopes> {
        let mut scopes = Scopes::default();
        for word in words {
            scopes.add(word.parse().ok()?);
        }
        Some(scopes)
    }

    fn add(&mut self, scope: Scope) {
        if !self.contain(scope) {
            self.0.push(scope);
        }
    }

    pub fn contain(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub fn include(&self, others: &Scopes) -> bool {
        others.0.iter().all(|scope| self.contain(*scope))
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The scopes that are in both.
    pub fn intersection(&self, others: &Scopes) -> Scopes {
        Scopes(self.0.iter().copied().filter(|scope| others.contain(*scope)).collect())
    }

    /// Adds the scopes that are missing.
    pub fn extend(&mut self, others: &Scopes) {
        others.0.iter().for_each(|scope| self.add(*scope));
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.0.iter().map(|scope| scope.as_str()).collect();
        f.write_str(&words.join(" "))
    }
}

impl From<String> for Scopes {
    /// Ignores scopes that this version does not know.
    fn from(stored: String) -> Scopes {
        Scopes(stored.split(' ').filter_map(|word| word.parse().ok()).collect())
    }
}

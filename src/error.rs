//! Error types: `Error` for requests, `Fatal` for the operator. `Error` knows neither HTTP nor
//! English; `locales/` contains a message for each code.

mod fault;

use std::fmt;

use chrono::{DateTime, Utc};
use strum::{EnumIter, IntoStaticStr};

use crate::validation::{FieldError, Rule, ValidationErrors};

pub use fault::{Fault, FaultKind};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug)]
pub enum Error {
    NotFound,
    /// Nobody is logged in.
    Unauthenticated,
    /// Credentials were sent but are wrong or no longer valid.
    InvalidCredentials(Credentials),
    /// The password was not confirmed recently enough for a sensitive action.
    ReauthenticationRequired,
    /// The password was right, but a code from the authenticator is also required.
    SecondFactorRequired,
    Forbidden(Denial),
    /// The personal token lacks this scope.
    InsufficientScope(&'static str),
    Invalid(ValidationErrors),
    /// The input is valid, but its values are already taken.
    Taken(ValidationErrors),
    /// The current state of the site does not allow it.
    Conflict(Conflict),
    /// Somebody else saved a newer version.
    VersionConflict,
    /// A rate limit was exceeded; `retry_after` is in seconds. `first` marks the first refusal in a
    /// window, the only one that is audited.
    TooManyRequests {
        retry_after: i64,
        first: bool,
    },
    /// The site is busy: this request cannot be served now.
    Unavailable,
    /// The database cannot serve this request now.
    Unserved(Fault),
    AuditBroken(AuditFault),
    Database(sqlx::Error),
    /// An internal failure; the text is for the log.
    Internal(String),
}

/// Which credentials are invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
pub enum Credentials {
    /// Unknown name, wrong password, disabled account: the same error for all.
    #[strum(serialize = "login.failed")]
    Login,
    /// Too much time passed between password and code.
    #[strum(serialize = "login.expired")]
    LoginExpired,
    #[strum(serialize = "code.wrong")]
    Code,
    /// Too many consecutive wrong codes: a new password or the operator helps.
    #[strum(serialize = "code.locked")]
    CodesLocked,
    #[strum(serialize = "access_token.invalid")]
    AccessToken,
    /// Genuine, but issued in the future: the clock of this server or of another one is wrong.
    #[strum(serialize = "access_token.not_yet_valid")]
    FutureToken,
    #[strum(serialize = "refresh_token.invalid")]
    RefreshToken,
    #[strum(serialize = "personal_token.invalid")]
    PersonalToken,
    #[strum(serialize = "session.ended")]
    Session,
    /// An e-mailed link that is unknown, used, replaced or expired.
    #[strum(serialize = "link.invalid")]
    Link,
    #[strum(serialize = "authorization_code.invalid")]
    AuthorizationCode,
    /// The `Authorization` header has a scheme other than Bearer.
    #[strum(serialize = "authorization.scheme")]
    Scheme,
}

impl Credentials {
    /// Whether they are what a program sends with every request.
    pub fn is_bearer_token(self) -> bool {
        matches!(
            self,
            Credentials::AccessToken
                | Credentials::FutureToken
                | Credentials::PersonalToken
                | Credentials::Session
        )
    }
}

/// Why an authenticated user may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
pub enum Denial {
    #[strum(serialize = "admin.required")]
    NotAdmin,
    #[strum(serialize = "not_author")]
    NotAuthor,
    #[strum(serialize = "posts.own_vote")]
    OwnVote,
    /// Nobody can register at present.
    #[strum(serialize = "registration.closed")]
    RegistrationClosed,
    #[strum(serialize = "email.unverified")]
    EmailUnverified,
    /// The site requires two-factor log-in, and this user has not set it up yet.
    #[strum(serialize = "two_factor.required")]
    SecondFactorMissing,
    /// No personal token may do this, whatever its scopes.
    #[strum(serialize = "personal_token.not_allowed")]
    PersonalToken,
}

/// Why the current state of the site does not allow something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
pub enum Conflict {
    #[strum(serialize = "users.last_admin")]
    LastAdmin,
    #[strum(serialize = "personal_token.limit_reached")]
    TooManyTokens,
    #[strum(serialize = "application.limit_reached")]
    TooManyApplications,
    #[strum(serialize = "two_factor.already_on")]
    TwoFactorOn,
    #[strum(serialize = "email.nothing_to_confirm")]
    NothingToConfirm,
    #[strum(serialize = "email.already_used")]
    EmailTaken,
    /// The record that the input belongs to was deleted concurrently.
    #[strum(serialize = "parent.deleted")]
    ParentDeleted,
    /// Nobody can add a comment to this post any more.
    #[strum(serialize = "comments.closed")]
    CommentsClosed,
    #[strum(serialize = "demo.exists")]
    DemoExists,
}

/// Where the audit log is broken, by the number of the event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuditFault {
    Missing(i64),
    Changed(i64),
    /// What the event says about people was changed.
    DetailsChanged(i64),
    /// It was removed, although the account was not deleted.
    DetailsMissing(i64),
    /// The seal that ends with this event has a wrong signature.
    Seal(i64),
    /// The key that signed the newest seal is not one of the site's keys.
    UnknownKey {
        id: i64,
        key: String,
    },
    /// The event of a checkpoint was sealed; `instead` is the checkpoint of its seal.
    Sealed {
        id: i64,
        at: DateTime<Utc>,
        instead: String,
    },
    /// The record of the last event was changed.
    Head,
    /// The event of a checkpoint no longer matches.
    Checkpoint(i64),
}

impl Error {
    /// An error about one field.
    pub fn invalid(field: &'static str, rule: Rule) -> Error {
        FieldError::new(field, rule).into()
    }

    /// The stable, machine-readable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Error::NotFound => "not_found",
            Error::Unauthenticated => "unauthenticated",
            Error::InvalidCredentials(what) => what.into(),
            Error::ReauthenticationRequired => "reauthentication_required",
            Error::SecondFactorRequired => "second_factor_required",
            Error::Forbidden(why) => why.into(),
            Error::InsufficientScope(_) => "insufficient_scope",
            Error::Invalid(_) => "invalid_input",
            Error::Taken(_) => "already_taken",
            Error::Conflict(why) => why.into(),
            Error::VersionConflict => "version_conflict",
            Error::TooManyRequests { .. } => "too_many_requests",
            Error::Unavailable | Error::Unserved(_) => "unavailable",
            Error::AuditBroken(_) | Error::Database(_) | Error::Internal(_) => "internal_error",
        }
    }

    /// Whether the transaction may succeed if it is simply run again.
    pub fn is_repeatable(&self) -> bool {
        matches!(self, Error::Unserved(fault) if fault.kind == FaultKind::Aborted)
    }

    /// Whether a unique constraint was violated. SQLite does not name the constraint.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Error::Database(sqlx::Error::Database(e)) if e.is_unique_violation())
    }

    /// Whether a row referred to something that no longer exists.
    pub fn is_foreign_key_violation(&self) -> bool {
        matches!(self, Error::Database(sqlx::Error::Database(e)) if e.is_foreign_key_violation())
    }
}

/// For the log.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Database(error) => write!(f, "database: {error}"),
            Error::Unserved(fault) => write!(f, "database: {}", fault.words),
            Error::Internal(what) => f.write_str(what),
            Error::AuditBroken(fault) => write!(f, "broken audit: {fault:?}"),
            Error::Invalid(errors) | Error::Taken(errors) => {
                write!(f, "{}:", self.code())?;
                errors.iter().try_for_each(|error| write!(f, " {}", error.code()))
            }
            other => f.write_str(other.code()),
        }
    }
}

impl std::error::Error for Error {}

impl ValidationErrors {
    /// Returns the value of `result`, or adds its validation errors to this list.
    ///
    /// # Errors
    /// Any error other than `Invalid`.
    pub fn collect<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Invalid(more)) => {
                self.extend(more);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// # Errors
    /// `Invalid`, if there is any error.
    pub fn into_result(self) -> Result<()> {
        if self.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }
}

impl From<FieldError> for Error {
    fn from(error: FieldError) -> Self {
        let mut errors = ValidationErrors::default();
        errors.add(error);
        Error::Invalid(errors)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Error::Unserved(fault)
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        if let Some(kind) = FaultKind::of(&error) {
            return Fault::new(kind, error.to_string()).into();
        }
        match error {
            sqlx::Error::RowNotFound => Error::NotFound,
            other => Error::Database(other),
        }
    }
}

/// Why Postly cannot start, or a command cannot do its work: one sentence for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Fatal(pub String);

impl Fatal {
    pub fn new(sentence: impl Into<String>) -> Fatal {
        Fatal(sentence.into())
    }
}

//! Error types: `Error` for requests, `Fatal` for the operator. `Error` knows neither HTTP nor
//! English; `locales/` contains a message for each code.

use std::fmt;

use strum::{EnumIter, IntoStaticStr};

use crate::validation::{FieldError, Rule, ValidationErrors};

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
    /// The database is unreachable: no request can be served now.
    Disconnected,
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
    #[strum(serialize = "refresh_token.invalid")]
    RefreshToken,
    #[strum(serialize = "personal_token.invalid")]
    PersonalToken,
    #[strum(serialize = "session.ended")]
    Session,
    /// An e-mailed link that is unknown, used, replaced or expired.
    #[strum(serialize = "link.invalid")]
    Link,
    /// The `Authorization` header has a scheme other than Bearer.
    #[strum(serialize = "authorization.scheme")]
    Scheme,
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
    #[strum(serialize = "email.unverified")]
    EmailUnverified,
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
    #[strum(serialize = "two_factor.already_on")]
    TwoFactorOn,
    #[strum(serialize = "email.nothing_to_confirm")]
    NothingToConfirm,
    #[strum(serialize = "email.already_used")]
    EmailTaken,
    /// The record that the input belongs to was deleted concurrently.
    #[strum(serialize = "parent.deleted")]
    ParentDeleted,
    #[strum(serialize = "demo.site_in_use")]
    SiteInUse,
}

/// Where the audit chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditFault {
    Missing(i64),
    Changed(i64),
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
            Error::Unavailable | Error::Disconnected => "unavailable",
            Error::AuditBroken(_) | Error::Database(_) | Error::Internal(_) => "internal_error",
        }
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

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::RowNotFound => Error::NotFound,
            // A server that hangs up in the middle of the handshake is reported
            // as a protocol or TLS error, not as a lost connection.
            E::PoolTimedOut
            | E::PoolClosed
            | E::Io(_)
            | E::Protocol(_)
            | E::Tls(_)
            | E::WorkerCrashed => {
                tracing::error!(%error, "the database is unreachable");
                Error::Disconnected
            }
            E::Database(e) if is_disconnect(e.as_ref()) => {
                tracing::error!(%error, "the database is unreachable");
                Error::Disconnected
            }
            E::Database(e) if is_temporary(e.as_ref()) => {
                tracing::error!(%error, "the database cannot serve this request");
                Error::Unavailable
            }
            _ => Error::Database(error),
        }
    }
}

/// PostgreSQL classes 08 (connection) and 57P (shutdown).
fn is_disconnect(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    !is_sqlite(error) && ["08", "57P"].iter().any(|class| code.starts_with(class))
}

/// Temporary errors of a single request: PostgreSQL class 53 (resources), 40001 and 40P01
/// (serialisation, deadlock); SQLite 5 (busy), 10 (I/O), 13 (full).
fn is_temporary(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if is_sqlite(error) {
        let primary = code.parse::<i32>().unwrap_or(0) & 0xff;
        matches!(primary, 5 | 10 | 13)
    } else {
        code.starts_with("53") || matches!(code.as_ref(), "40001" | "40P01")
    }
}

fn is_sqlite(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some()
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

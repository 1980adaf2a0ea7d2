//! The one error type: what can go wrong in Postly, in the words of the site. It knows no HTTP.

use std::borrow::Cow;

use serde::Serialize;

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("there is nothing here")]
    NotFound,
    #[error("you need to log in")]
    LoggedOut,
    /// Credentials were given and are wrong or no longer valid.
    #[error("{0}")]
    BadCredentials(&'static str),
    #[error("{0}")]
    Forbidden(&'static str),
    /// The password was not given lately enough for what is delicate.
    #[error("give your password again to go on")]
    ProofNeeded,
    /// The password was right, but a code of the authenticator is needed too.
    #[error("give the code of your authenticator, or a recovery code, as `code`")]
    CodeNeeded,
    /// An e-mail address has to be confirmed first.
    #[error("confirm your e-mail address first: open the link that we sent you")]
    Unverified,
    /// A personal token lacks this scope.
    #[error("the token lacks the scope {0}")]
    InsufficientScope(&'static str),
    #[error("the input is not valid")]
    Invalid(Complaints),
    /// The input is valid but collides with what is already there.
    #[error("the input collides with what is already there")]
    Conflict(Complaints),
    /// The thing has been changed since the writer last saw it.
    #[error("{STALE}")]
    Stale,
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    UnsupportedMediaType(&'static str),
    /// Tried too often; `retry_after` is in seconds. `first` marks the first refusal of a window,
    /// which alone is worth an event.
    #[error("this was tried too often")]
    TooMany { retry_after: i64, first: bool },
    #[error("what you sent is too large")]
    TooLarge,
    /// The address exists, but not for this verb; holds the verbs it has.
    #[error("this address does not answer to that method")]
    MethodNotAllowed(String),
    #[error("the site is busy or its database is out of reach; try again shortly")]
    Unavailable,
    /// The audit's chain does not hold.
    #[error("the audit is broken: {0}")]
    Broken(String),
    #[error("database: {0}")]
    Database(#[source] sqlx::Error),
    #[error("{0}")]
    Internal(String),
}

/// What the writer of a stale edit is told.
pub const STALE: &str = "This post has been changed since you opened it. \
    Your text is kept below: compare it with the post, then save again to replace it.";

impl Error {
    /// A complaint about one field.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Error {
        let mut complaints = Complaints::default();
        complaints.add(field, message);
        Error::Invalid(complaints)
    }

    /// A collision over one field.
    pub fn conflict(field: &'static str, message: impl Into<String>) -> Error {
        let mut complaints = Complaints::default();
        complaints.add(field, message);
        Error::Conflict(complaints)
    }

    /// Whether a unique constraint refused the row. SQLite does not name the constraint.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Error::Database(sqlx::Error::Database(e)) if e.is_unique_violation())
    }

    /// Whether a row referred to something that is no longer there.
    pub fn is_foreign_key_violation(&self) -> bool {
        matches!(self, Error::Database(sqlx::Error::Database(e)) if e.is_foreign_key_violation())
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        match &error {
            E::RowNotFound => Error::NotFound,
            E::PoolTimedOut | E::PoolClosed | E::Io(_) | E::WorkerCrashed => {
                tracing::error!(%error, "the database is out of reach");
                Error::Unavailable
            }
            E::Database(e) if is_outage(e.as_ref()) => {
                tracing::error!(%error, "the database cannot serve");
                Error::Unavailable
            }
            _ => Error::Database(error),
        }
    }
}

/// Codes that say "not now" rather than "never": PostgreSQL classes 08 (connection), 53 (resources)
/// and 57P (shutdown), 40001/40P01 (serialisation, deadlock); SQLite 5 (busy), 10 (I/O), 13 (full).
fn is_outage(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        let primary = code.parse::<i32>().unwrap_or(0) & 0xff;
        matches!(primary, 5 | 10 | 13)
    } else {
        ["08", "53", "57P"].iter().any(|class| code.starts_with(class))
            || matches!(code.as_ref(), "40001" | "40P01")
    }
}

/// One complaint: `field` is the name of the input, or empty when it concerns the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Complaint {
    #[schema(value_type = String, example = "title")]
    pub field: Cow<'static, str>,
    #[schema(example = "Give the post a title.")]
    pub message: String,
}

/// Everything that is wrong with one input, in the order of its fields.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Complaints(Vec<Complaint>);

impl Complaints {
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, message: impl Into<String>) {
        self.0.push(Complaint { field: field.into(), message: message.into() });
    }

    /// Keeps what is good of `checked`; takes what is wrong with it into this list.
    pub fn take<T>(&mut self, checked: Result<T>) -> Result<Option<T>> {
        match checked {
            Ok(value) => Ok(Some(value)),
            Err(Error::Invalid(Complaints(more))) => {
                self.0.extend(more);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// Fails with these complaints, if there are any.
    pub fn check(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self)) }
    }

    pub fn iter(&self) -> impl Iterator<Item = &Complaint> {
        self.0.iter()
    }
}

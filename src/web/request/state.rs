//! Per-request state: the request's id, who sends it, and what went wrong. Guards, replies, catchers
//! and the log all read it here, so handlers need not pass it on.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use rocket::Request;
use serde_json::{Map, Value};

use super::client_address;
use crate::error::Credentials;
use crate::models::accounts::personal_token::Scopes;
use crate::models::accounts::session::Session;
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::users::user::User;
use crate::web::cause::Cause;

/// The state of one request.
pub struct RequestState {
    /// Where the request comes from; its id names it in the log, in responses and in the audit log.
    pub caller: Arc<Caller>,
    pub started: Instant,
    pub authentication: OnceLock<Authentication>,
    /// Whether somebody who is logged in was refused something.
    pub denied: AtomicBool,
    /// The fields of the form that was sent, to show them again if it is refused.
    pub form: OnceLock<Map<String, Value>>,
    cause: Mutex<Option<Cause>>,
}

/// The result of authentication.
pub enum Authentication {
    /// No credentials were sent.
    Anonymous,
    /// A live session, or a personal token.
    User(Authenticated),
    /// Credentials were sent and are invalid.
    Rejected(Credentials),
    /// The database is unreachable. Never let in.
    Unavailable,
}

/// A person with valid credentials.
#[derive(Clone)]
pub struct Authenticated {
    pub user: User,
    pub credential: Credential,
}

/// What a person authenticated with.
#[derive(Clone)]
pub enum Credential {
    Session {
        session: Session,
        /// Whether the cookie's token has grown old enough for a fresh one.
        renewal_due: bool,
    },
    PersonalToken(Scopes),
}

impl Authenticated {
    /// The session, unless the person came with a personal token.
    pub fn session(&self) -> Option<&Session> {
        match &self.credential {
            Credential::Session { session, .. } => Some(session),
            Credential::PersonalToken(_) => None,
        }
    }
}

impl RequestState {
    pub fn of<'r>(request: &'r Request<'_>) -> &'r RequestState {
        request.local_cache(|| RequestState {
            caller: Arc::new(Caller::new(
                client_address::of(request),
                request.headers().get_one("User-Agent").unwrap_or_default(),
                // Without a random id the request can still be served.
                &random::id().unwrap_or_default(),
            )),
            started: Instant::now(),
            authentication: OnceLock::new(),
            denied: AtomicBool::new(false),
            form: OnceLock::new(),
            cause: Mutex::new(None),
        })
    }

    /// The person, if the credentials are valid.
    pub fn authenticated(&self) -> Option<&Authenticated> {
        match self.authentication.get() {
            Some(Authentication::User(authenticated)) => Some(authenticated),
            _ => None,
        }
    }

    /// Keeps the reason of a failed guard for the catcher, which gets only a status from Rocket.
    pub fn fail(&self, cause: Cause) {
        if let Ok(mut kept) = self.cause.lock() {
            *kept = Some(cause);
        }
    }

    pub fn take_cause(&self) -> Option<Cause> {
        self.cause.lock().ok().and_then(|mut cause| cause.take())
    }
}

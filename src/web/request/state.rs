//! Per-request state: the caller, the result of authentication, and errors. Guards, replies,
//! catchers and the log all read it here, so that handlers need not pass it around.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Instant;

use rocket::Request;
use rocket::http::Method;
use serde_json::{Map, Value};

use super::client_address;
use super::panics::PanicWatch;
use crate::error::{Credentials, Fault};
use crate::models::accounts::scope::Scopes;
use crate::models::accounts::session::Session;
use crate::models::base::caller::Caller;
use crate::models::base::idempotency::Claim;
use crate::models::base::metrics::InFlight;
use crate::models::base::random;
use crate::models::base::site::Site;
use crate::models::users::user::User;
use crate::web::cause::Cause;

/// The state of one request.
pub struct RequestState {
    /// Where the request comes from; its id appears in the log, in responses and in the audit log.
    pub caller: Arc<Caller>,
    pub started: Instant,
    pub is_head: bool,
    pub authentication: OnceLock<Authentication>,
    /// Whether permission was denied; audited when the user is logged in.
    pub denied: AtomicBool,
    /// The fields of the submitted form, to show them again if it is rejected.
    pub form: OnceLock<Map<String, Value>>,
    /// The fields that were typed into the form of this page before a log-in.
    pub kept: OnceLock<Map<String, Value>>,
    pub panic: PanicWatch,
    form_id: OnceLock<String>,
    cause: Mutex<Option<Cause>>,
    key: Mutex<Option<Progress>>,
    _in_flight: Option<InFlight>,
}

/// The result of authentication.
pub enum Authentication {
    /// No credentials were sent.
    Anonymous,
    /// An active session, or a personal token.
    User(Authenticated),
    /// Credentials were sent and are invalid.
    Rejected(Credentials),
    /// The credentials could not be checked. Never grants access.
    Unavailable(Fault),
}

/// How far the Idempotency-Key of a request has come.
pub enum Progress {
    /// The handler runs.
    Claimed(Claim),
    /// The same request was answered before.
    Answered(Vec<u8>),
    /// It is refused because of its key.
    Refused,
}

/// A user with valid credentials.
#[derive(Clone)]
pub struct Authenticated {
    pub user: User,
    pub credential: Credential,
    /// Whether the site requires a second factor that this user has not set up.
    pub second_factor_missing: bool,
    /// The version of what anybody may read, when the credentials were checked.
    pub content_version: i64,
}

/// What the user authenticated with.
#[derive(Clone)]
pub enum Credential {
    Session(Session),
    /// A session that may do no more than a personal token with these scopes; its id.
    RestrictedSession(String, Scopes),
    PersonalToken(Scopes),
}

impl Authenticated {
    /// The session, unless the user authenticated with something that is restricted to scopes.
    pub fn session(&self) -> Option<&Session> {
        match &self.credential {
            Credential::Session(session) => Some(session),
            Credential::RestrictedSession(..) | Credential::PersonalToken(_) => None,
        }
    }

    /// The id of the session, restricted or not.
    pub fn session_id(&self) -> Option<&str> {
        match &self.credential {
            Credential::Session(session) => Some(&session.id),
            Credential::RestrictedSession(id, _) => Some(id),
            Credential::PersonalToken(_) => None,
        }
    }

    /// What the credential is restricted to; `None` for a session that may do everything.
    pub fn scopes(&self) -> Option<&Scopes> {
        match &self.credential {
            Credential::Session(_) => None,
            Credential::RestrictedSession(_, scopes) | Credential::PersonalToken(scopes) => {
                Some(scopes)
            }
        }
    }
}

impl RequestState {
    pub fn of<'r>(request: &'r Request<'_>) -> &'r RequestState {
        let site = request.rocket().state::<Site>();
        request.local_cache(|| RequestState {
            caller: Arc::new(Caller::new(
                client_address::of(request),
                request.headers().get_one("User-Agent").unwrap_or_default(),
                // Without a random id the request can still be served.
                &client_address::request_id(request)
                    .map_or_else(|| random::id().unwrap_or_default(), str::to_owned),
            )),
            started: Instant::now(),
            is_head: request.method() == Method::Head,
            authentication: OnceLock::new(),
            denied: AtomicBool::new(false),
            form: OnceLock::new(),
            kept: OnceLock::new(),
            panic: PanicWatch::of_this_task(),
            form_id: OnceLock::new(),
            cause: Mutex::new(None),
            key: Mutex::new(None),
            _in_flight: site.map(|site| site.metrics.begin_request()),
        })
    }

    /// The user, if the credentials are valid.
    pub fn authenticated(&self) -> Option<&Authenticated> {
        match self.authentication.get() {
            Some(Authentication::User(authenticated)) => Some(authenticated),
            _ => None,
        }
    }

    /// The id of the forms of this answer, which no other answer has. Without randomness, they have none.
    pub fn form_id(&self) -> &str {
        self.form_id.get_or_init(|| random::id().unwrap_or_default())
    }

    /// Stores the cause of a failed guard for the catcher, which gets only a status from Rocket.
    pub fn fail(&self, cause: Cause) {
        if let Ok(mut kept) = self.cause.lock() {
            *kept = Some(cause);
        }
    }

    /// Records how far the Idempotency-Key of this request has come.
    pub fn set_key(&self, progress: Progress) {
        if let Ok(mut key) = self.key.lock() {
            *key = Some(progress);
        }
    }

    /// No handler may run; keeps an earlier answer.
    pub fn end_key(&self) {
        if let Ok(mut key) = self.key.lock() {
            key.get_or_insert(Progress::Refused);
        }
    }

    /// Whether no handler may run, because of the Idempotency-Key.
    pub fn has_ended_key(&self) -> bool {
        self.key
            .lock()
            .is_ok_and(|key| matches!(*key, Some(Progress::Answered(_) | Progress::Refused)))
    }

    pub fn take_key(&self) -> Option<Progress> {
        self.key.lock().ok().and_then(|mut key| key.take())
    }

    pub fn take_cause(&self) -> Option<Cause> {
        self.cause.lock().ok().and_then(|mut cause| cause.take())
    }
}

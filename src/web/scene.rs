//! What is known of one request: its id, who asks, and what went wrong. Guards, replies, catchers
//! and the log all read it here, so handlers need not hand it on.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};
use std::time::Instant;

use rocket::fairing::{self, Fairing, Kind};
use rocket::{Data, Request};

use super::door::Door;
use super::{Database, address, cookie};
use crate::error::{Error, Result};
use crate::models::api_token::{self, Granted};
use crate::models::caller::Caller;
use crate::models::secret;
use crate::models::session::{self, Session};
use crate::models::token::{Audience, Keys};
use crate::models::user::User;

/// The state of one request.
pub struct Scene {
    /// Where the request comes from; its id names it in the log, in answers and in the audit.
    pub caller: Caller,
    pub started: Instant,
    pub access: OnceLock<Access>,
    /// Whether a person was told that they may not do this.
    pub denied: AtomicBool,
    failure: Mutex<Option<Error>>,
}

/// Who asks.
pub enum Access {
    /// No credentials came along.
    Nobody,
    /// A live session, or a personal token.
    Person(Present),
    /// Credentials came along and are worth nothing.
    Refused(&'static str),
    /// Nobody can tell, since the database is out of reach. Never let in.
    Unknown,
}

/// A person with valid credentials.
#[derive(Clone)]
pub struct Present {
    pub user: User,
    pub credential: Credential,
}

/// What a person showed.
#[derive(Clone)]
pub enum Credential {
    Session {
        session: Session,
        /// Whether the cookie's token has grown old enough for a fresh one.
        renewal_due: bool,
    },
    Token(Granted),
}

impl Present {
    /// The session, unless the person came with a personal token.
    pub fn session(&self) -> Option<&Session> {
        match &self.credential {
            Credential::Session { session, .. } => Some(session),
            Credential::Token(_) => None,
        }
    }

    /// The session's id.
    pub fn sid(&self) -> Option<&str> {
        self.session().map(|session| session.id.as_str())
    }
}

impl Scene {
    pub fn of<'r>(request: &'r Request<'_>) -> &'r Scene {
        request.local_cache(|| Scene {
            caller: Caller::new(
                address::of(request),
                request.headers().get_one("User-Agent").unwrap_or_default(),
                // An id that is not random still lets the request be served.
                &secret::id().unwrap_or_default(),
            ),
            started: Instant::now(),
            access: OnceLock::new(),
            denied: AtomicBool::new(false),
            failure: Mutex::new(None),
        })
    }

    /// The person, if a live session was shown.
    pub fn present(&self) -> Option<&Present> {
        match self.access.get() {
            Some(Access::Person(present)) => Some(present),
            _ => None,
        }
    }

    /// Leaves the reason of a failed guard for the catcher, which Rocket tells only a status.
    pub fn fail(&self, error: Error) {
        if let Ok(mut failure) = self.failure.lock() {
            *failure = Some(error);
        }
    }

    pub fn take_failure(&self) -> Option<Error> {
        self.failure.lock().ok().and_then(|mut failure| failure.take())
    }
}

/// Sets the scene of every request before it is routed.
pub struct Stage;

#[rocket::async_trait]
impl Fairing for Stage {
    fn info(&self) -> fairing::Info {
        fairing::Info { name: "scene", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let path = request.uri().path();
        // Nothing under these depends on who asks.
        let impersonal = ["/static/", "/healthz", "/readyz"];
        let access = if impersonal.iter().any(|prefix| path.starts_with(prefix)) {
            Access::Nobody
        } else {
            match identify(request).await {
                Ok(Some(present)) => Access::Person(present),
                Ok(None) => Access::Nobody,
                Err(Error::BadCredentials(why)) => Access::Refused(why),
                Err(error) => {
                    tracing::error!(%error, "nobody can be identified");
                    Access::Unknown
                }
            }
        };
        let _ = Scene::of(request).access.set(access);
    }
}

/// Checks the token against its signature and its claims, then against the session's row; a personal
/// token against its own row. The page
/// door looks at the cookie alone, the API door at the bearer token alone.
async fn identify(request: &Request<'_>) -> Result<Option<Present>> {
    let (audience, token) = match Door::of(request) {
        Door::Page => (Audience::Page, cookie::token(request)),
        Door::Api => (Audience::Api, bearer(request)?),
    };
    let Some(token) = token else {
        return Ok(None);
    };
    let rocket = request.rocket();
    let (Some(keys), Some(db)) =
        (rocket.state::<Keys>(), <Database as rocket_db_pools::Database>::fetch(rocket))
    else {
        return Err(Error::Internal("the keys or the database are not managed".to_owned()));
    };
    let caller = &Scene::of(request).caller;
    if audience == Audience::Api && token.starts_with(api_token::PREFIX) {
        let (user, _, granted) = api_token::find(db, caller, token).await?;
        return Ok(Some(Present { user, credential: Credential::Token(granted) }));
    }
    let claims = keys.verify(audience, token)?;
    let (user, session) = session::find(db, caller, &claims.sid, claims.user_id()?).await?;
    let renewal_due = session::is_due_for_renewal(claims.issued_at());
    Ok(Some(Present { user, credential: Credential::Session { session, renewal_due } }))
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
fn bearer<'r>(request: &'r Request<'_>) -> Result<Option<&'r str>> {
    let Some(header) = request.headers().get_one("Authorization") else {
        return Ok(None);
    };
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Error::BadCredentials("Use Authorization: Bearer and an access token.")),
    }
}

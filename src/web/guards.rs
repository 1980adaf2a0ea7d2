//! Request guards: who asks, as handlers want to know it.

use std::sync::atomic::Ordering::Relaxed;

use rocket::Request;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};

use super::door::Door;
use super::failure::status;
use super::scene::{Access, Credential, Present, Scene};
use super::scope;
use crate::error::Error;
use crate::models::caller::Caller;
use crate::models::session::Session;
use crate::models::user::{Admin, User};

/// Whoever asks: a person, or nobody in particular.
pub struct Visitor(pub Option<User>);

impl Visitor {
    pub fn user(&self) -> Option<&User> {
        self.0.as_ref()
    }
}

/// The session of a person who has given the password lately: for what is delicate.
pub struct Sudo(pub Session);

/// Ends the request with this error, for the catcher to tell.
pub fn refuse<T>(request: &Request<'_>, error: Error) -> Outcome<T, ()> {
    let code: Status = status(&error, Door::of(request));
    Scene::of(request).fail(error);
    Outcome::Error((code, ()))
}

fn present<'r>(request: &'r Request<'_>) -> Result<Option<&'r Present>, Error> {
    match (Scene::of(request).access.get(), Door::of(request)) {
        (Some(Access::Person(present)), _) => permitted(request, present).map(Some),
        (Some(Access::Nobody), _) => Ok(None),
        // An outdated cookie is no reason to refuse a public page; a bad token is a mistake.
        (Some(Access::Refused(_)), Door::Page) => Ok(None),
        (Some(Access::Refused(why)), Door::Api) => Err(Error::BadCredentials(why)),
        (Some(Access::Unknown) | None, _) => Err(Error::Unavailable),
    }
}

/// Refuses a personal token where its scopes do not reach.
fn permitted<'r>(request: &Request<'_>, present: &'r Present) -> Result<&'r Present, Error> {
    let Credential::Token(granted) = &present.credential else {
        return Ok(present);
    };
    match scope::needed(request) {
        Some(scope) if granted.allows(scope) => Ok(present),
        Some(scope) => Err(Error::InsufficientScope(scope.as_str())),
        None => Err(Error::Forbidden("No personal token may do this. Log in instead.")),
    }
}

fn required<'r>(request: &'r Request<'_>) -> Result<&'r Present, Error> {
    present(request)?.ok_or(Error::LoggedOut)
}

/// The session, where no personal token will do.
fn session<'r>(request: &'r Request<'_>) -> Result<&'r Session, Error> {
    required(request)?.session().ok_or(Error::LoggedOut)
}

/// The person's being an admin: with the password given lately, or with a token for it.
fn admin(request: &Request<'_>) -> Result<Admin, Error> {
    let present = required(request)?;
    let admin = Admin::of(present.user.clone())?;
    match present.session() {
        Some(session) if !session.is_proved() => Err(Error::ProofNeeded),
        _ => Ok(admin),
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Visitor {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match present(request) {
            Ok(present) => Outcome::Success(Visitor(present.map(|p| p.user.clone()))),
            Err(error) => refuse(request, error),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for User {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match required(request) {
            Ok(present) => Outcome::Success(present.user.clone()),
            Err(error) => refuse(request, error),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Present {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match required(request) {
            Ok(present) => Outcome::Success(present.clone()),
            Err(error) => refuse(request, error),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Session {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match session(request) {
            Ok(session) => Outcome::Success(session.clone()),
            Err(error) => refuse(request, error),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Sudo {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match session(request) {
            Ok(session) if session.is_proved() => Outcome::Success(Sudo(session.clone())),
            Ok(_) => refuse(request, Error::ProofNeeded),
            Err(error) => refuse(request, error),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Caller {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Success(&Scene::of(request).caller)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Admin {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match (admin(request), Door::of(request)) {
            (Ok(admin), _) => Outcome::Success(admin),
            // Pages for admins do not exist for anybody else.
            (Err(Error::LoggedOut), Door::Page) => refuse(request, Error::NotFound),
            (Err(Error::Forbidden(_)), Door::Page) => {
                Scene::of(request).denied.store(true, Relaxed);
                refuse(request, Error::NotFound)
            }
            (Err(error), _) => refuse(request, error),
        }
    }
}

//! Request guards: who asks, as handlers want to know it.

use rocket::Request;
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome};

use super::door::Door;
use super::failure::status;
use super::scene::{Access, Present, Scene};
use crate::error::Error;
use crate::models::user::{Admin, User};

/// Whoever asks: a person, or nobody in particular.
pub struct Visitor(pub Option<User>);

impl Visitor {
    pub fn user(&self) -> Option<&User> {
        self.0.as_ref()
    }
}

/// The person who asks, with the session that shows it.
pub struct Session {
    pub sid: String,
}

/// Ends the request with this error, for the catcher to tell.
pub fn refuse<T>(request: &Request<'_>, error: Error) -> Outcome<T, ()> {
    let code: Status = status(&error, Door::of(request));
    Scene::of(request).fail(error);
    Outcome::Error((code, ()))
}

fn present<'r>(request: &'r Request<'_>) -> Result<Option<&'r Present>, Error> {
    match (Scene::of(request).access.get(), Door::of(request)) {
        (Some(Access::Person(present)), _) => Ok(Some(present)),
        (Some(Access::Nobody), _) => Ok(None),
        // An outdated cookie is no reason to refuse a public page; a bad token is a mistake.
        (Some(Access::Refused(_)), Door::Page) => Ok(None),
        (Some(Access::Refused(why)), Door::Api) => Err(Error::BadCredentials(why)),
        (Some(Access::Unknown) | None, _) => Err(Error::Unavailable),
    }
}

fn required<'r>(request: &'r Request<'_>) -> Result<&'r Present, Error> {
    present(request)?.ok_or(Error::LoggedOut)
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
impl<'r> FromRequest<'r> for Session {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        match required(request) {
            Ok(present) => Outcome::Success(Session { sid: present.sid.clone() }),
            Err(error) => refuse(request, error),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Admin {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let admin = required(request).and_then(|present| Admin::of(present.user.clone()));
        match (admin, Door::of(request)) {
            (Ok(admin), _) => Outcome::Success(admin),
            // Pages for admins do not exist for anybody else.
            (Err(Error::LoggedOut | Error::Forbidden(_)), Door::Page) => {
                refuse(request, Error::NotFound)
            }
            (Err(error), _) => refuse(request, error),
        }
    }
}

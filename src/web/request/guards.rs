//! Request guards, which authenticate and authorise the user for a handler. A guard also decides
//! what personal tokens and restricted sessions may do: a handler with an `Actor` refuses them, a
//! handler with `Scoped<PostsWrite>` accepts those with that scope.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::Ordering::Relaxed;

use rocket::Request;
use rocket::request::{FromRequest, Outcome};

use super::refusal::refuse;
use super::state::{Authenticated, Authentication, RequestState};
use crate::error::{Denial, Error, Result};
use crate::models::accounts::scope::Scope;
use crate::models::accounts::session::Session;
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::caller::Caller;
use crate::models::base::site::Site;
use crate::models::users::user::User;
use crate::web::door::Door;
use crate::web::public_url::PublicUrl;
use crate::web::security::cookie::{self, device_name};

/// Anyone, logged in or not. Who has a token without `posts:read` reads what anybody may.
pub struct Visitor(pub Option<User>);

impl Visitor {
    pub fn user(&self) -> Option<&User> {
        self.0.as_ref()
    }
}

/// The session of a user who recently confirmed the password: for sensitive actions.
pub struct Sudo(pub Session);

/// The guard `G`, also for users who still have to set up the second factor that the site requires.
pub struct SettingUp<G>(G);

impl<G> Deref for SettingUp<G> {
    type Target = G;

    fn deref(&self) -> &G {
        &self.0
    }
}

/// The session of this request, if there is one; never refuses a request.
pub struct CurrentSession(Option<String>);

impl CurrentSession {
    pub fn id(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// A user with a session, or with a personal token or a restricted session that has the scope `S`.
pub struct Scoped<S> {
    actor: Actor,
    scope: PhantomData<S>,
}

impl<S> Deref for Scoped<S> {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

/// `Scoped`, and the user of a session recently confirmed the password; creating a personal token
/// asked for it.
pub struct Confirmed<S>(Scoped<S>);

impl<S> Deref for Confirmed<S> {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.0
    }
}

/// A scope as a type, for guards.
pub trait TokenScope {
    const SCOPE: Scope;
}

pub struct PostsRead;
pub struct PostsWrite;
pub struct AccountScope;

impl TokenScope for PostsRead {
    const SCOPE: Scope = Scope::PostsRead;
}

impl TokenScope for PostsWrite {
    const SCOPE: Scope = Scope::PostsWrite;
}

impl TokenScope for AccountScope {
    const SCOPE: Scope = Scope::Account;
}

fn authenticated<'r>(request: &'r Request<'_>) -> Result<Option<&'r Authenticated>> {
    match (RequestState::of(request).authentication.get(), Door::of(request)) {
        (Some(Authentication::User(authenticated)), _) => Ok(Some(authenticated)),
        (Some(Authentication::Anonymous), _) => Ok(None),
        // An invalid cookie is no reason to refuse a public page; an invalid bearer token is an
        // error.
        (Some(Authentication::Rejected(_)), Door::Page) => Ok(None),
        (Some(Authentication::Rejected(what)), Door::Api) => Err(Error::InvalidCredentials(*what)),
        (Some(Authentication::Unavailable(fault)), _) => Err(fault.clone().into()),
        (None, _) => Err(Error::Unavailable),
    }
}

/// Refuses what is restricted to scopes that do not contain this one; `None` refuses whatever is
/// restricted.
fn permit(authenticated: &Authenticated, scope: Option<Scope>) -> Result<()> {
    let Some(scopes) = authenticated.scopes() else { return Ok(()) };
    match scope {
        Some(scope) if scopes.contain(scope) => Ok(()),
        Some(scope) => Err(Error::InsufficientScope(scope.as_str())),
        None => Err(Error::Forbidden(Denial::PersonalToken)),
    }
}

fn person<'r>(request: &'r Request<'_>, scope: Option<Scope>) -> Result<&'r Authenticated> {
    let authenticated = authenticated(request)?.ok_or(Error::Unauthenticated)?;
    permit(authenticated, scope)?;
    Ok(authenticated)
}

/// Refuses users who still have to set up the second factor that the site requires.
fn require_second_factor(request: &Request<'_>) -> Result<()> {
    match authenticated(request)? {
        Some(authenticated) if authenticated.second_factor_missing => {
            Err(Error::Forbidden(Denial::SecondFactorMissing))
        }
        _ => Ok(()),
    }
}

/// Refuses a session whose user did not confirm the password recently.
fn require_confirmation(request: &Request<'_>) -> Result<()> {
    match authenticated(request)?.and_then(Authenticated::session) {
        Some(session) if !session.is_recently_authenticated() => {
            Err(Error::ReauthenticationRequired)
        }
        _ => Ok(()),
    }
}

fn any_actor(request: &Request<'_>, scope: Option<Scope>) -> Result<Actor> {
    let user = person(request, scope)?.user.clone();
    Ok(Actor { user, caller: RequestState::of(request).caller.clone() })
}

fn actor(request: &Request<'_>, scope: Option<Scope>) -> Result<Actor> {
    let actor = any_actor(request, scope)?;
    require_second_factor(request)?;
    Ok(actor)
}

fn visitor(request: &Request<'_>) -> Result<Visitor> {
    let Some(authenticated) = authenticated(request)? else { return Ok(Visitor(None)) };
    let is_known = permit(authenticated, Some(Scope::PostsRead)).is_ok();
    Ok(Visitor(is_known.then(|| authenticated.user.clone())))
}

fn any_session(request: &Request<'_>) -> Result<Session> {
    person(request, None)?.session().cloned().ok_or(Error::Unauthenticated)
}

fn session(request: &Request<'_>) -> Result<Session> {
    let session = any_session(request)?;
    require_second_factor(request)?;
    Ok(session)
}

fn any_sudo(request: &Request<'_>) -> Result<Sudo> {
    let session = any_session(request)?;
    require_confirmation(request)?;
    Ok(Sudo(session))
}

fn sudo(request: &Request<'_>) -> Result<Sudo> {
    session(request)?;
    any_sudo(request)
}

/// An admin who recently confirmed the password, or whose token has the scope `admin`.
fn admin(request: &Request<'_>) -> Result<Admin> {
    // First the role: to everybody else, admin pages do not exist.
    let admin = Admin::of(any_actor(request, Some(Scope::Admin))?)?;
    require_second_factor(request)?;
    require_confirmation(request)?;
    Ok(admin)
}

/// Whether the browser has the cookie of a session that has ended, or of a log-in before.
fn was_logged_in(request: &Request<'_>) -> bool {
    let is_known = |url: &PublicUrl| request.cookies().get(&device_name(url)).is_some();
    cookie::token(request).is_some() || request.rocket().state::<PublicUrl>().is_some_and(is_known)
}

fn outcome<T>(request: &Request<'_>, result: Result<T>) -> Outcome<T, ()> {
    match result {
        Ok(value) => Outcome::Success(value),
        Err(error) => Outcome::Error(refuse(request, error)),
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Visitor {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        outcome(request, visitor(request))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Actor {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        outcome(request, actor(request, None))
    }
}

#[rocket::async_trait]
impl<'r, S: TokenScope> FromRequest<'r> for Scoped<S> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let actor = actor(request, Some(S::SCOPE));
        outcome(request, actor.map(|actor| Scoped { actor, scope: PhantomData }))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Session {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        outcome(request, session(request))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Sudo {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        outcome(request, sudo(request))
    }
}

#[rocket::async_trait]
impl<'r, S: TokenScope> FromRequest<'r> for Confirmed<S> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let actor = actor(request, Some(S::SCOPE));
        let actor = actor.and_then(|actor| require_confirmation(request).map(|()| actor));
        outcome(request, actor.map(|actor| Confirmed(Scoped { actor, scope: PhantomData })))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SettingUp<Actor> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        outcome(request, any_actor(request, None).map(SettingUp))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SettingUp<Session> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        outcome(request, any_session(request).map(SettingUp))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for SettingUp<Sudo> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        outcome(request, any_sudo(request).map(SettingUp))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for CurrentSession {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let authenticated = RequestState::of(request).authenticated();
        let id = authenticated.and_then(Authenticated::session_id);
        Outcome::Success(CurrentSession(id.map(str::to_owned)))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Caller {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        Outcome::Success(&RequestState::of(request).caller)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Site {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let site = request.rocket().state::<Site>();
        outcome(request, site.ok_or_else(|| Error::Internal("the site is not managed".to_owned())))
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Admin {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let hidden = match (admin(request), Door::of(request)) {
            // To everybody else, admin pages do not exist. Who was logged in here before may be an
            // admin, whose form must not be lost.
            (Err(Error::Unauthenticated), Door::Page) if !was_logged_in(request) => {
                Err(Error::NotFound)
            }
            (Err(Error::Forbidden(Denial::NotAdmin)), Door::Page) => {
                RequestState::of(request).denied.store(true, Relaxed);
                Err(Error::NotFound)
            }
            (result, _) => result,
        };
        outcome(request, hidden)
    }
}

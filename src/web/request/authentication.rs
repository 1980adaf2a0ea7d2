//! Authentication: once per request, before routing.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Method;
use rocket::{Data, Request};

use super::kept;
use super::state::{Authenticated, Authentication, Credential, RequestState};
use crate::error::{Credentials, Error, Fault, FaultKind, Result};
use crate::models::accounts::access_token::{self, Audience};
use crate::models::accounts::{personal_token, session, two_factor};
use crate::models::base::site::Site;
use crate::models::users::user::User;
use crate::web::door::Door;
use crate::web::security::cookie;

/// Authenticates every request before it is routed.
pub struct Authenticate;

#[rocket::async_trait]
impl Fairing for Authenticate {
    fn info(&self) -> Info {
        Info { name: "authentication", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, _: &mut Data<'_>) {
        let path = request.uri().path();
        // Responses below these paths do not depend on the user.
        let impersonal = ["/static/", "/healthz", "/readyz"];
        let authentication = if impersonal.iter().any(|prefix| path.starts_with(prefix)) {
            Authentication::Anonymous
        } else {
            match authenticate(request).await {
                Ok(Some(authenticated)) => {
                    if request.method() == Method::Get {
                        let fields = kept::of_page(request, &authenticated).await;
                        let _ = RequestState::of(request).kept.set(fields);
                    }
                    Authentication::User(authenticated)
                }
                Ok(None) => Authentication::Anonymous,
                Err(Error::InvalidCredentials(what)) => Authentication::Rejected(what),
                // Logged with the response, if the request needs to know who sent it.
                Err(Error::Unserved(fault)) => Authentication::Unavailable(fault),
                Err(error) => {
                    Authentication::Unavailable(Fault::new(FaultKind::Busy, error.to_string()))
                }
            }
        };
        let _ = RequestState::of(request).authentication.set(authentication);
    }
}

/// Verifies the token's signature and claims, then the session's row; for a personal token, its own
/// row. The page door reads only the cookie, the API door only the bearer token.
async fn authenticate(request: &Request<'_>) -> Result<Option<Authenticated>> {
    let (audience, token) = match Door::of(request) {
        Door::Page => (Audience::Page, cookie::token(request)),
        Door::Api => (Audience::Api, bearer(request)?),
    };
    let Some(token) = token else { return Ok(None) };
    let Some(site) = request.rocket().state::<Site>() else {
        return Err(Error::Internal("the site is not managed".to_owned()));
    };
    let caller = &RequestState::of(request).caller;
    if audience == Audience::Api && token.starts_with(personal_token::PREFIX) {
        let found = personal_token::find(&site.db, caller, token).await?;
        let credential = Credential::PersonalToken(found.scopes);
        return known(site, found.user, credential, found.content_version).await.map(Some);
    }
    let claims = access_token::verify(&site.keys, audience, token)?;
    let (user, session) = session::find(&site.db, caller, &claims.sid, claims.user_id()?).await?;
    let content_version = session.content_version;
    let credential = match claims.scopes(session.scopes.clone()) {
        Some(scopes) => Credential::RestrictedSession(session.id, scopes),
        None => Credential::Session(session),
    };
    known(site, user, credential, content_version).await.map(Some)
}

async fn known(
    site: &Site,
    user: User,
    credential: Credential,
    content_version: i64,
) -> Result<Authenticated> {
    let second_factor_missing = two_factor::is_missing(site, &user).await?;
    Ok(Authenticated { user, credential, second_factor_missing, content_version })
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1).
fn bearer<'r>(request: &'r Request<'_>) -> Result<Option<&'r str>> {
    let Some(header) = request.headers().get_one("Authorization") else {
        return Ok(None);
    };
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(Error::InvalidCredentials(Credentials::Scheme)),
    }
}

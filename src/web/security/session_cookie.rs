//! Opens and closes sessions: with a cookie for a browser, with tokens for an API client.

use rocket::Request;
use rocket::http::{Cookie, CookieJar};
use rocket::request::{FromRequest, Outcome};
use serde::Serialize;

use super::cookie;
use crate::error::{Credentials, Error, Result};
use crate::models::accounts::access_token::{self, Audience};
use crate::models::accounts::identity::Identity;
use crate::models::accounts::refresh_token::{self, Grant, Renewal};
use crate::models::accounts::scope::Scopes;
use crate::models::accounts::session::{self, NewSession};
use crate::models::accounts::{device, login_challenge};
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::site::Site;
use crate::validation::Rule;
use crate::web::public_url::PublicUrl;
use crate::web::request::refusal::refuse;
use crate::web::request::state::{Authenticated, Authentication, RequestState};

/// The cookie for the time between password and code.
const CHALLENGE_COOKIE: &str = "postly_login";

/// The client that sent the request, for opening and closing sessions.
pub struct Client<'r> {
    pub site: &'r Site,
    state: &'r RequestState,
    jar: &'r CookieJar<'r>,
    public_url: &'r PublicUrl,
}

/// The response to an API client's log-in (RFC 6749 §5.1).
#[derive(Serialize, utoipa::ToSchema)]
pub struct TokenResponse {
    /// For `Authorization: Bearer`.
    #[schema(example = "eyJ…")]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds until the access token expires.
    #[schema(example = 600)]
    pub expires_in: i64,
    /// What the access token may be used for, separated by spaces.
    #[schema(example = "posts:read posts:write account")]
    pub scope: String,
    /// Works once, within 24 hours.
    #[schema(example = "prt_…")]
    pub refresh_token: String,
    /// After a log-in: send it with the next one, so that failed log-ins of others cannot keep this
    /// program out. It opens nothing by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false, example = "eyJ…")]
    pub device_token: Option<String>,
}

impl Client<'_> {
    pub fn caller(&self) -> &Caller {
        &self.state.caller
    }

    /// Opens a session and sets the browser's cookie. Any previous session of the browser ends, to
    /// prevent session fixation. Returns the id of the new one.
    pub async fn log_in(&self, identity: &Identity) -> Result<String> {
        let previous = self.state.authenticated().and_then(Authenticated::session);
        let previous = previous.map(|session| session.id.as_str());
        let audience = Audience::Page;
        let new_session = NewSession { previous, ..NewSession::own(audience) };
        let sid = session::open(self.site, self.caller(), identity, new_session).await?;
        let token = access_token::sign(&self.site.keys, audience, identity.user.id, &sid)?;
        self.jar.add(cookie::session(self.public_url, token));
        self.remember_device(identity)?;
        let challenge = self.challenge_name();
        if self.jar.get(&challenge).is_some() {
            self.jar.remove(cookie::harden(Cookie::new(challenge, ""), self.public_url));
        }
        Ok(sid)
    }

    /// The token of the browser's device, if it is known.
    pub fn device_token(&self) -> Option<&str> {
        self.jar.get(&cookie::device_name(self.public_url)).map(Cookie::value)
    }

    /// Marks the browser as known to this account; the cookie outlives the session.
    pub fn remember_device(&self, identity: &Identity) -> Result<()> {
        let token = device::remember(&self.site.keys, self.device_token(), identity)?;
        self.jar.add(cookie::device(self.public_url, token));
        Ok(())
    }

    /// Sets a cookie with a secret, with which the browser can send a code.
    pub async fn request_code(&self, identity: &Identity) -> Result<()> {
        let token = login_challenge::create(self.site, identity).await?;
        let cookie = Cookie::new(self.challenge_name(), token);
        let mut cookie = cookie::harden(cookie, self.public_url);
        cookie.set_max_age(rocket::time::Duration::minutes(5));
        self.jar.add(cookie);
        Ok(())
    }

    /// The secret of `request_code`; empty if there is none.
    pub fn challenge(&self) -> &str {
        self.jar.get(&self.challenge_name()).map_or("", Cookie::value)
    }

    fn challenge_name(&self) -> String {
        cookie::name_for(CHALLENGE_COOKIE, self.public_url)
    }

    /// Ends the browser's session, if there is one, and removes its cookie.
    ///
    /// # Errors
    /// `Unavailable` when the session cannot be looked up; the cookie stays, for another try.
    pub async fn log_out(&self) -> Result<()> {
        match self.state.authentication.get() {
            Some(Authentication::Unavailable(fault)) => return Err(Error::Unserved(fault.clone())),
            Some(Authentication::Rejected(Credentials::FutureToken)) | None => {
                return Err(Error::Unavailable);
            }
            _ => {}
        }
        if let Some(authenticated) = self.state.authenticated()
            && let Some(session) = authenticated.session()
        {
            let user = authenticated.user.clone();
            let actor = Actor { user, caller: self.state.caller.clone() };
            session::log_out(self.site, &actor, &session.id).await?;
        }
        self.jar.add(cookie::removal(self.public_url));
        Ok(())
    }

    /// Opens a session for an API client, restricted to these scopes; `device_token` is the one that
    /// it already has.
    ///
    /// # Errors
    /// `Invalid`, about `scope`, when the user may not do all of that.
    pub async fn open_session(
        &self,
        identity: &Identity,
        scopes: Option<&Scopes>,
        device_token: Option<&str>,
    ) -> Result<TokenResponse> {
        if scopes.is_some_and(|asked| !Scopes::all_of(&identity.user).include(asked)) {
            return Err(Error::invalid("scope", Rule::OutOfRange));
        }
        let new_session = NewSession { scopes, ..NewSession::own(Audience::Api) };
        let grant = refresh_token::open(self.site, self.caller(), identity, new_session).await?;
        let device_token = device::remember(&self.site.keys, device_token, identity)?;
        Ok(TokenResponse { device_token: Some(device_token), ..self.token_response(grant, None)? })
    }

    /// Exchanges a refresh token for new tokens.
    pub async fn refresh(&self, token: &str, renewal: Renewal<'_>) -> Result<TokenResponse> {
        let grant = refresh_token::rotate(self.site, self.caller(), token, renewal).await?;
        self.token_response(grant, renewal.scopes)
    }

    /// Ends the session of an access token; an invalid token counts as revoked. `application` is the
    /// one that asks, if it is known.
    ///
    /// # Errors
    /// `InvalidCredentials` when the token belongs to another application.
    pub async fn revoke(&self, access_token: &str, application: Option<i64>) -> Result<()> {
        let keys = &self.site.keys;
        let Ok(claims) = access_token::verify(keys, Audience::Api, access_token) else {
            return Ok(());
        };
        let user_id = claims.user_id()?;
        match session::find(&self.site.db, self.caller(), &claims.sid, user_id).await {
            Ok((_, session)) if application.is_some() && application != session.application => {
                Err(Error::InvalidCredentials(Credentials::AccessToken))
            }
            Ok((user, session)) => {
                let actor = Actor { user, caller: self.state.caller.clone() };
                session::log_out(self.site, &actor, &session.id).await
            }
            Err(Error::InvalidCredentials(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The tokens of a session; `scopes` restricts this access token alone.
    pub fn token_response(&self, grant: Grant, scopes: Option<&Scopes>) -> Result<TokenResponse> {
        let (keys, audience) = (&self.site.keys, Audience::Api);
        let Grant { user, sid, scopes: granted, refresh_token } = grant;
        let all = granted.unwrap_or_else(|| Scopes::all_of(&user));
        Ok(TokenResponse {
            access_token: access_token::sign_restricted(keys, audience, user.id, &sid, scopes)?,
            token_type: "Bearer",
            expires_in: audience.lifetime().num_seconds(),
            scope: scopes.unwrap_or(&all).to_string(),
            refresh_token,
            device_token: None,
        })
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Client<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let rocket = request.rocket();
        let (Some(public_url), Some(site)) = (rocket.state(), rocket.state()) else {
            let error = Error::Internal("no public URL or site is managed".to_owned());
            return Outcome::Error(refuse(request, error));
        };
        let (state, jar) = (RequestState::of(request), request.cookies());
        Outcome::Success(Client { site, state, jar, public_url })
    }
}

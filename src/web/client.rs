//! The other side of a log-in: opening and closing sessions for the client that asks.

use rocket::Request;
use rocket::http::{Cookie, CookieJar};
use rocket::request::{FromRequest, Outcome};
use serde::Serialize;

use super::scene::{Present, Scene};
use super::{cookie, guards::refuse};
use crate::config::PublicUrl;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::models::account::{self, Identity};
use crate::models::caller::Caller;
use crate::models::refresh::{self, Grant};
use crate::models::session;
use crate::models::token::{Audience, Keys};

/// The cookie between password and code.
const CHALLENGE: &str = "postly_login";

/// Whoever sends this request, as far as sessions need to know.
pub struct Client<'r> {
    pub caller: &'r Caller,
    /// Who came with a live session, if anybody did.
    present: Option<&'r Present>,
    jar: &'r CookieJar<'r>,
    public_url: &'r PublicUrl,
    keys: &'r Keys,
}

/// What a log-in gives a program (RFC 6749 §5.1).
#[derive(Serialize, utoipa::ToSchema)]
pub struct Bearer {
    pub access_token: String,
    #[schema(example = "Bearer")]
    pub token_type: &'static str,
    /// Seconds that the access token lasts.
    #[schema(example = 600)]
    pub expires_in: i64,
    /// Good for one use, within 24 hours.
    #[schema(example = "prt_…")]
    pub refresh_token: String,
}

impl Client<'_> {
    /// Opens a session and hands the browser its cookie. A session that the browser had before
    /// ends, whoever planted it.
    pub async fn enter(&self, db: &Db, who: &Identity) -> Result<()> {
        let before = self.present.and_then(Present::session).map(|session| session.id.as_str());
        let sid = session::open(db, self.caller, who, Audience::Page, before).await?;
        let token = self.keys.sign(Audience::Page, who.user.id, &sid)?;
        self.jar.add(cookie::holding(self.public_url, token));
        if self.jar.get(CHALLENGE).is_some() {
            self.jar.remove(cookie::harden(Cookie::new(CHALLENGE, ""), self.public_url));
        }
        Ok(())
    }

    /// Hands the browser a secret with which it comes back to give a code.
    pub async fn ask_for_code(&self, db: &Db, who: &Identity) -> Result<()> {
        let token = account::challenge(db, who).await?;
        let mut cookie = cookie::harden(Cookie::new(CHALLENGE, token), self.public_url);
        cookie.set_max_age(rocket::time::Duration::minutes(5));
        self.jar.add(cookie);
        Ok(())
    }

    /// The secret that `ask_for_code` handed out; empty if there is none.
    pub fn challenge(&self) -> &str {
        self.jar.get(CHALLENGE).map_or("", Cookie::value)
    }

    /// Ends the browser's session, if there is one, and takes its cookie away.
    pub async fn leave(&self, db: &Db) -> Result<()> {
        if let Some(present) = self.present
            && let Some(session) = present.session()
        {
            session::close(db, self.caller, &present.user, &session.id).await?;
        }
        self.jar.add(cookie::removal(self.public_url));
        Ok(())
    }

    /// Opens a session and gives its tokens.
    pub async fn bearer(&self, db: &Db, who: &Identity) -> Result<Bearer> {
        self.granted(refresh::open(db, self.caller, who).await?)
    }

    /// Exchanges a refresh token for new tokens.
    pub async fn refresh(&self, db: &Db, token: &str) -> Result<Bearer> {
        self.granted(refresh::rotate(db, self.keys, self.caller, token).await?)
    }

    /// The session that an access token of ours names; for revoking it.
    pub async fn revoke(&self, db: &Db, access_token: &str) -> Result<()> {
        let Ok(claims) = self.keys.verify(Audience::Api, access_token) else { return Ok(()) };
        match session::find(db, self.caller, &claims.sid, claims.user_id()?).await {
            Ok((user, session)) => session::close(db, self.caller, &user, &session.id).await,
            Err(Error::BadCredentials(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn granted(&self, grant: Grant) -> Result<Bearer> {
        Ok(Bearer {
            access_token: self.keys.sign(Audience::Api, grant.user.id, &grant.sid)?,
            token_type: "Bearer",
            expires_in: Audience::Api.lifetime().num_seconds(),
            refresh_token: grant.refresh_token,
        })
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Client<'r> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let rocket = request.rocket();
        let (Some(public_url), Some(keys)) = (rocket.state(), rocket.state()) else {
            return refuse(request, Error::Internal("no public URL or keys".to_owned()));
        };
        let scene = Scene::of(request);
        Outcome::Success(Client {
            caller: &scene.caller,
            present: scene.present(),
            jar: request.cookies(),
            public_url,
            keys,
        })
    }
}

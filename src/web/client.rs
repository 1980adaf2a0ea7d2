//! The other side of a log-in: opening and closing sessions for the client that asks.

use rocket::Request;
use rocket::http::CookieJar;
use rocket::request::{FromRequest, Outcome};
use serde::Serialize;

use super::scene::Scene;
use super::{cookie, guards::refuse};
use crate::config::PublicUrl;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::models::session;
use crate::models::token::{Audience, Keys};
use crate::models::user::User;

/// Whoever sends this request, as far as sessions need to know.
pub struct Client<'r> {
    user_agent: &'r str,
    /// The session that came along, if it lives.
    sid: Option<&'r str>,
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
    /// Seconds.
    #[schema(example = 3600)]
    pub expires_in: i64,
}

impl Client<'_> {
    /// Opens a session and hands the browser its cookie. A session that the browser had before
    /// ends, whoever planted it.
    pub async fn enter(&self, db: &Db, user: &User) -> Result<()> {
        if let Some(before) = self.sid {
            session::close(db, before).await?;
        }
        let sid = session::open(db, user.id, self.user_agent).await?;
        let token = self.keys.sign(Audience::Page, user.id, &sid)?;
        self.jar.add(cookie::holding(self.public_url, token));
        Ok(())
    }

    /// Ends the browser's session, if there is one, and takes its cookie away.
    pub async fn leave(&self, db: &Db) -> Result<()> {
        if let Some(sid) = self.sid {
            session::close(db, sid).await?;
        }
        self.jar.add(cookie::removal(self.public_url));
        Ok(())
    }

    /// Opens a session and gives its bearer token.
    pub async fn bearer(&self, db: &Db, user: &User) -> Result<Bearer> {
        let sid = session::open(db, user.id, self.user_agent).await?;
        Ok(Bearer {
            access_token: self.keys.sign(Audience::Api, user.id, &sid)?,
            token_type: "Bearer",
            expires_in: Audience::Api.lifetime().num_seconds(),
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
        Outcome::Success(Client {
            user_agent: request.headers().get_one("User-Agent").unwrap_or_default(),
            sid: Scene::of(request).present().map(|present| present.sid.as_str()),
            jar: request.cookies(),
            public_url,
            keys,
        })
    }
}

//! OAuth2 for programs: tokens by password or refresh token, and revoking them.

use rocket::{Route, State, post, routes};
use serde::{Deserialize, Serialize};

use super::docs::Problem;
use crate::db::Db;
use crate::error::Error;
use crate::models::account::{self, Login};
use crate::models::api_token;
use crate::models::password::Hasher;
use crate::models::refresh;
use crate::models::token::Keys;
use crate::web::client::Bearer;
use crate::web::{self, Client, Database, Flash, Input, oauth, saved};

/// Mounted below `/auth` at the API door.
pub fn api() -> Vec<Route> {
    routes![token, renew, revoke]
}

/// A request for tokens (RFC 6749 §4.3.2 and §6).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Grant {
    /// `password` or `refresh_token`.
    #[schema(example = "password", required = true)]
    grant_type: Option<String>,
    /// With `password`: the username or the e-mail.
    username: Option<String>,
    /// With `password`.
    password: Option<String>,
    /// With `password`, for two-factor log-in.
    code: Option<String>,
    /// With `refresh_token`.
    refresh_token: Option<String>,
}

/// Get tokens with the OAuth2 password form, or with a refresh token
///
/// What an “Authorize” button uses. Form-encoded, with the error codes of RFC 6749.
#[utoipa::path(post, path = "/auth/token", tag = "accounts",
    request_body(content = Grant, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Bearer), (status = 400, body = oauth::Refusal),
        (status = 429, body = Problem)))]
#[post("/token", data = "<grant>")]
pub async fn token(
    grant: oauth::Form<Grant>,
    client: Client<'_>,
    hasher: &State<Hasher>,
    keys: &State<Keys>,
    db: &Database,
) -> Result<oauth::Answer<Bearer>, web::Failure> {
    let grant = match grant.0 {
        Ok(grant) => grant,
        Err(why) => return oauth::refuse("invalid_request", &why),
    };
    let granted = match grant.grant_type.as_deref() {
        Some("password") => {
            let login = Login {
                username: grant.username,
                email: None,
                password: grant.password,
                code: grant.code,
            };
            by_password(db, hasher, keys, &client, &login).await
        }
        Some("refresh_token") => match grant.refresh_token.filter(|token| !token.is_empty()) {
            Some(token) => client.refresh(db, &token).await,
            None => return oauth::refuse("invalid_request", "Give a refresh_token."),
        },
        None | Some("") => return oauth::refuse("invalid_request", "Give a grant_type."),
        Some(_) => {
            return oauth::refuse(
                "unsupported_grant_type",
                "The grant_type must be password or refresh_token.",
            );
        }
    };
    match granted {
        Ok(bearer) => oauth::grant(bearer),
        Err(Error::BadCredentials(why)) => oauth::refuse("invalid_grant", why),
        Err(error @ Error::CodeNeeded) => oauth::refuse("invalid_grant", &error.to_string()),
        Err(Error::Invalid(_)) => {
            oauth::refuse("invalid_request", "Give a username and a password.")
        }
        Err(error) => Err(error.into()),
    }
}

async fn by_password(
    db: &Db,
    hasher: &Hasher,
    keys: &Keys,
    client: &Client<'_>,
    login: &Login,
) -> Result<Bearer, Error> {
    let shown = account::authenticate(db, hasher, client.caller, login).await?;
    let who = account::complete(db, keys, client.caller, shown, login.code.as_deref()).await?;
    client.bearer(db, &who).await
}

/// A refresh token.
#[derive(Deserialize, Serialize, utoipa::ToSchema)]
pub struct Refresh {
    #[schema(example = "prt_…", required = true)]
    refresh_token: Option<String>,
}

/// Exchange a refresh token for new tokens
///
/// Each refresh token is good for one use; asked again within ten seconds, it gives the same new one.
/// Used again later, it ends the whole session: somebody has a copy.
#[utoipa::path(post, path = "/auth/refresh", tag = "accounts", request_body = Refresh,
    responses((status = 200, body = Bearer), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
#[post("/refresh", data = "<given>")]
pub async fn renew(given: Input<Refresh>, client: Client<'_>, db: &Database) -> web::Result {
    let token = given.0.refresh_token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Error::invalid("refresh_token", "Give a refresh token."))?;
    Ok(saved("/", Flash::LoggedIn, client.refresh(db, &token).await?))
}

/// A token to be revoked (RFC 7009 §2.1).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Revocation {
    #[schema(required = true)]
    token: Option<String>,
    /// Not needed: every kind is recognised.
    #[allow(dead_code)]
    token_type_hint: Option<String>,
}

/// Revoke a token
///
/// A refresh token or an access token ends its session; a personal token ends itself. One that is
/// not known is as good as revoked. Form-encoded.
#[utoipa::path(post, path = "/auth/revoke", tag = "accounts",
    request_body(content = Revocation, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200), (status = 400, body = oauth::Refusal)))]
#[post("/revoke", data = "<given>")]
pub async fn revoke(
    given: oauth::Form<Revocation>,
    client: Client<'_>,
    db: &Database,
) -> Result<oauth::Answer<()>, web::Failure> {
    let token = match given.0 {
        Ok(given) => given.token.filter(|token| !token.is_empty()),
        Err(why) => return oauth::refuse("invalid_request", &why),
    };
    let Some(token) = token else {
        return oauth::refuse("invalid_request", "Give a token.");
    };
    if token.starts_with(api_token::PREFIX) {
        api_token::revoke(db, client.caller, &token).await?;
    } else if token.starts_with(refresh::PREFIX) {
        refresh::revoke(db, client.caller, &token).await?;
    } else {
        client.revoke(db, &token).await?;
    }
    oauth::grant(())
}

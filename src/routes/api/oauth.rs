//! OAuth2: tokens by password or refresh token, and revocation.

use rocket::post;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::models::accounts::login::{self, Login};
use crate::models::accounts::refresh_token::{self, Renewal};
use crate::models::accounts::scope::Scopes;
use crate::models::accounts::{login_challenge, personal_token};
use crate::models::base::site::Site;
use crate::validation::Rule;
use crate::web::cause::Cause;
use crate::web::response::messages;
use crate::web::security::oauth::{self, OAuthForm, OAuthResponse};
use crate::web::security::session_cookie::TokenResponse;
use crate::web::{self, Client, Flash, Input, Problem, room, saved};

room! {
    auth: [create, renew, revoke],
}

/// A request for tokens (RFC 6749 §4.3.2 and §6).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct TokenRequest {
    /// `password` or `refresh_token`.
    #[schema(example = "password", required = true)]
    grant_type: Option<String>,
    /// With `password`: the username or the e-mail address.
    username: Option<String>,
    /// With `password`.
    password: Option<String>,
    /// With `password`, for two-factor log-in.
    code: Option<String>,
    /// With `password`: the `device_token` of an earlier log-in.
    device_token: Option<String>,
    /// With `refresh_token`.
    refresh_token: Option<String>,
    /// What the tokens may be used for: any of `posts:read`, `posts:write`, `account` and, for
    /// admins, `admin`, separated by spaces. By default everything: with `password`, whatever the
    /// user can do; with `refresh_token`, whatever the session can do. With `refresh_token` it
    /// restricts the new access token alone.
    #[schema(example = "posts:read posts:write")]
    scope: Option<String>,
}

/// Get tokens with the OAuth2 password grant, or with a refresh token
///
/// Used by the “Authorize” buttons of API tools. Form-encoded, with the error codes of RFC 6749.
#[utoipa::path(post, path = "/auth/token", tag = "accounts", security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenResponse), (status = 400, body = oauth::OAuthError),
        (status = 429, body = Problem)))]
#[post("/token", data = "<form>")]
async fn create(
    form: OAuthForm<TokenRequest>,
    client: Client<'_>,
    site: &Site,
) -> web::Result<OAuthResponse<TokenResponse>> {
    let request = match form.0 {
        Ok(request) => request,
        Err(why) => return oauth::refuse("invalid_request", &why),
    };
    let scopes = match parse_scopes(request.scope.as_deref()) {
        Ok(scopes) => scopes,
        Err(_) => return oauth::refuse("invalid_scope", UNKNOWN_SCOPE),
    };
    let tokens = match request.grant_type.as_deref() {
        Some("password") => {
            let login = Login {
                username: request.username,
                email: None,
                password: request.password,
                code: request.code,
                device_token: request.device_token,
            };
            by_password(site, &client, &login, scopes.as_ref()).await
        }
        Some("refresh_token") => match request.refresh_token.filter(|token| !token.is_empty()) {
            Some(token) => {
                let renewal = Renewal { scopes: scopes.as_ref(), ..Renewal::default() };
                client.refresh(&token, renewal).await
            }
            None => return oauth::refuse("invalid_request", "refresh_token is missing."),
        },
        None | Some("") => return oauth::refuse("invalid_request", "grant_type is missing."),
        Some(_) => {
            return oauth::refuse(
                "unsupported_grant_type",
                "grant_type must be password or refresh_token.",
            );
        }
    };
    match tokens {
        Ok(tokens) => oauth::grant(tokens),
        Err(error @ (Error::InvalidCredentials(_) | Error::SecondFactorRequired)) => {
            oauth::refuse("invalid_grant", &messages::detail(&Cause::Site(error)))
        }
        Err(Error::Invalid(errors)) if errors.iter().any(|error| error.field == "scope") => {
            oauth::refuse("invalid_scope", "scope asks for more than is permitted.")
        }
        Err(Error::Invalid(_)) => {
            oauth::refuse("invalid_request", "username or password is missing.")
        }
        Err(error) => Err(error.into()),
    }
}

const UNKNOWN_SCOPE: &str =
    "scope must have one or more of posts:read, posts:write, account and admin.";

/// The scopes that are asked for; an empty parameter counts as missing (RFC 6749 §3.1).
fn parse_scopes(text: Option<&str>) -> Result<Option<Scopes>> {
    let mut words = text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).peekable();
    if words.peek().is_none() {
        return Ok(None);
    }
    Scopes::parse(words).map(Some).ok_or_else(|| Error::invalid("scope", Rule::Unknown))
}

async fn by_password(
    site: &Site,
    client: &Client<'_>,
    login: &Login,
    scopes: Option<&Scopes>,
) -> Result<TokenResponse> {
    let check = login::authenticate(site, client.caller(), login).await?;
    let (code, device) = (login.code.as_deref(), login.device_token.as_deref());
    let identity = login_challenge::complete(site, client.caller(), check, code, device).await?;
    client.open_session(&identity, scopes, device).await
}

/// A refresh token.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RefreshRequest {
    #[schema(example = "prt_…", required = true)]
    refresh_token: Option<String>,
}

/// Exchange a refresh token for new tokens
///
/// Each refresh token works once; sent again within ten seconds, it returns the same new one. Used
/// again later, it ends the whole session: somebody has a copy.
#[utoipa::path(post, path = "/auth/refresh", tag = "accounts", security(()),
    request_body = RefreshRequest,
    responses((status = 200, body = TokenResponse), (status = 401, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
#[post("/refresh", data = "<input>")]
async fn renew(input: Input<RefreshRequest>, client: Client<'_>) -> web::Result {
    let token = input.0.refresh_token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Error::invalid("refresh_token", Rule::Required))?;
    Ok(saved("/", Flash("logged-in"), client.refresh(&token, Renewal::default()).await?))
}

/// A token to be revoked (RFC 7009 §2.1).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RevocationRequest {
    #[schema(required = true)]
    token: Option<String>,
    /// Not needed: the kind of token is recognised.
    #[allow(dead_code)]
    token_type_hint: Option<String>,
}

/// Revoke a token
///
/// Revoking a refresh token or an access token ends its session. An unknown token counts as
/// revoked. Form-encoded.
#[utoipa::path(post, path = "/auth/revoke", tag = "accounts", security(()),
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200), (status = 400, body = oauth::OAuthError)))]
#[post("/revoke", data = "<form>")]
async fn revoke(
    form: OAuthForm<RevocationRequest>,
    client: Client<'_>,
    site: &Site,
) -> web::Result<OAuthResponse<()>> {
    let token = match form.0 {
        Ok(request) => request.token.filter(|token| !token.is_empty()),
        Err(why) => return oauth::refuse("invalid_request", &why),
    };
    let Some(token) = token else {
        return oauth::refuse("invalid_request", "token is missing.");
    };
    if token.starts_with(personal_token::PREFIX) {
        personal_token::revoke(site, client.caller(), &token).await?;
    } else if token.starts_with(refresh_token::PREFIX) {
        refresh_token::revoke(site, client.caller(), &token).await?;
    } else {
        client.revoke(&token).await?;
    }
    oauth::grant(())
}

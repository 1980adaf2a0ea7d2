//! OAuth2: tokens by password or refresh token, and revocation.

use rocket::post;
use serde::Deserialize;

use crate::error::{Error, Result};
use crate::models::accounts::login::{self, Login};
use crate::models::accounts::{login_challenge, personal_token, refresh_token};
use crate::models::base::site::Site;
use crate::validation::Rule;
use crate::web::cause::Cause;
use crate::web::response::messages;
use crate::web::security::oauth::{self, OAuthForm, OAuthResponse};
use crate::web::security::session_cookie::TokenResponse;
use crate::web::{self, Client, Flash, Input, room, saved};

room! {
    auth: [create, renew, revoke],
}

/// A request for tokens (RFC 6749 §4.3.2 and §6).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct TokenRequest {
    /// `password` or `refresh_token`.
    #[schema(value_type = String, example = "password", max_length = 100)]
    grant_type: Option<String>,
    /// With `password`: the username or the e-mail address.
    #[schema(example = "ann", max_length = 300)]
    username: Option<String>,
    /// With `password`.
    #[schema(example = "violet otter paddles upstream", max_length = 1000)]
    password: Option<String>,
    /// With `password`, for two-factor log-in.
    #[schema(example = "123456", max_length = 100)]
    code: Option<String>,
    /// With `password`: the `device_token` of an earlier log-in.
    #[schema(example = "eyJ…", max_length = 4096)]
    device_token: Option<String>,
    /// With `refresh_token`.
    #[schema(example = "prt_…", max_length = 1000)]
    refresh_token: Option<String>,
}

/// Get tokens with the OAuth2 password grant, or with a refresh token
///
/// Used by the “Authorize” buttons of API tools. Form-encoded, with the error codes of RFC 6749.
#[utoipa::path(post, path = "/auth/token", operation_id = "createTokens", tag = "accounts",
    security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenResponse), (status = 400, body = oauth::OAuthError),
        (status = 429)))]
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
    let tokens = match request.grant_type.as_deref() {
        Some("password") => {
            let login = Login {
                username: request.username,
                email: None,
                password: request.password,
                code: request.code,
                device_token: request.device_token,
            };
            by_password(site, &client, &login).await
        }
        Some("refresh_token") => match request.refresh_token.filter(|token| !token.is_empty()) {
            Some(token) => client.refresh(&token).await,
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
        Err(Error::Invalid(_)) => {
            oauth::refuse("invalid_request", "username or password is missing.")
        }
        Err(error) => Err(error.into()),
    }
}

async fn by_password(site: &Site, client: &Client<'_>, login: &Login) -> Result<TokenResponse> {
    let check = login::authenticate(site, client.caller(), login).await?;
    let (code, device) = (login.code.as_deref(), login.device_token.as_deref());
    let identity = login_challenge::complete(site, client.caller(), check, code, device).await?;
    client.open_session(&identity, device).await
}

/// A refresh token.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RefreshRequest {
    /// From the last log-in or refresh.
    #[schema(value_type = String, example = "prt_…", max_length = 1000)]
    refresh_token: Option<String>,
}

/// Exchange a refresh token for new tokens
///
/// Each refresh token works once; sent again within ten seconds, it returns the same new one. Used
/// again later, it ends the whole session: somebody has a copy.
#[utoipa::path(post, path = "/auth/refresh", operation_id = "refreshTokens", tag = "accounts",
    security(()), request_body = RefreshRequest,
    responses((status = 200, body = TokenResponse), (status = 429),
        (status = 401, description = "The refresh token is unknown, used or expired.")))]
#[post("/refresh", data = "<input>")]
async fn renew(input: Input<RefreshRequest>, client: Client<'_>) -> web::Result {
    let token = input.0.refresh_token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Error::invalid("refresh_token", Rule::Required))?;
    Ok(saved("/", Flash("logged-in"), client.refresh(&token).await?))
}

/// A token to be revoked (RFC 7009 §2.1).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RevocationRequest {
    /// An access token, a refresh token or a personal token.
    #[schema(value_type = String, example = "prt_…", max_length = 4096)]
    token: Option<String>,
    /// Not needed: the kind of token is recognised.
    #[allow(dead_code)]
    #[schema(example = "refresh_token", max_length = 100)]
    token_type_hint: Option<String>,
}

/// Revoke a token
///
/// Revoking a refresh token or an access token ends its session. An unknown token counts as
/// revoked. Form-encoded.
#[utoipa::path(post, path = "/auth/revoke", operation_id = "revokeToken", tag = "accounts",
    security(()),
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
    oauth::done()
}

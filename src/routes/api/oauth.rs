//! OAuth2: tokens by authorization code, refresh token or password, and revocation.

use rocket::post;
use serde::Deserialize;

use crate::error::{Credentials, Error, Result};
use crate::models::accounts::application::{self, OAuthClient};
use crate::models::accounts::authorization_code::{self, CodeExchange};
use crate::models::accounts::login::{self, Login};
use crate::models::accounts::refresh_token::{self, Renewal};
use crate::models::accounts::scope::Scopes;
use crate::models::accounts::{login_challenge, personal_token};
use crate::models::base::site::Site;
use crate::validation::Rule;
use crate::web::cause::Cause;
use crate::web::response::messages;
use crate::web::security::oauth::{self, BasicCredentials, OAuthForm, OAuthResponse};
use crate::web::security::session_cookie::TokenResponse;
use crate::web::{self, Client, Flash, Input, room, saved};

room! {
    auth: [create, renew, revoke],
}

/// A request for tokens (RFC 6749 §4.1.3, §4.3.2 and §6).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct TokenRequest {
    /// `authorization_code`, `refresh_token`, or `password` unless the site has turned it off.
    #[schema(value_type = String, example = "password", max_length = 100)]
    grant_type: Option<String>,
    /// With `password`: the username or the e-mail address.
    #[schema(example = "ann", max_length = 300)]
    username: Option<String>,
    /// With `password`.
    #[schema(example = "violet otter paddles upstream", max_length = 1000)]
    password: Option<String>,
    /// With `authorization_code`: the code that the person's browser brought back. With `password`:
    /// the six-digit code of two-factor log-in.
    #[schema(example = "123456", max_length = 200)]
    code: Option<String>,
    /// With `password`: the `device_token` of an earlier log-in.
    #[schema(example = "eyJ…", max_length = 4096)]
    device_token: Option<String>,
    /// With `refresh_token`.
    #[schema(example = "prt_…", max_length = 1000)]
    refresh_token: Option<String>,
    /// With `authorization_code`: the same redirect URI as in the authorization request.
    #[schema(example = "…", max_length = 2000)]
    redirect_uri: Option<String>,
    /// With `authorization_code`: the verifier of the challenge (RFC 7636).
    #[schema(example = "…", max_length = 128)]
    code_verifier: Option<String>,
    /// The application, unless the `Authorization` header names it. With `authorization_code`, and
    /// with the refresh tokens that come from it.
    #[schema(example = "…", max_length = 200)]
    client_id: Option<String>,
    /// The secret of a confidential application, unless the `Authorization` header has it.
    #[schema(example = "…", max_length = 200)]
    client_secret: Option<String>,
    /// What the tokens may be used for: any of `posts:read`, `posts:write`, `account` and, for
    /// admins, `admin`, separated by spaces. By default everything: with `password`, whatever the
    /// user can do; with `refresh_token`, whatever the session can do. With `refresh_token` it
    /// restricts the new access token alone. Ignored with `authorization_code`.
    #[schema(example = "posts:read posts:write", max_length = 200)]
    scope: Option<String>,
}

/// Get tokens with an authorization code, a refresh token or a password
///
/// Form-encoded, with the error codes of RFC 6749. Applications of third parties exchange the code
/// that `/oauth/authorize` gives them; your own scripts can use the password grant, as do the
/// “Authorize” buttons of API tools. A confidential application proves who it is with HTTP Basic or
/// with `client_secret`.
#[utoipa::path(post, path = "/auth/token", operation_id = "createTokens", tag = "accounts",
    security(()),
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = TokenResponse), (status = 400, body = oauth::OAuthError),
        (status = 401, body = oauth::OAuthError, description = "The credentials in the `Authorization` header are wrong."),
        (status = 429)))]
#[post("/token", data = "<form>")]
async fn create(
    form: OAuthForm<TokenRequest>,
    credentials: BasicCredentials,
    client: Client<'_>,
    site: &Site,
) -> web::Result<OAuthResponse<TokenResponse>> {
    let request = match form.0 {
        Ok(request) => request,
        Err(why) => return oauth::refuse("invalid_request", &why),
    };
    let scopes = match parse_scopes(request.scope.as_deref()) {
        Ok(scopes) => scopes,
        Err(_) if request.grant_type.as_deref() == Some("authorization_code") => None,
        Err(_) => return oauth::refuse("invalid_scope", UNKNOWN_SCOPE),
    };
    let tokens = match request.grant_type.as_deref() {
        Some("password") if site.rules.password_grant => {
            let login = Login {
                username: request.username,
                email: None,
                password: request.password,
                code: request.code,
                device_token: request.device_token,
            };
            by_password(site, &client, &login, scopes.as_ref()).await
        }
        Some("authorization_code") => {
            let sender = sender(site, &credentials, &request.client_id, &request.client_secret);
            let application = match sender.await? {
                Sender::Application(application) => application,
                Sender::Repeated => return oauth::refuse("invalid_request", REPEATED),
                Sender::Unknown | Sender::Unproven => return oauth::refuse_client(&credentials),
            };
            let (Some(code), Some(redirect_uri), Some(verifier)) =
                (given(&request.code), given(&request.redirect_uri), given(&request.code_verifier))
            else {
                let missing = "code, redirect_uri or code_verifier is missing.";
                return oauth::refuse("invalid_request", missing);
            };
            let exchange = CodeExchange { code, redirect_uri, verifier };
            by_code(site, &client, &application, &exchange).await
        }
        Some("refresh_token") => {
            let Some(token) = given(&request.refresh_token) else {
                return oauth::refuse("invalid_request", "refresh_token is missing.");
            };
            let sender = sender(site, &credentials, &request.client_id, &request.client_secret);
            let application = match sender.await? {
                Sender::Application(application) => Some(application.id),
                // Tokens of a person's own scripts need no client: any is ignored.
                Sender::Unknown => None,
                Sender::Repeated => return oauth::refuse("invalid_request", REPEATED),
                Sender::Unproven => return oauth::refuse_client(&credentials),
            };
            client.refresh(token, Renewal { application, scopes: scopes.as_ref() }).await
        }
        None | Some("") => return oauth::refuse("invalid_request", "grant_type is missing."),
        Some(_) => {
            let known = match site.rules.password_grant {
                true => "grant_type must be authorization_code, refresh_token or password.",
                false => "grant_type must be authorization_code or refresh_token.",
            };
            return oauth::refuse("unsupported_grant_type", known);
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

/// The value of a parameter; an empty one counts as missing (RFC 6749 §3.1).
fn given(parameter: &Option<String>) -> Option<&str> {
    parameter.as_deref().filter(|text| !text.is_empty())
}

const UNKNOWN_SCOPE: &str =
    "scope must have one or more of posts:read, posts:write, account and admin.";

/// The scopes that are asked for, if any.
fn parse_scopes(text: Option<&str>) -> Result<Option<Scopes>> {
    let mut words = text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()).peekable();
    if words.peek().is_none() {
        return Ok(None);
    }
    Scopes::parse(words).map(Some).ok_or_else(|| Error::invalid("scope", Rule::Unknown))
}

const REPEATED: &str = "The client must prove who it is in one way only.";

/// Who sent a request.
enum Sender {
    Application(OAuthClient),
    /// No client was named, or none with this id exists.
    Unknown,
    /// The secret is wrong or missing.
    Unproven,
    /// Credentials were sent in two ways (RFC 6749 §2.3).
    Repeated,
}

async fn sender(
    site: &Site,
    credentials: &BasicCredentials,
    client_id: &Option<String>,
    client_secret: &Option<String>,
) -> Result<Sender> {
    let (client_id, secret) = match (credentials, given(client_id), given(client_secret)) {
        (BasicCredentials::Given { .. }, _, Some(_)) => return Ok(Sender::Repeated),
        (BasicCredentials::Given { client_id, client_secret }, other, None) => {
            if other.is_some_and(|other| other != client_id) {
                return Ok(Sender::Repeated);
            }
            (client_id.as_str(), Some(client_secret.as_str()))
        }
        (_, Some(client_id), secret) => (client_id, secret),
        _ => return Ok(Sender::Unknown),
    };
    Ok(match application::find(site, client_id).await? {
        None => Sender::Unknown,
        Some(application) if application.proves(secret) => Sender::Application(application),
        Some(_) => Sender::Unproven,
    })
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

async fn by_code(
    site: &Site,
    client: &Client<'_>,
    application: &OAuthClient,
    exchange: &CodeExchange<'_>,
) -> Result<TokenResponse> {
    match authorization_code::exchange(site, client.caller(), application, exchange).await {
        Ok(grant) => client.token_response(grant, None),
        // The password was changed, or the account disabled, at this moment.
        Err(Error::InvalidCredentials(_)) => {
            Err(Error::InvalidCredentials(Credentials::AuthorizationCode))
        }
        Err(error) => Err(error),
    }
}

/// A refresh token.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RefreshRequest {
    /// From the last log-in or refresh.
    #[schema(value_type = String, example = "prt_…", min_length = 1, max_length = 1000)]
    refresh_token: Option<String>,
}

/// Exchange a refresh token for new tokens
///
/// Each refresh token works once; sent again within ten seconds, it returns the same new one. Used
/// again later, it ends the whole session: somebody has a copy. For the tokens of your own scripts;
/// an application uses `/auth/token`.
#[utoipa::path(post, path = "/auth/refresh", operation_id = "refreshTokens", tag = "accounts",
    security(()), request_body = RefreshRequest,
    responses((status = 200, body = TokenResponse), (status = 429),
        (status = 401, description = "The refresh token is unknown, used or expired.")))]
#[post("/refresh", data = "<input>")]
async fn renew(input: Input<RefreshRequest>, client: Client<'_>) -> web::Result {
    let token = input.0.refresh_token.filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Error::invalid("refresh_token", Rule::Required))?;
    Ok(saved("/", Flash("logged-in"), client.refresh(&token, Renewal::default()).await?))
}

/// A token to be revoked (RFC 7009 §2.1).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct RevocationRequest {
    /// An access token, a refresh token or a personal token.
    #[schema(value_type = String, example = "prt_…", min_length = 1, max_length = 4096)]
    token: Option<String>,
    /// Not needed: the kind of token is recognised.
    #[allow(dead_code)]
    #[schema(example = "refresh_token")]
    token_type_hint: Option<String>,
    /// The application, unless the `Authorization` header names it. Whoever has a token may revoke
    /// it; an application that says who it is may revoke its own alone.
    #[schema(example = "…", max_length = 200)]
    client_id: Option<String>,
    /// The secret of a confidential application.
    #[schema(example = "…", max_length = 200)]
    client_secret: Option<String>,
}

/// Revoke a token
///
/// Revoking a refresh token or an access token ends its session. An unknown token counts as
/// revoked. Form-encoded.
#[utoipa::path(post, path = "/auth/revoke", operation_id = "revokeToken", tag = "accounts",
    security(()),
    request_body(content = RevocationRequest, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200), (status = 400, body = oauth::OAuthError),
        (status = 401, body = oauth::OAuthError, description = "The credentials in the `Authorization` header are wrong.")))]
#[post("/revoke", data = "<form>")]
async fn revoke(
    form: OAuthForm<RevocationRequest>,
    credentials: BasicCredentials,
    client: Client<'_>,
    site: &Site,
) -> web::Result<OAuthResponse<()>> {
    let request = match form.0 {
        Ok(request) => request,
        Err(why) => return oauth::refuse("invalid_request", &why),
    };
    let Some(token) = given(&request.token) else {
        return oauth::refuse("invalid_request", "token is missing.");
    };
    let sender = sender(site, &credentials, &request.client_id, &request.client_secret);
    let application = match sender.await? {
        Sender::Application(application) => Some(application.id),
        Sender::Unknown => None,
        Sender::Repeated => return oauth::refuse("invalid_request", REPEATED),
        Sender::Unproven => return oauth::refuse_client(&credentials),
    };
    let revoked = if token.starts_with(personal_token::PREFIX) {
        personal_token::revoke(site, client.caller(), token).await
    } else if token.starts_with(refresh_token::PREFIX) {
        refresh_token::revoke(site, client.caller(), token, application).await
    } else {
        client.revoke(token, application).await
    };
    match revoked {
        Ok(()) => oauth::done(),
        Err(Error::InvalidCredentials(_)) => {
            oauth::refuse("invalid_grant", "The token was issued to another client.")
        }
        Err(error) => Err(error.into()),
    }
}

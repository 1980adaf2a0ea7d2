//! The consent page: a person gives an application access to their account (RFC 6749 §4.1, RFC 7636,
//! RFC 9207, RFC 9700).

use rocket::http::{Header, Status};
use rocket::request::{FromRequest, Outcome};
use rocket::response::{self, Responder, Response};
use rocket::{Request, State, get, post};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use url::Url;

use crate::models::accounts::application::{self, OAuthClient};
use crate::models::accounts::authorization_code::{self, Consent};
use crate::models::accounts::redirect_uri::{is_loopback, with_parameters};
use crate::models::accounts::scope::Scopes;
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::users::user::User;
use crate::web::cause::RequestError;
use crate::web::door::is_local;
use crate::web::public_url::PublicUrl;
use crate::web::security::headers::policy_leading_to;
use crate::web::{self, Failure, Input, Query, QueryParams, Sudo, page, room};

room! {
    pages: [new, create],
}

/// A parameter of the request; an empty one counts as missing (RFC 6749 §3.1).
#[derive(Debug, Default)]
enum Parameter {
    #[default]
    Missing,
    Given(String),
    Repeated,
}

impl<'de> Deserialize<'de> for Parameter {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(match Value::deserialize(from)? {
            Value::String(text) if text.is_empty() => Parameter::Missing,
            Value::String(text) => Parameter::Given(text),
            Value::Array(_) => Parameter::Repeated,
            _ => Parameter::Missing,
        })
    }
}

impl Parameter {
    fn given(&self) -> Option<&str> {
        if let Parameter::Given(text) = self { Some(text) } else { None }
    }
}

/// An authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3); parameters that are not known are
/// ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AuthorizationRequest {
    response_type: Parameter,
    client_id: Parameter,
    redirect_uri: Parameter,
    scope: Parameter,
    state: Parameter,
    code_challenge: Parameter,
    code_challenge_method: Parameter,
}

impl QueryParams for AuthorizationRequest {}

/// What a person decided.
#[derive(Deserialize)]
struct Decision {
    #[serde(flatten)]
    request: AuthorizationRequest,
    decision: Option<String>,
}

/// What an application gets if it asks for nothing in particular.
const DEFAULT_SCOPE: &str = "posts:read";

/// A request whose application and redirect URI are known.
struct Known<'r> {
    client: OAuthClient,
    redirect_uri: &'r str,
    state: Option<&'r str>,
}

/// Why an application gets no code: an error of RFC 6749 §4.1.2.1, with a sentence.
type Refusal = (&'static str, &'static str);

impl AuthorizationRequest {
    /// # Errors
    /// Those that nobody may be sent back with, since it is not certain where to.
    async fn identify(&self, site: &Site) -> Result<Known<'_>, Failure> {
        let client_id = self.client_id.given().ok_or(RequestError::UnknownApplication)?;
        let client = application::find(site, client_id).await?;
        let client = client.ok_or(RequestError::UnknownApplication)?;
        let redirect_uri = self.redirect_uri.given();
        let redirect_uri = redirect_uri.filter(|uri| client.redirect_uris.permit(uri));
        let redirect_uri = redirect_uri.ok_or(RequestError::WrongRedirectUri)?;
        Ok(Known { client, redirect_uri, state: self.state.given() })
    }

    /// The scopes and the challenge.
    fn check(&self, user: &User) -> Result<(Scopes, &str), Refusal> {
        let all = [
            &self.response_type,
            &self.scope,
            &self.state,
            &self.code_challenge,
            &self.code_challenge_method,
        ];
        if all.iter().any(|parameter| matches!(parameter, Parameter::Repeated)) {
            return Err(("invalid_request", "A parameter was sent more than once."));
        }
        match self.response_type.given() {
            Some("code") => {}
            None => return Err(("invalid_request", "response_type is missing.")),
            Some(_) => return Err(("unsupported_response_type", "response_type must be code.")),
        }
        if self.code_challenge_method.given() != Some("S256") {
            return Err(("invalid_request", "code_challenge_method must be S256 (RFC 7636)."));
        }
        let is_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let challenge = self.code_challenge.given().filter(|text| text.len() == 43);
        let challenge = challenge.filter(|text| text.bytes().all(is_base64url));
        let Some(challenge) = challenge else {
            let wrong = "code_challenge must be the SHA-256 of the verifier in base64url.";
            return Err(("invalid_request", wrong));
        };
        let words = self.scope.given().unwrap_or(DEFAULT_SCOPE).split(' ');
        match Scopes::parse(words.filter(|word| !word.is_empty())) {
            Some(scopes) if scopes.is_empty() => Err(("invalid_scope", "scope is empty.")),
            Some(scopes) if Scopes::all_of(user).include(&scopes) => Ok((scopes, challenge)),
            Some(_) => Err(("invalid_scope", "Only an admin can give the scope admin.")),
            None => Err((
                "invalid_scope",
                "scope must have one or more of posts:read, posts:write, account and admin.",
            )),
        }
    }
}

impl Known<'_> {
    /// The redirect URI with the answer, and with what identifies its sender and its request.
    fn answer(&self, url: &PublicUrl, parameters: &[(&str, &str)]) -> String {
        let mut all = parameters.to_vec();
        all.extend(self.state.map(|state| ("state", state)));
        all.push(("iss", url.origin()));
        with_parameters(self.redirect_uri, &all)
    }

    fn refusal(&self, url: &PublicUrl, (error, description): Refusal) -> String {
        self.answer(url, &[("error", error), ("error_description", description)])
    }
}

/// What the consent page shows, and sends with the decision.
#[derive(Serialize)]
struct ConsentView {
    name: String,
    owner: String,
    scopes: Scopes,
    /// The host or the scheme to which the answer goes.
    destination: String,
    /// `site`, `app`, or `device` for a program that listens on this device.
    kind: &'static str,
    client_id: String,
    redirect_uri: String,
    state: Option<String>,
    code_challenge: String,
}

/// Where an application is, of which kind that is, and the sources to which a form may lead (CSP). Browsers
/// apply `form-action` to every redirect that follows, and the application may redirect further.
fn destination(redirect_uri: &str) -> (String, &'static str, String) {
    let parsed = Url::parse(redirect_uri);
    let scheme = parsed.as_ref().map(Url::scheme).unwrap_or_default();
    match parsed.as_ref().ok().and_then(Url::host_str) {
        _ if is_loopback(redirect_uri) => (String::new(), "device", "http: https:".to_owned()),
        Some(host) if scheme == "https" => (host.to_owned(), "site", "https:".to_owned()),
        _ => (scheme.to_owned(), "app", format!("{scheme}:")),
    }
}

/// The consent page, or a redirect to the application.
enum Answer {
    Consent(Box<web::Reply>, String),
    Redirect(String),
    /// A page that leads to the application.
    Onward(Box<web::Reply>),
}

impl<'r> Responder<'r, 'static> for Answer {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match self {
            Answer::Consent(page, policy) => {
                let mut response = page.respond_to(request)?;
                response.set_header(Header::new("Content-Security-Policy", policy));
                Ok(response)
            }
            Answer::Redirect(location) => {
                Response::build().status(Status::SeeOther).raw_header("Location", location).ok()
            }
            Answer::Onward(page) => page.respond_to(request),
        }
    }
}

/// How the browser came here.
struct Navigation {
    address: String,
    /// From a form of this site, such as that of the log-in: the policy of that page keeps it from
    /// following a redirect to another site.
    is_from_own_form: bool,
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Navigation {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        let site = request.headers().get_one("Sec-Fetch-Site");
        Outcome::Success(Navigation {
            address: request.uri().to_string(),
            is_from_own_form: site == Some("same-origin"),
        })
    }
}

/// A page with a link to the application.
#[derive(Serialize)]
struct Onward {
    name: String,
    location: String,
    description: &'static str,
}

#[get("/oauth/authorize")]
async fn new(
    query: Query<AuthorizationRequest>,
    navigation: Navigation,
    actor: Actor,
    _sudo: Sudo,
    url: &State<PublicUrl>,
    site: &Site,
) -> web::Result<Answer> {
    let known = query.identify(site).await?;
    let checked = match query.check(&actor.user) {
        // The log-in page could not lead back here.
        Ok(_) if !is_local(&navigation.address) => {
            Err(("invalid_request", "The request is too long."))
        }
        checked => checked,
    };
    let (scopes, challenge) = match checked {
        Ok(checked) => checked,
        Err(refusal) => {
            let location = known.refusal(url, refusal);
            let (name, description) = (known.client.name, refusal.1);
            return Ok(match navigation.is_from_own_form {
                true => Answer::Onward(Box::new(page(
                    "accounts/authorize/onward.html",
                    Onward { name, location, description },
                ))),
                false => Answer::Redirect(location),
            });
        }
    };
    let (destination, kind, sources) = destination(known.redirect_uri);
    let view = ConsentView {
        scopes,
        destination,
        kind,
        client_id: query.client_id.given().unwrap_or_default().to_owned(),
        redirect_uri: known.redirect_uri.to_owned(),
        state: known.state.map(str::to_owned),
        code_challenge: challenge.to_owned(),
        name: known.client.name,
        owner: known.client.owner,
    };
    let consent = page("accounts/authorize/consent.html", view);
    Ok(Answer::Consent(Box::new(consent), policy_leading_to(&sources)))
}

#[post("/oauth/authorize", data = "<input>")]
async fn create(
    input: Input<Decision>,
    actor: Actor,
    _sudo: Sudo,
    url: &State<PublicUrl>,
    site: &Site,
) -> web::Result<Answer> {
    let Input(Decision { request, decision }) = input;
    let known = request.identify(site).await?;
    let (scopes, challenge) = match request.check(&actor.user) {
        Ok(checked) => checked,
        Err(refusal) => return Ok(Answer::Redirect(known.refusal(url, refusal))),
    };
    if decision.as_deref() != Some("allow") {
        let denied = ("access_denied", "The person said no.");
        return Ok(Answer::Redirect(known.refusal(url, denied)));
    }
    let consent = Consent {
        client: &known.client,
        redirect_uri: known.redirect_uri,
        challenge,
        scopes: &scopes,
    };
    let code = authorization_code::create(site, &actor, &consent).await?;
    Ok(Answer::Redirect(known.answer(url, &[("code", &code)])))
}

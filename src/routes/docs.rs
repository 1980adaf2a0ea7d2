//! The API's own description: OpenAPI 3.1, and two readers for it.

use rocket::http::Header;
use rocket::serde::json::Json;
use rocket::{Responder, Route, State, get, routes};
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::error::Complaint;
use crate::web::{self, page};

pub fn pages() -> Vec<Route> {
    routes![swagger, redoc]
}

pub fn api() -> Vec<Route> {
    routes![openapi]
}

/// An error (RFC 9457).
#[derive(Serialize, utoipa::ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: String,
    #[schema(example = "Unprocessable Entity")]
    pub title: String,
    #[schema(example = 422)]
    pub status: u16,
    #[schema(example = "Give the post a title.")]
    pub detail: String,
    /// The path of the request.
    #[schema(example = "/api/v1/posts")]
    pub instance: String,
    /// Names the request in the site's log.
    pub request_id: String,
    /// With 422 and 409: a complaint per field.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<Complaint>>,
}

/// The whole API. A test compares it with the mounted routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Postly",
        description = "Posts, votes and people, for programs. Log in at `/auth/login` or with the \
            OAuth2 password form, then send `Authorization: Bearer` with the access token, or \
            with a personal token (`pst_…`), which reaches as far as its scopes: otherwise 403 \
            with `insufficient_scope`. Errors are problem+json (RFC 9457); lists are read on \
            with the cursor of `next`."
    ),
    servers((url = "/api/v1")),
    paths(
        super::accounts::register,
        super::accounts::login,
        super::accounts::logout,
        super::accounts::sudo,
        super::passwords::update,
        super::passwords::ask,
        super::passwords::reset,
        super::emails::update,
        super::emails::resend,
        super::emails::verify,
        super::oauth::token,
        super::oauth::renew,
        super::oauth::revoke,
        super::accounts::me,
        super::accounts::dashboard,
        super::posts::index,
        super::posts::show,
        super::posts::create,
        super::posts::update,
        super::posts::delete,
        super::posts::preview,
        super::posts::preview_edit,
        super::votes::index,
        super::votes::update,
        super::votes::delete,
        super::users::show,
        super::sessions::index,
        super::sessions::end,
        super::sessions::end_others,
        super::sessions::index_of,
        super::sessions::end_of,
        super::sessions::end_all_of,
        super::tokens::index,
        super::tokens::create,
        super::tokens::delete,
        super::two_factor::show,
        super::two_factor::begin,
        super::two_factor::enable,
        super::two_factor::disable,
        super::two_factor::renew_codes,
        super::events::index,
        super::events::all,
        super::admin::posts,
        super::admin::users,
        super::admin::update_user,
        super::admin::delete_user,
        openapi,
    ),
    tags(
        (name = "accounts", description = "Registering, logging in and out, one's own things"),
        (name = "sessions", description = "Seeing and ending them"),
        (name = "tokens", description = "Personal tokens for one's own programs"),
        (name = "two factors", description = "An authenticator, and recovery codes"),
        (name = "posts", description = "Reading and writing"),
        (name = "votes", description = "One a person and post"),
        (name = "people", description = "Who writes here"),
        (name = "admin", description = "For the role admin alone"),
        (name = "about", description = "This document"),
    ),
    modifiers(&PasswordFlow)
)]
pub struct Document;

struct PasswordFlow;

impl Modify for PasswordFlow {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let flow = Flow::Password(Password::new("/api/v1/auth/token", Scopes::new()));
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("password", SecurityScheme::OAuth2(OAuth2::new([flow])));
    }
}

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "about",
    responses((status = 200, description = "OpenAPI 3.1")))]
#[get("/openapi.json")]
pub fn openapi(document: &State<utoipa::openapi::OpenApi>) -> Json<&utoipa::openapi::OpenApi> {
    Json(document.inner())
}

/// A page with a policy of its own.
#[derive(Responder)]
struct Reader {
    page: web::Reply,
    policy: Header<'static>,
}

#[get("/docs")]
fn swagger() -> Reader {
    reader("docs/swagger.html", SWAGGER)
}

#[get("/redoc")]
fn redoc() -> Reader {
    reader("docs/redoc.html", REDOC)
}

fn reader(template: &'static str, policy: &'static str) -> Reader {
    Reader {
        page: page(template, json!({})),
        policy: Header::new("Content-Security-Policy", policy),
    }
}

/// Swagger UI draws its icons from data: addresses and styles in line; scripts stay our own.
const SWAGGER: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// ReDoc writes its style sheet while it runs; its search, which needs a worker, is off.
const REDOC: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

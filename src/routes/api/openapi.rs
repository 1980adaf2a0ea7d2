//! The API's documentation: OpenAPI 3.1, Swagger UI and ReDoc, and the error reference.

use rocket::http::Header;
use rocket::serde::json::Json;
use rocket::{Responder, State, get};
use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{Object, OpenApi as Document, RefOr, Type};
use utoipa::{Modify, OpenApi};

use super::idempotency;
use crate::models::base::site::Site;
use crate::web::response::catalogue;
use crate::web::{self, page, room};

room! {
    tag: ("about", "This document"),
    pages: [swagger, redoc, errors],
    api: [show],
}

/// The document without its operations, which the rooms add. Every operation requires a token of
/// the password flow, unless it says otherwise.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Postly",
        description = "Posts, votes and users. Log in at `/auth/login` or with the OAuth2 password \
            grant, then send the access token as `Authorization: Bearer`; or send a personal token \
            (`pst_…`), which is limited to its scopes: other requests return 403 with \
            `insufficient_scope`. Errors are problem+json (RFC 9457) with stable codes, listed at \
            `/docs/errors`. To get the next page of a list, send the cursor `next` as `before`."
    ),
    servers((url = "/api/v1")),
    security(("password" = [])),
    modifiers(&PasswordFlow)
)]
struct Base;

struct PasswordFlow;

impl Modify for PasswordFlow {
    fn modify(&self, document: &mut Document) {
        let flow = Flow::Password(Password::new("/api/v1/auth/token", Scopes::new()));
        let components = document.components.get_or_insert_with(Default::default);
        components.add_security_scheme("password", SecurityScheme::OAuth2(OAuth2::new([flow])));
    }
}

/// The whole document, merged from the rooms' fragments.
pub fn document(fragments: impl IntoIterator<Item = Document>) -> Document {
    let mut document = fragments.into_iter().fold(Base::openapi(), Document::merge_from);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(operation_id(method, path));
            describe_limits(operation);
            if method == "post" {
                idempotency::describe(operation);
            }
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [("get", get), ("put", put), ("post", post), ("delete", delete), ("patch", patch)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// Such as `getAdminUsersUsernameSessions`. By default, it is the name of the handler, and many have
/// the same: Swagger UI then sends the request of another one.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |mut id, word| {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
        id
    })
}

/// Names the headers of an operation that can answer 429, so that no handler has to.
fn describe_limits(operation: &mut Operation) {
    let responses = &mut operation.responses.responses;
    if !responses.contains_key("429") {
        return;
    }
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        let is_refusal = status == "429";
        if !is_refusal && !status.starts_with('2') {
            continue;
        }
        for (name, description, example) in [
            ("RateLimit-Policy", "the limits that concern the request", "\"posts\";q=60;w=3600"),
            (
                "RateLimit",
                "what is left, and in how many seconds it is renewed",
                "\"posts\";r=0;t=9",
            ),
            ("Retry-After", "seconds to wait", "9"),
        ] {
            if name == "Retry-After" && !is_refusal {
                continue;
            }
            let header = HeaderBuilder::new()
                .schema(Some(Object::with_type(Type::String)))
                .description(Some(description))
                .example(Some(example.into()));
            response.headers.insert(name.to_owned(), header.build().into());
        }
    }
}

/// Get this document
#[utoipa::path(get, path = "/openapi.json", tag = "about", security(()),
    responses((status = 200, description = "OpenAPI 3.1")))]
#[get("/openapi.json")]
fn show(document: &State<Document>, site: &Site) -> Json<Document> {
    let mut document = Document::clone(document);
    document.info.title = site.settings.current().site_name.clone();
    Json(document)
}

/// The error reference.
#[get("/docs/errors")]
fn errors() -> web::Reply {
    let view = json!({ "errors": catalogue::entries(), "rules": catalogue::rules() });
    page("api/errors.html", view)
}

/// A page with its own content security policy.
#[derive(Responder)]
struct Reader {
    page: web::Reply,
    policy: Header<'static>,
}

#[get("/docs")]
fn swagger() -> Reader {
    reader("api/swagger.html", SWAGGER)
}

#[get("/redoc")]
fn redoc() -> Reader {
    reader("api/redoc.html", REDOC)
}

fn reader(template: &'static str, policy: &'static str) -> Reader {
    Reader {
        page: page(template, json!({})),
        policy: Header::new("Content-Security-Policy", policy),
    }
}

/// Swagger UI uses data: URLs for icons, and inline styles; scripts stay our own.
const SWAGGER: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

/// ReDoc creates its style sheet at run time; its search, which needs a worker, is off.
const REDOC: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; \
    base-uri 'none'; frame-ancestors 'none'";

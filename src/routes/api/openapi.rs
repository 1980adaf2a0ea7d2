//! The API's documentation: OpenAPI 3.1, Swagger UI and ReDoc, and the error reference.

use rocket::http::Header;
use rocket::{Responder, State, get};
use serde_json::json;

use super::document::ApiDocument;
use crate::models::base::site::Site;
use crate::web::response::catalogue;
use crate::web::{self, data, page, room};

room! {
    tag: ("about", "This document"),
    pages: [swagger, redoc, errors],
    api: [show],
    cached: [show],
}

/// Get this document
///
/// In OpenAPI 3.1. It names the version of the program, and changes with it alone.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getDocument", tag = "about",
    security(()),
    responses((status = 200, body = Object, description = "OpenAPI 3.1")))]
#[get("/openapi.json")]
fn show(document: &State<ApiDocument>, site: &Site) -> web::Reply {
    data(document.titled(&site.settings.current().site_name, site.rules.password_grant))
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

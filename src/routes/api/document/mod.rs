//! The API document (OpenAPI 3.1): what the handlers say, completed with what is the same for all.
//!
//! A handler describes its input and its results. The errors that follow from its kind (credentials,
//! a body, an id in the path), the headers, and the two ways to send a token are added here.

mod example;
mod headers;
mod operation;
mod problems;
mod schemas;

use std::sync::OnceLock;

use serde_json::{Value, json};
use utoipa::OpenApi;

use crate::web::Problem;

/// The document without its operations, which the rooms add.
#[derive(OpenApi)]
#[openapi(
    info(title = "Postly"),
    servers((url = "/api/v1", description = "This site")),
    components(schemas(Problem))
)]
struct Base;

const DESCRIPTION: &str = "Posts, votes and users. Log in at `/auth/login` or with OAuth2, then send \
    the access token as `Authorization: Bearer`; or send a personal token (`pst_…`), which is limited \
    to its scopes: other requests return 403 with `insufficient_scope`. Operations without a scope \
    need a session. Errors are problem+json (RFC 9457) with stable codes, listed at `/docs/errors`. \
    To get the next page of a list, send the cursor `next` as `before`.";

/// The whole document, merged from the rooms' fragments when it is first asked for, and not at each
/// start: few starts are followed by a look at it.
pub struct ApiDocument {
    fragments: Vec<fn() -> utoipa::openapi::OpenApi>,
    whole: OnceLock<Value>,
}

impl ApiDocument {
    pub fn new(fragments: Vec<fn() -> utoipa::openapi::OpenApi>) -> ApiDocument {
        ApiDocument { fragments, whole: OnceLock::new() }
    }

    fn make(&self) -> Value {
        let fragments = self.fragments.iter().map(|fragment| fragment());
        let merged = fragments.fold(Base::openapi(), utoipa::openapi::OpenApi::merge_from);
        // It has no keys but strings, and no values that JSON lacks.
        let mut document = serde_json::to_value(merged).unwrap_or_default();
        document["info"]["description"] = json!(DESCRIPTION);
        let mut paths = document["paths"].take();
        schemas::complete(&mut document["components"]["schemas"], &paths);
        document["components"]["responses"] = problems::responses();
        document["components"]["parameters"] = operation::shared_parameters();
        document["components"]["headers"] = headers::shared();
        document["components"]["securitySchemes"] = operation::security_schemes();
        let schemas = &document["components"]["schemas"];
        for (path, item) in paths.as_object_mut().into_iter().flatten() {
            for (method, operation) in item.as_object_mut().into_iter().flatten() {
                operation::complete(method, path, operation, schemas);
            }
        }
        document["paths"] = paths;
        document
    }

    /// The document of a site with this name; the password grant can be off.
    pub fn titled(&self, title: &str, password_grant: bool) -> Value {
        let mut document = self.whole.get_or_init(|| self.make()).clone();
        document["info"]["title"] = json!(title);
        let flows = document.pointer_mut("/components/securitySchemes/oauth2/flows");
        if let Some(flows) = flows.and_then(Value::as_object_mut).filter(|_| !password_grant) {
            flows.remove("password");
        }
        document
    }
}

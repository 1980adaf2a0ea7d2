//! What follows from the kind of an operation: credentials, errors, headers, examples.

use serde_json::{Map, Value, json};
use strum::IntoEnumIterator;

use super::{example, headers, problems};
use crate::models::accounts::scope::Scope;
use crate::web::request::idempotency::{HEADER, REPLAYED};
use crate::web::response::messages;

const TOKENS: &str = "/api/v1/auth/token";

/// The two ways to send a token. Both are sent as `Authorization: Bearer`.
pub fn security_schemes() -> Value {
    let scopes: Map<String, Value> = Scope::iter()
        .map(|scope| (scope.as_str().to_owned(), json!(messages::scope(scope.as_str()))))
        .collect();
    json!({
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An access token, or a personal token (`pst_…`).",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "For applications of third parties, with PKCE; and for your own scripts.",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": "/oauth/authorize",
                    "tokenUrl": TOKENS,
                    "refreshUrl": TOKENS,
                    "scopes": scopes,
                },
                "password": { "tokenUrl": TOKENS, "refreshUrl": TOKENS, "scopes": scopes },
            },
        },
    })
}

/// Completes an operation.
pub fn complete(method: &str, path: &str, operation: &mut Value, schemas: &Value) {
    let credentials = credentials(operation);
    describe_parameters(operation);
    if method == "post" {
        accept_key(operation);
    }
    let mut responses = operation["responses"].take();
    if let Some(responses) = responses.as_object_mut() {
        for status in errors(method, path, operation, credentials, responses) {
            responses.entry(status).or_insert(Value::Null);
        }
        if method == "get" && responses.contains_key("200") {
            responses.insert("304".to_owned(), json!({ "description": "It is still the same." }));
        }
        let is_limited = responses.contains_key("429");
        for (status, response) in responses {
            describe(status, response, Kind { method, operation, is_limited }, schemas);
        }
    }
    operation["responses"] = responses;
    if let Some(contents) = operation.pointer_mut("/requestBody/content") {
        add_examples(contents, schemas);
        // Also where there is a choice of media types, for which the macro leaves it out.
        operation["requestBody"]["required"] = json!(true);
    }
}

/// The statuses of requests that are refused because of their Idempotency-Key.
const KEY_ERRORS: [&str; 4] = ["400", "409", "422", "429"];

/// A bare key, or a quoted string as in RFC 9651 §3.3.3.
const KEY: &str = r#"^([!#-~][!-~]{0,254}|"([!#-\[\]-~]|\\["\\]){1,255}")$"#;

/// The parameters that operations share, by name.
pub fn shared_parameters() -> Value {
    json!({ HEADER: {
        "name": HEADER,
        "in": "header",
        "description": "A new random string for each request, such as a UUID. Repeated within 24 hours \
            with the same key and body, the request is not carried out again, but has the same answer.",
        "schema": { "type": "string", "minLength": 1, "maxLength": 512, "pattern": KEY },
        "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }})
}

/// Adds the Idempotency-Key, and what comes of it, to a POST.
fn accept_key(operation: &mut Value) {
    let reference = json!({ "$ref": format!("#/components/parameters/{HEADER}") });
    match operation.get_mut("parameters").and_then(Value::as_array_mut) {
        Some(parameters) => parameters.push(reference),
        None => operation["parameters"] = json!([reference]),
    }
    // The errors of OAuth have another form, but not those of the key.
    if let Some(contents) = operation.pointer_mut("/responses/400/content") {
        contents["application/problem+json"] =
            json!({ "schema": { "$ref": "#/components/schemas/Problem" } });
    }
}

/// Who may use an operation.
#[derive(Clone, Copy, PartialEq)]
enum Credentials {
    Ignored,
    Optional,
    Required,
}

/// States the ways to authenticate. Without any, a session is required.
fn credentials(operation: &mut Value) -> Credentials {
    let stated = operation["security"].as_array().cloned();
    let mut ways = stated.unwrap_or_else(|| vec![json!({ "oauth2": [] })]);
    let is_optional = ways.contains(&json!({}));
    if ways == [json!({})] {
        operation["security"] = json!([]);
        return Credentials::Ignored;
    }
    ways.push(json!({ "bearer": [] }));
    operation["security"] = Value::Array(ways);
    if is_optional { Credentials::Optional } else { Credentials::Required }
}

/// The errors that follow from the kind of the operation.
fn errors(
    method: &str,
    path: &str,
    operation: &Value,
    credentials: Credentials,
    responses: &Map<String, Value>,
) -> Vec<String> {
    let mut errors = vec!["500", "503"];
    if credentials != Credentials::Ignored {
        errors.push("401");
    }
    if credentials == Credentials::Required {
        errors.push("403");
    }
    if path.contains('{') {
        errors.push("404");
    }
    let parameters = operation["parameters"].as_array();
    if parameters.is_some_and(|all| all.iter().any(|one| one["in"] == "query")) {
        errors.push("422");
    }
    // The errors of OAuth have one status and their own codes (RFC 6749 §5.2).
    let is_oauth = !responses.get("400").is_none_or(|response| response["content"].is_null());
    if operation["requestBody"].is_object() && !is_oauth {
        errors.extend(["400", "413", "415", "422"]);
    }
    if method == "post" {
        errors.extend(KEY_ERRORS);
    }
    errors.into_iter().map(str::to_owned).collect()
}

fn describe_parameters(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        // It may be missing, but there is no way to send null.
        if let Some(kind) = parameter["schema"]["type"].get(0).cloned() {
            parameter["schema"]["type"] = kind;
        }
        let (description, limits) = match parameter["name"].as_str() {
            Some("id") => ("Its number.", json!({ "minimum": 1 })),
            Some("number") => ("The number of a version.", json!({ "minimum": 1 })),
            Some("sid") => ("The `id` of a session.", json!({ "maxLength": 100 })),
            Some("tag") if parameter["in"] == "path" => {
                ("A tag, in any spelling.", json!({ "maxLength": 300 }))
            }
            Some("username") => ("A username, ignoring case.", json!({ "maxLength": 300 })),
            Some("If-Match") => (
                "The `ETag` of the version to change; of several, the newest counts. If there is a newer one, \
                 the answer is 412.",
                json!({ "example": "\"3-9f86d081884c7d65\"" }),
            ),
            _ => continue,
        };
        if parameter.get("description").is_none() {
            parameter["description"] = json!(description);
        }
        for (name, value) in limits.as_object().into_iter().flatten() {
            parameter["schema"][name] = value.clone();
        }
    }
}

/// The operation that a response belongs to.
#[derive(Clone, Copy)]
struct Kind<'o> {
    method: &'o str,
    operation: &'o Value,
    is_limited: bool,
}

fn describe(status: &str, response: &mut Value, kind: Kind<'_>, schemas: &Value) {
    let own = response["description"].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let is_problem = response["content"]["application/json"].is_null();
    if is_problem && let Some(problem) = problems::response(status, own.as_deref()) {
        *response = problem;
        return;
    }
    let mut headers = headers::of(status);
    let parameters = kind.operation["parameters"].as_array();
    if parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "before")) {
        headers::refer(&mut headers, "Link");
    }
    if kind.method == "get" || is_post(response) {
        headers::refer(&mut headers, "ETag");
    }
    if kind.method == "post" {
        headers::refer(&mut headers, REPLAYED);
    }
    if kind.is_limited {
        headers::refer(&mut headers, "RateLimit");
        headers::refer(&mut headers, "RateLimit-Policy");
    }
    response["headers"] = Value::Object(headers);
    if own.is_none() {
        response["description"] = json!(match status {
            "200" => "Done; this is what it is now.",
            "201" => "It was created.",
            "400" => "The request was refused; `error` says why.",
            _ => "Done; there is nothing to say.",
        });
        if kind.method == "get" && status == "200" {
            response["description"] = json!("What was asked for.");
        }
    }
    if let Some(contents) = response.get_mut("content") {
        add_examples(contents, schemas);
    }
}

/// Whether a response is a post: its tag contains its version, also after a change.
fn is_post(response: &Value) -> bool {
    let schema = &response["content"]["application/json"]["schema"]["$ref"];
    ["#/components/schemas/Post", "#/components/schemas/Comment"].iter().any(|one| schema == one)
}

fn add_examples(contents: &mut Value, schemas: &Value) {
    let files = contents.as_object_mut().into_iter().flatten();
    for (_, file) in files.filter(|(kind, _)| kind.starts_with("image/")) {
        // As in OpenAPI 3.0: every generator knows it.
        file["schema"] = json!({ "type": "string", "format": "binary" });
    }
    for content in contents.as_object_mut().into_iter().flat_map(Map::values_mut) {
        let example = example::of(&content["schema"], schemas);
        if !example.is_null() {
            content["example"] = example;
        }
    }
}

//! The contract: each response of the API in these tests is one that the API document describes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use rocket::http::Method;
use serde_json::{Map, Value, json};

use super::internals::ApiDocument;
use super::{App, Response};

/// Headers that belong to the contract: a response has them only if the document says so.
const HEADERS: [&str; 7] = [
    "ETag",
    "Link",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
];

/// Checks the response to a request for a path below `/api/v1`.
pub fn check(app: &App, method: Method, path: &str, response: &Response) {
    static CONTRACT: OnceLock<Contract> = OnceLock::new();
    let contract = CONTRACT.get_or_init(|| {
        let document = app.client.rocket().state::<ApiDocument>().expect("the API has a document");
        Contract::new(document.titled("Postly", true))
    });
    if let Err(why) = contract.check(method, path, response) {
        let (status, headers, body) = (response.status, &response.headers, &response.body);
        panic!(
            "{method} {path} is not answered as the document says: {why}\n{status} {headers:?}\n{body}"
        );
    }
}

struct Contract {
    document: Value,
    /// By the pointer to the schema in the document.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    fn new(mut document: Value) -> Contract {
        close(&mut document);
        Contract { document, validators: Mutex::default() }
    }

    fn check(&self, method: Method, path: &str, response: &Response) -> Result<(), String> {
        let is_head = method == Method::Head;
        let method = if is_head { "get".to_owned() } else { method.as_str().to_lowercase() };
        let status = response.status.to_string();
        let operation = self.template(path).map(|template| {
            format!("/paths/{}/{method}", template.replace('~', "~0").replace('/', "~1"))
        });
        let described = operation.filter(|pointer| self.document.pointer(pointer).is_some());
        let Some(operation) = described else {
            // An unknown path or method, or a route of the test itself.
            let is_problem = response.status >= 400 && !is_head && !response.body.is_empty();
            return if is_problem { self.check_problem(response) } else { Ok(()) };
        };
        let pointer = self.follow(&format!("{operation}/responses/{status}"));
        let Some(described) = self.document.pointer(&pointer) else {
            return Err(format!("{status} is not described"));
        };
        self.check_headers(described, response)?;
        let Some(contents) = described["content"].as_object() else {
            return match response.body.is_empty() {
                true => Ok(()),
                false => Err("no body is described".to_owned()),
            };
        };
        let kind = response.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default();
        if !contents.contains_key(kind) {
            return Err(format!("the media type {kind} is not described"));
        }
        if is_head {
            return Ok(());
        }
        let kind = kind.replace('/', "~1");
        self.check_body(&format!("{pointer}/content/{kind}/schema"), response)
    }

    fn check_problem(&self, response: &Response) -> Result<(), String> {
        if response.header("content-type") != Some("application/problem+json") {
            return Err("it is no problem+json".to_owned());
        }
        self.check_body("/components/schemas/Problem", response)
    }

    /// The path of the document that this one belongs to; one with fewer parameters comes first.
    fn template(&self, path: &str) -> Option<&str> {
        let segments = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let path = segments(path.split('?').next().unwrap_or_default());
        let matches = |template: &&String| {
            let template = segments(template);
            let fits = |(part, segment): (&String, &String)| {
                if part.starts_with('{') { !segment.is_empty() } else { part == segment }
            };
            template.len() == path.len() && template.iter().zip(&path).all(fits)
        };
        let templates = self.document["paths"].as_object().unwrap().keys();
        templates.filter(matches).min_by_key(|path| path.matches('{').count()).map(String::as_str)
    }

    /// The pointer that the reference at `pointer` names, or `pointer` itself.
    fn follow(&self, pointer: &str) -> String {
        let reference = self.document.pointer(pointer).and_then(|value| value["$ref"].as_str());
        reference.map_or(pointer, |reference| reference.trim_start_matches('#')).to_owned()
    }

    fn check_headers(&self, described: &Value, response: &Response) -> Result<(), String> {
        let headers = described["headers"].as_object().cloned().unwrap_or_default();
        for (name, header) in &headers {
            let pointer = header["$ref"].as_str().unwrap_or_default().trim_start_matches('#');
            let header = self.document.pointer(pointer).unwrap_or(header);
            if header["required"] == true && response.header(&name.to_lowercase()).is_none() {
                return Err(format!("{name} is missing"));
            }
        }
        for name in HEADERS {
            if response.header(&name.to_lowercase()).is_some() && !headers.contains_key(name) {
                return Err(format!("{name} is not described"));
            }
        }
        Ok(())
    }

    fn check_body(&self, pointer: &str, response: &Response) -> Result<(), String> {
        let body: Value = serde_json::from_str(&response.body).map_err(|e| e.to_string())?;
        let errors = self.validator(pointer);
        let mut errors = errors.iter_errors(&body).map(|error| {
            let place = error.instance_path().to_string();
            format!("{place}: {error}").chars().take(500).collect::<String>()
        });
        errors.next().map_or(Ok(()), Err)
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(|e| e.into_inner());
        let validator = validators.entry(pointer.to_owned()).or_insert_with(|| {
            let mut schema = self.document.pointer(pointer).expect("a schema").clone();
            close_field(&mut schema);
            schema["components"] = self.document["components"].clone();
            Arc::new(jsonschema::draft202012::new(&schema).expect("a valid schema"))
        });
        validator.clone()
    }
}

/// Forbids fields that the document does not describe: where a field or an item is an object, it has
/// no others. Schemas that are parts of others stay open.
fn close(document: &mut Value) {
    let schemas = document["components"]["schemas"].as_object_mut().expect("schemas");
    for schema in schemas.values_mut() {
        close_fields(schema);
    }
    // The result of this one is any object.
    let document = &mut document["paths"]["/openapi.json"]["get"]["responses"]["200"];
    document["content"]["application/json"]["schema"] =
        json!({ "type": "object", "additionalProperties": true });
}

fn close_fields(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    for part in fields.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
        close_fields(part);
    }
    let properties = fields.get_mut("properties").and_then(Value::as_object_mut);
    for property in properties.into_iter().flat_map(Map::values_mut) {
        close_field(property);
    }
}

fn close_field(schema: &mut Value) {
    for variant in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        close_field(variant);
    }
    if let Some(items) = schema.get_mut("items") {
        close_field(items);
    }
    if schema.get("$ref").is_some() || schema.get("properties").is_some() {
        schema["unevaluatedProperties"] = json!(false);
    }
}

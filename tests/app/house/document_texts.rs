//! The API document explains everything it mentions, and its examples are right.

use serde_json::{Map, Value, json};

use crate::support::App;

async fn document() -> Value {
    App::new().await.nobody().api().get("/openapi.json").await.json()
}

fn objects(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// The operations, each with its method and path.
fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = objects(&document["paths"]);
    let operations = paths.flat_map(|(path, item)| {
        objects(item).map(move |(method, operation)| (format!("{method} {path}"), operation))
    });
    operations.collect()
}

fn is_explained(value: &Value) -> bool {
    let own = |value: &Value| value["description"].as_str().is_some_and(|text| !text.is_empty());
    // A field that can be null explains its other variant.
    own(value) || value["oneOf"].as_array().is_some_and(|variants| variants.iter().any(own))
}

#[rocket::async_test]
async fn every_operation_parameter_answer_and_field_is_explained() {
    let document = document().await;
    let mut unexplained = Vec::new();
    let mut note = |name: String, value: &Value| {
        if value.get("$ref").is_none() && !is_explained(value) {
            unexplained.push(name);
        }
    };
    for (name, operation) in operations(&document) {
        assert!(operation["summary"].is_string() && operation["tags"][0].is_string(), "{name}");
        note(name.clone(), operation);
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            note(format!("{name}: {}", parameter["name"]), parameter);
        }
        for (status, response) in objects(&operation["responses"]) {
            note(format!("{name}: {status}"), response);
        }
    }
    let components = &document["components"];
    for kind in ["headers", "responses", "securitySchemes", "schemas"] {
        for (name, component) in objects(&components[kind]) {
            note(format!("{kind}: {name}"), component);
        }
    }
    for (name, schema) in objects(&components["schemas"]) {
        let whole = [schema.clone()];
        for part in schema["allOf"].as_array().map_or(&whole[..], Vec::as_slice) {
            for (field, property) in objects(&part["properties"]) {
                if !is_explained(property) {
                    unexplained.push(format!("{name}.{field}"));
                }
            }
        }
    }
    assert!(unexplained.is_empty(), "{unexplained:#?}");
}

/// Whatever is longer than these can be is ignored, cut off or unknown; it is no invalid input.
const FREE: [&str; 12] = [
    "author",
    "client_id",
    "client_secret",
    "code",
    "code_verifier",
    "device_token",
    "q",
    "redirect_uri",
    "refresh_token",
    "scope",
    "token",
    "token_type_hint",
];

#[rocket::async_test]
async fn what_is_typed_has_limits() {
    let document = document().await;
    let schemas = &document["components"]["schemas"];
    let mut unlimited = Vec::new();
    let is_limited = |schema: &Value| {
        let has = |name: &str| schema.get(name).is_some();
        let is = |kind: &str| {
            schema["type"] == kind
                || schema["type"].as_array().is_some_and(|k| k.contains(&json!(kind)))
        };
        match () {
            () if is("string") => has("maxLength") || has("pattern") || has("enum"),
            () if is("integer") => has("minimum"),
            () if is("array") => has("maxItems"),
            () => true,
        }
    };
    for (name, operation) in operations(&document) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter.get("$ref").is_none()) {
            let is_header = parameter["in"] == "header";
            let is_free = FREE.contains(&parameter["name"].as_str().unwrap());
            if !is_header && !is_free && !is_limited(&parameter["schema"]) {
                unlimited.push(format!("{name}: {}", parameter["name"]));
            }
        }
        for (_, content) in objects(&operation["requestBody"]["content"]) {
            let reference = content["schema"]["$ref"].as_str().unwrap_or_default();
            let schema = &schemas[reference.rsplit('/').next().unwrap_or_default()];
            for (field, property) in objects(&schema["properties"]) {
                if !is_limited(property) && !FREE.contains(&field.as_str()) {
                    unlimited.push(format!("{name}: {field}"));
                }
            }
        }
    }
    assert!(unlimited.is_empty(), "{unlimited:#?}");
}

#[rocket::async_test]
async fn every_example_is_one_that_its_schema_allows() {
    let document = document().await;
    let mut checked = 0;
    let mut check = |name: &str, content: &Value| {
        let own = content.get("example").into_iter();
        let several = objects(&content["examples"]).map(|(_, example)| &example["value"]);
        for example in own.chain(several) {
            let mut schema = content["schema"].clone();
            schema["components"] = document["components"].clone();
            if let Err(error) = jsonschema::validate(&schema, example) {
                panic!("{name}: {error} in {example}");
            }
            checked += 1;
        }
    };
    for (name, operation) in operations(&document) {
        objects(&operation["requestBody"]["content"])
            .for_each(|(_, content)| check(&name, content));
        for (status, response) in objects(&operation["responses"]) {
            let name = format!("{name}: {status}");
            let shared = response["$ref"].as_str().map(|pointer| pointer.trim_start_matches('#'));
            let response = shared.map_or(response, |shared| document.pointer(shared).unwrap());
            let problems = &response["content"]["application/problem+json"]["examples"];
            for (code, example) in objects(problems) {
                let value = &example["value"];
                assert_eq!(
                    (value["status"].to_string(), &value["code"]),
                    (status.clone(), &json!(code))
                );
            }
            objects(&response["content"]).for_each(|(_, content)| check(&name, content));
        }
    }
    assert!(checked > 60, "{checked} examples");
}

//! Schemas: which fields are always there, and items of lists as references.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

const PREFIX: &str = "#/components/schemas/";

/// Completes `schemas`, the schemas by name; `paths` tells which of them are inputs.
pub fn complete(schemas: &mut Value, paths: &Value) {
    let Some(schemas) = schemas.as_object_mut() else { return };
    name_items(schemas);
    let inputs = reachable(schemas, paths, "requestBody");
    for (name, schema) in schemas.iter_mut() {
        if !inputs.contains(name) {
            require_nullable(schema);
        }
    }
}

/// The schema that `reference` names, or the schema itself.
pub fn resolve<'s>(schema: &'s Value, schemas: &'s Value) -> &'s Value {
    let name = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix(PREFIX));
    name.map_or(schema, |name| &schemas[name])
}

/// Pages of a list contain a copy of the schema of their items: refers to one instead.
fn name_items(schemas: &mut Map<String, Value>) {
    let pages: Vec<String> =
        schemas.keys().filter(|name| name.starts_with("Page_")).cloned().collect();
    for page in pages {
        let item = page.trim_start_matches("Page_").to_owned();
        let reference = json!({ "$ref": format!("{PREFIX}{item}") });
        let Some(page) = schemas.get_mut(&page) else { continue };
        page["description"] = json!("A page of a list.");
        let Some(items) = items(page) else { continue };
        let inlined = std::mem::replace(items, reference);
        schemas.entry(item).or_insert(inlined);
    }
}

/// The schema of the items of a page, which consists of them and of the cursors.
fn items(page: &mut Value) -> Option<&mut Value> {
    let mut parts = page.get_mut("allOf")?.as_array_mut()?.iter_mut();
    parts.find_map(|part| part.pointer_mut("/properties/items/items"))
}

/// The names of the schemas that the operations use under this key.
fn reachable(schemas: &Map<String, Value>, paths: &Value, key: &str) -> BTreeSet<String> {
    let operations = paths.as_object().into_iter().flat_map(Map::values);
    let operations = operations.filter_map(Value::as_object).flat_map(Map::values);
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&Value> = operations.map(|operation| &operation[key]).collect();
    while let Some(value) = waiting.pop() {
        match value {
            Value::Object(fields) => waiting.extend(fields.values()),
            Value::Array(values) => waiting.extend(values),
            Value::String(text) => {
                let name = text.strip_prefix(PREFIX).unwrap_or_default();
                if let Some(schema) = schemas.get(name).filter(|_| found.insert(name.to_owned())) {
                    waiting.push(schema);
                }
            }
            _ => {}
        }
    }
    found
}

/// In results, a field that can be null is always there: only a field that cannot be null may be
/// missing.
fn require_nullable(schema: &mut Value) {
    let parts = schema.get_mut("allOf").and_then(Value::as_array_mut);
    for part in parts.into_iter().flatten() {
        require_nullable(part);
    }
    let Some(properties) = schema["properties"].as_object() else { return };
    let nullable = properties.iter().filter(|(_, property)| is_nullable(property));
    let nullable: Vec<Value> = nullable.map(|(name, _)| json!(name)).collect();
    let mut required = schema["required"].as_array().cloned().unwrap_or_default();
    required
        .extend(nullable.into_iter().filter(|name| !required.contains(name)).collect::<Vec<_>>());
    if !required.is_empty() {
        schema["required"] = Value::Array(required);
    }
}

fn is_nullable(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    let types = schema["type"].as_array();
    let variants = schema["oneOf"].as_array();
    types.is_some_and(|types| types.iter().any(is_null))
        || variants.is_some_and(|variants| variants.iter().any(|one| is_null(&one["type"])))
}

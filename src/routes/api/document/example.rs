//! Whole examples, put together from those of the fields.

use serde_json::{Map, Value, json};

use super::schemas::resolve;

/// A value that the schema allows.
pub fn of(schema: &Value, schemas: &Value) -> Value {
    let schema = resolve(schema, schemas);
    if !schema["example"].is_null() {
        return schema["example"].clone();
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.first().cloned().unwrap_or_default();
    }
    if let Some(variants) = schema["oneOf"].as_array() {
        let named = variants.iter().find(|variant| variant["$ref"].is_string());
        return named.map(|variant| of(variant, schemas)).unwrap_or_default();
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let parts = parts.iter().map(|part| of(part, schemas));
        let fields = parts.filter_map(|part| part.as_object().cloned()).flatten();
        return fields.collect::<Map<_, _>>().into();
    }
    // Of a type that can also be null, the other one.
    let kind = match &schema["type"] {
        Value::Array(kinds) => kinds.first().and_then(Value::as_str),
        kind => kind.as_str(),
    };
    match kind {
        Some("object") => {
            let fields = schema["properties"].as_object().into_iter().flatten();
            fields.map(|(name, field)| (name.clone(), of(field, schemas))).collect()
        }
        Some("array") => json!([of(&schema["items"], schemas)]),
        Some("string") if schema["format"] == "date-time" => json!("2026-11-28T09:30:00Z"),
        Some("string") => json!("…"),
        Some("integer") => json!(schema["minimum"].as_i64().unwrap_or(1)),
        Some("boolean") => json!(true),
        _ => Value::Null,
    }
}

//! A post as search engines read it: JSON-LD in the vocabulary of schema.org. A browser runs nothing of
//! it, as it is data and no script.

use std::collections::HashMap;

use serde_json::json;
use tera::Value;

/// `{{ blog_posting(title=…, …) }}`: the contents of `<script type="application/ld+json">`.
pub struct BlogPosting;

impl tera::Function for BlogPosting {
    fn call(&self, arguments: &HashMap<String, Value>) -> tera::Result<Value> {
        let value = |name: &str| arguments.get(name).unwrap_or(&Value::Null);
        let updated = Some(value("updated")).filter(|at| !at.is_null());
        let posting = json!({
            "@context": "https://schema.org",
            "@type": "BlogPosting",
            "headline": value("title"),
            "description": value("excerpt"),
            "url": value("url"),
            "mainEntityOfPage": value("url"),
            "datePublished": value("published"),
            "dateModified": updated.unwrap_or(value("published")),
            "author": {"@type": "Person", "name": value("author"), "url": value("profile")},
            "publisher": {"@type": "Organization", "name": value("site"), "url": value("home")},
            "inLanguage": value("language"),
            "commentCount": value("comments"),
        });
        Ok(Value::String(inert(&posting.to_string())))
    }

    /// Nothing in it ends the element or begins another.
    fn is_safe(&self) -> bool {
        true
    }
}

/// JSON without the characters that mean something in HTML; they stand only in strings.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

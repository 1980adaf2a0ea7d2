//! The search of everybody: what it finds, what it shows, and what it costs.

mod grammar;
mod index;
mod leaks;
mod pages;
mod property;
mod work;

use rocket::http::Method::Get;
use serde_json::Value;

use crate::support::permission::{PUBLIC, Permission, both};
use crate::support::{Person, encode};

pub fn permissions() -> Vec<Permission> {
    vec![both(Get, "/search", PUBLIC).scope("posts:read")]
}

/// What the API answers to a query.
async fn ask(person: &Person<'_>, kind: &str, q: &str) -> Value {
    let path = format!("/search?{}", encode(&[("q", q), ("type", kind)]));
    let answer = person.api().get(&path).await;
    assert_eq!(answer.status, 200, "{q}: {}", answer.body);
    answer.json()
}

fn ids(answer: &Value) -> Vec<i64> {
    let items = answer["items"].as_array().unwrap();
    items.iter().map(|item| item["id"].as_i64().unwrap()).collect()
}

/// The ids that a query finds, in the order of the answer.
async fn find(person: &Person<'_>, kind: &str, q: &str) -> Vec<i64> {
    ids(&ask(person, kind, q).await)
}

/// A text with its hits between brackets.
fn shown(parts: &Value) -> String {
    let show = |part: &Value| match part["hit"].as_bool().unwrap() {
        true => format!("[{}]", part["text"].as_str().unwrap()),
        false => part["text"].as_str().unwrap().to_owned(),
    };
    parts.as_array().unwrap().iter().map(show).collect()
}

const NOTHING: [i64; 0] = [];

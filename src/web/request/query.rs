//! Query strings, parsed like forms.

use std::ops::Deref;

use rocket::Request;
use rocket::request::{FromRequest, Outcome};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::input::{deserialize_fields, parse_form};
use super::refusal::refuse;
use crate::error::Error;
use crate::models::base::page::PageParams;
use crate::models::posts::feed_params::FeedParams;
use crate::models::posts::public_search::SearchParams;
use crate::models::posts::tag::TagParams;
use crate::models::posts::thread::ThreadParams;
use crate::validation::{FieldError, Rule, ValidationErrors};
use crate::web::cause::Cause;
use crate::web::door::Door;

/// The parsed query string. At the API door, unknown parameters are errors: a program that filters by
/// one would take everything for what it asked for. Links to pages may have more, such as those of
/// search engines.
pub struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, T: QueryParams> FromRequest<'r> for Query<T> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let query = request.uri().query().map(|q| q.as_str()).unwrap_or_default();
        let fields = parse_form(query.as_bytes());
        let fields = fields.and_then(|fields| check::<T>(fields, Door::of(request)));
        match fields.and_then(deserialize_fields) {
            Ok(query) => Outcome::Success(Query(query)),
            Err(cause) => Outcome::Error(refuse(request, cause)),
        }
    }
}

/// Types that a query string is parsed into.
pub trait QueryParams: DeserializeOwned {
    /// The names of all parameters of a list; those of a page alone have no names here, and the page
    /// itself decides about repetition.
    const NAMES: &'static [&'static str] = &[];
    /// Those of them that may occur several times.
    const REPEATABLE: &'static [&'static str] = &[];
}

impl QueryParams for PageParams {
    const NAMES: &'static [&'static str] = &["before", "after", "limit"];
}

impl QueryParams for FeedParams {
    const NAMES: &'static [&'static str] = &[
        "sort",
        "period",
        "author",
        "tag",
        "since",
        "until",
        "updated_since",
        "min_votes",
        "q",
        "include",
        "before",
        "after",
        "limit",
    ];
    const REPEATABLE: &'static [&'static str] = &["tag"];
}

impl QueryParams for TagParams {
    const NAMES: &'static [&'static str] = &["q", "before", "after", "limit"];
}

impl QueryParams for SearchParams {
    const NAMES: &'static [&'static str] = &["q", "type", "before", "after", "limit"];
}

impl QueryParams for ThreadParams {
    const NAMES: &'static [&'static str] = &["sort", "parent", "before", "after", "limit"];
}

/// More of them are not looked at: those that are known come to fewer.
const MAX_PARAMETERS: usize = 20;

/// # Errors
/// `Invalid`, about repeated and unknown parameters.
fn check<T: QueryParams>(
    fields: Map<String, Value>,
    door: Door,
) -> Result<Map<String, Value>, Cause> {
    let names = T::NAMES;
    let mut errors = ValidationErrors::default();
    for (name, value) in fields.iter().take(MAX_PARAMETERS) {
        let rule = match value {
            Value::Array(_) if !names.is_empty() && !T::REPEATABLE.contains(&name.as_str()) => {
                Rule::Repeated
            }
            _ if door == Door::Api && !names.contains(&name.as_str()) => Rule::Undefined,
            _ => continue,
        };
        errors.add(FieldError::new(name.replace('\0', ""), rule));
    }
    if errors.is_empty() { Ok(fields) } else { Err(Error::Invalid(errors).into()) }
}

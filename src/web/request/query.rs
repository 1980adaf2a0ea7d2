//! Query strings, parsed like forms, and searchable lists.

use std::ops::Deref;

use rocket::Request;
use rocket::request::{FromRequest, Outcome};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::input::{deserialize_fields, parse_form};
use super::refusal::refuse;
use crate::models::base::page::{Page, PageParams};

/// The parsed query string.
pub struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromRequest<'r> for Query<T> {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let query = request.uri().query().map(|q| q.as_str()).unwrap_or_default();
        match parse_form(query.as_bytes()).and_then(deserialize_fields) {
            Ok(query) => Outcome::Success(Query(query)),
            Err(cause) => Outcome::Error(refuse(request, cause)),
        }
    }
}

/// Parameters of a searchable list.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// What to search for.
    pub q: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    pub page: PageParams,
}

/// A page of search results, and the search text.
#[derive(Serialize)]
pub struct SearchResult<T> {
    #[serde(flatten)]
    pub page: Page<T>,
    pub q: Option<String>,
}

//! A form that was sent before its sender had logged in or confirmed the password: the page that asks
//! for it carries the fields along, and afterwards the form is shown again with them.

use rocket::Request;
use rocket::request::{FromRequest, Outcome};
use serde_json::{Map, Value};

use super::address::path_of;
use super::input::entered;
use super::state::{Authenticated, RequestState};
use crate::error::Result;
use crate::models::accounts::kept_form;
use crate::models::base::site::Site;

/// Marks the names of the fields that are carried along.
const PREFIX: &str = "kept.";
/// The query parameter of a page whose form was kept.
const PARAMETER: &str = "kept";
/// Fields that nobody types: they alone are nothing to keep.
const CONTROLS: [&str; 4] = ["next", "version", "decision", "merged"];

/// The form that the sender of this request has sent before.
pub struct Kept<'r>(&'r Request<'r>);

impl Kept<'_> {
    /// The fields of the form that was just sent, to be carried along; `None` if it has none that
    /// anybody typed. Passwords and codes are never among them.
    pub fn begin(&self) -> Option<Map<String, Value>> {
        let fields = entered(self.0);
        let is_typed = fields.keys().any(|name| !CONTROLS.contains(&name.as_str()));
        let marked = fields.into_iter().map(|(name, value)| (format!("{PREFIX}{name}"), value));
        is_typed.then(|| marked.collect())
    }

    /// Whether the form that was just sent carries another one along.
    pub fn is_carried(&self) -> bool {
        self.fields().next().is_some()
    }

    /// Keeps the carried form, if there is one, for a session. Returns the address where it is shown
    /// again: `next`, the page with the form.
    pub async fn keep(&self, site: &Site, sid: &str, next: String) -> Result<String> {
        let fields: Map<String, Value> = self.fields().collect();
        if fields.is_empty() {
            return Ok(next);
        }
        kept_form::keep(site, sid, path_of(&next), &fields).await?;
        let (address, fragment) = next.split_once('#').unwrap_or((&next, ""));
        let sign = if address.contains('?') { '&' } else { '?' };
        let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
        Ok(format!("{address}{sign}{PARAMETER}=1{fragment}"))
    }

    fn fields(&self) -> impl Iterator<Item = (String, Value)> {
        let unmarked = |(name, value): (String, Value)| {
            name.strip_prefix(PREFIX).map(|name| (name.to_owned(), value))
        };
        entered(self.0).into_iter().filter_map(unmarked)
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Kept<'r> {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Kept(request))
    }
}

/// The fields of the form of this page, if it was kept for the session of its reader.
pub async fn of_page(request: &Request<'_>, reader: &Authenticated) -> Map<String, Value> {
    let is_kept = request.query_value::<&str>(PARAMETER).is_some();
    let (Some(session), Some(site), true) =
        (reader.session(), request.rocket().state::<Site>(), is_kept)
    else {
        return Map::new();
    };
    match kept_form::find(site, &session.id, request.uri().path().as_str()).await {
        Ok(fields) => fields.unwrap_or_default(),
        Err(error) => {
            let request_id = RequestState::of(request).caller.request_id.as_str();
            tracing::warn!(request_id, %error, "a kept form cannot be shown");
            Map::new()
        }
    }
}

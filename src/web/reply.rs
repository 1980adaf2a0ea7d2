//! Answers that suit both doors: handlers say what they mean, the door decides how it looks.

use std::io::Cursor;

use rocket::Request;
use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder, Response};
use rocket_dyn_templates::Template;
use serde::Serialize;
use serde_json::{Value, json};

use super::door::{API, Door};
use super::flash::{self, Flash};
use super::scene::Scene;
use crate::config::PublicUrl;
use crate::error::Complaint;
use crate::models::email::Rules;
use crate::models::user::User;

/// An answer, not yet told through either door.
pub struct Reply {
    kind: Kind,
    view: Box<dyn View>,
    next: Option<String>,
    previous: Option<String>,
    tag: Option<String>,
}

enum Kind {
    Page { template: &'static str, scenery: Scenery },
    Redirect { location: String, flash: Flash, status: Status },
    Shown { template: &'static str, location: String },
}

/// Anything that can be shown as JSON or handed to a template.
trait View: Send {
    fn json(&self) -> serde_json::Result<Vec<u8>>;
    fn value(&self) -> serde_json::Result<Value>;
}

impl<T: Serialize + Send> View for T {
    fn json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    fn value(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }
}

/// A page, or its data.
pub fn page(template: &'static str, view: impl Serialize + Send + 'static) -> Reply {
    Reply::new(Kind::Page { template, scenery: Scenery::default() }, view)
}

/// A form with what it holds so far. `view` is what else the template needs.
pub fn form(template: &'static str, typed: impl Serialize, view: Value) -> Reply {
    let form = serde_json::to_value(typed).unwrap_or_default();
    let scenery = Scenery { form, ..Scenery::default() };
    Reply::new(Kind::Page { template, scenery }, view)
}

/// Something new stands at `location` (a path of the page door): go there, or 201 with the thing.
pub fn created(
    location: impl ToString,
    flash: Flash,
    view: impl Serialize + Send + 'static,
) -> Reply {
    let location = location.to_string();
    Reply::new(Kind::Redirect { location, flash, status: Status::Created }, view)
}

/// Something new stands at `location` and holds a secret that is to be seen this once: a page, since
/// no address could be gone to that shows it again, or 201 with the thing.
pub fn shown(
    template: &'static str,
    location: impl ToString,
    view: impl Serialize + Send + 'static,
) -> Reply {
    Reply::new(Kind::Shown { template, location: location.to_string() }, view)
}

/// A change was made: go to `location`, or 200 with the thing as it is now.
pub fn saved(
    location: impl ToString,
    flash: Flash,
    view: impl Serialize + Send + 'static,
) -> Reply {
    let location = location.to_string();
    Reply::new(Kind::Redirect { location, flash, status: Status::Ok }, view)
}

/// Something is no more: go to `location`, or 204.
pub fn gone(location: impl ToString, flash: Flash) -> Reply {
    let location = location.to_string();
    Reply::new(Kind::Redirect { location, flash, status: Status::NoContent }, ())
}

impl Reply {
    fn new(kind: Kind, view: impl Serialize + Send + 'static) -> Reply {
        Reply { kind, view: Box::new(view), next: None, previous: None, tag: None }
    }

    /// Announces the neighbouring pages of a list in `Link` (RFC 8288), at the API door.
    pub fn between(mut self, previous: Option<String>, next: Option<String>) -> Reply {
        self.previous = previous;
        self.next = next;
        self
    }

    /// Names this state of the thing in `ETag`, at the API door; whoever has it gets 304.
    pub fn tagged(mut self, tag: String) -> Reply {
        self.tag = Some(tag);
        self
    }

    /// Shows safe HTML as the preview of a form.
    pub fn preview(mut self, html: String) -> Reply {
        if let Kind::Page { scenery, .. } = &mut self.kind {
            scenery.preview = Some(html);
        }
        self
    }
}

impl<'r> Responder<'r, 'static> for Reply {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match (Door::of(request), self.kind) {
            (Door::Page, Kind::Page { template, scenery }) => {
                let view = self.view.value().map_err(|e| broken(&e))?;
                render(request, Status::Ok, template, view, scenery)
            }
            (Door::Page, Kind::Redirect { location, flash, .. }) => {
                if let Some(public_url) = request.rocket().state::<PublicUrl>() {
                    flash.leave(request.cookies(), public_url);
                }
                Response::build().status(Status::SeeOther).raw_header("Location", location).ok()
            }
            (Door::Page, Kind::Shown { template, .. }) => {
                let view = self.view.value().map_err(|e| broken(&e))?;
                render(request, Status::Created, template, view, Scenery::default())
            }
            (Door::Api, Kind::Shown { location, .. }) => {
                let mut response = json_body(Status::Created, self.view.as_ref())?;
                response.set_header(Header::new("Location", format!("{API}{location}")));
                Ok(response)
            }
            (Door::Api, Kind::Page { .. }) => {
                let mut response = match &self.tag {
                    Some(tag) if is_known(request, tag) => {
                        Response::build().status(Status::NotModified).finalize()
                    }
                    _ => json_body(Status::Ok, self.view.as_ref())?,
                };
                if let Some(tag) = self.tag {
                    response.set_header(Header::new("ETag", tag));
                    response.set_header(Header::new("Cache-Control", "private, no-cache"));
                }
                for (cursor, key, rel) in
                    [(self.next, "before", "next"), (self.previous, "after", "prev")]
                {
                    if let Some(cursor) = cursor {
                        response.adjoin_header(link(request, key, &cursor, rel));
                    }
                }
                Ok(response)
            }
            (Door::Api, Kind::Redirect { status: Status::NoContent, .. }) => {
                Response::build().status(Status::NoContent).ok()
            }
            (Door::Api, Kind::Redirect { location, status, .. }) => {
                let mut response = json_body(status, self.view.as_ref())?;
                if status == Status::Created {
                    response.set_header(Header::new("Location", format!("{API}{location}")));
                }
                Ok(response)
            }
        }
    }
}

fn json_body(status: Status, view: &dyn View) -> response::Result<'static> {
    let body = view.json().map_err(|e| broken(&e))?;
    Response::build()
        .status(status)
        .header(ContentType::JSON)
        .sized_body(body.len(), Cursor::new(body))
        .ok()
}

fn broken(error: &serde_json::Error) -> Status {
    tracing::error!(%error, "a view cannot be serialised");
    Status::InternalServerError
}

/// RFC 9110 §13.1.2: weak comparison against a list.
fn is_known(request: &Request<'_>, tag: &str) -> bool {
    request.headers().get("If-None-Match").flat_map(|list| list.split(',')).any(|one| {
        let one = one.trim();
        one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag
    })
}

/// The same list from another cursor on: every other parameter stays.
fn link(request: &Request<'_>, key: &str, cursor: &str, rel: &str) -> Header<'static> {
    let mut query: Vec<String> = request
        .uri()
        .query()
        .map(|q| q.as_str().split('&'))
        .into_iter()
        .flatten()
        .filter(|pair| !["", "before", "after"].contains(&pair.split('=').next().unwrap_or("")))
        .map(str::to_owned)
        .collect();
    query.push(format!("{key}={cursor}"));
    let path = request.uri().path();
    Header::new("Link", format!("<{path}?{}>; rel=\"{rel}\"", query.join("&")))
}

/// What a template sees beside its view.
#[derive(Default)]
pub struct Scenery {
    pub errors: Vec<Complaint>,
    pub form: Value,
    pub preview: Option<String>,
}

/// The context of every template.
#[derive(Serialize)]
struct Context<'a> {
    site: Value,
    me: Option<&'a User>,
    flash: Option<flash::Message>,
    here: &'a str,
    /// The path with its query: where to come back to.
    address: String,
    view: Value,
    errors: Vec<Complaint>,
    form: Value,
    preview: Option<String>,
}

/// Renders a template for whoever asks.
pub fn render(
    request: &Request<'_>,
    status: Status,
    template: &'static str,
    view: Value,
    scenery: Scenery,
) -> response::Result<'static> {
    let public_url = request.rocket().state::<PublicUrl>();
    let Scenery { errors, form, preview } = scenery;
    let context = Context {
        site: json!({
            "name": "Postly",
            "url": public_url.map(PublicUrl::origin),
            "version": env!("CARGO_PKG_VERSION"),
            "email": request.rocket().state::<Rules>(),
        }),
        me: Scene::of(request).present().map(|present| &present.user),
        flash: public_url.and_then(|public_url| flash::take(request, public_url)),
        here: request.uri().path().as_str(),
        address: request.uri().to_string(),
        view,
        errors,
        // Templates read fields of the form, so that it is an object even when nothing was typed.
        form: if form.is_object() { form } else { json!({}) },
        preview,
    };
    let mut response = Template::render(template, context).respond_to(request)?;
    response.set_status(status);
    Ok(response)
}

//! Replies for both doors: handlers specify the outcome, the door determines the format.

use std::io::Cursor;

use aws_lc_rs::digest;
use rocket::Request;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::response::{self, Redirect, Responder, Response};
use serde::Serialize;
use serde_json::Value;

use super::flash::{Count, Flash};
use super::render::{FormState, fields, render};
use super::shown::{self, Shown};
use crate::models::base::page::{Cursors, Page};
use crate::models::base::random;
use crate::web::door::{API, Door};
use crate::web::public_url::PublicUrl;
use crate::web::request::input::entered;

/// A response that is independent of the door.
pub struct Reply {
    kind: Kind,
    view: Box<dyn View>,
    cursors: Cursors,
    version: Option<i64>,
}

enum Kind {
    /// A page, or its data.
    Page { template: &'static str, form: FormState, is_entered: bool },
    /// A redirect, or the data with a status.
    Redirect {
        location: String,
        /// Where the page is, if not there.
        page: Option<String>,
        flash: Flash,
        counts: Vec<Count>,
        status: Status,
    },
    /// A page that is shown once, or 201 with its data.
    Shown { template: &'static str, page: &'static str, location: String },
    /// A redirect to the page where it goes on, or 201 with its data.
    Begun { page: &'static str, location: String },
}

impl Kind {
    fn page(template: &'static str, form: FormState) -> Kind {
        Kind::Page { template, form, is_entered: false }
    }

    fn redirect(location: impl ToString, flash: Flash, status: Status) -> Kind {
        let location = location.to_string();
        Kind::Redirect { location, page: None, flash, counts: Vec::new(), status }
    }
}

/// Anything that can be sent as JSON or passed to a template.
trait View: Send {
    fn json(&self) -> serde_json::Result<Vec<u8>>;
    fn render(&self, request: &Request<'_>, page: PageOf) -> response::Result<'static>;
}

/// How a view becomes a page.
struct PageOf {
    status: Status,
    template: &'static str,
    form: FormState,
}

impl<T: Serialize + Send> View for T {
    fn json(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    fn render(&self, request: &Request<'_>, page: PageOf) -> response::Result<'static> {
        render(request, page.status, page.template, self, page.form)
    }
}

/// What differs between a page and its data.
struct Twofold<T> {
    page: Value,
    data: T,
}

impl<T: Serialize + Send> View for Twofold<T> {
    fn json(&self) -> serde_json::Result<Vec<u8>> {
        self.data.json()
    }

    fn render(&self, request: &Request<'_>, page: PageOf) -> response::Result<'static> {
        self.page.render(request, page)
    }
}

/// A page, or its data.
pub fn page(template: &'static str, view: impl Serialize + Send + 'static) -> Reply {
    Reply::new(Kind::page(template, FormState::default()), view)
}

/// Data that only the API door has.
pub fn data(view: impl Serialize + Send + 'static) -> Reply {
    page("", view)
}

/// A page of a list, or its data with links to the adjacent pages. `view` can add other data.
pub fn list<T, V: Serialize + Send + 'static>(
    template: &'static str,
    page: Page<T>,
    view: impl FnOnce(Page<T>) -> V,
) -> Reply {
    let cursors = page.cursors.clone();
    let kind = Kind::page(template, FormState::default());
    Reply { cursors, ..Reply::new(kind, view(page)) }
}

/// A form with the current values of its fields, an object. `view` is the other data of the
/// template.
pub fn form(template: &'static str, values: Value, view: Value) -> Reply {
    let form = FormState { fields: fields(values), ..FormState::default() };
    Reply::new(Kind::page(template, form), view)
}

/// A form again, with the entered values and a preview in safe HTML; or `data`. `view` is the other data of
/// the template.
pub fn preview(
    template: &'static str,
    view: Value,
    html: String,
    data: impl Serialize + Send + 'static,
) -> Reply {
    let form = FormState { preview: Some(html), ..FormState::default() };
    let kind = Kind::Page { template, form, is_entered: true };
    let view = Box::new(Twofold { page: view, data });
    Reply { kind, view, cursors: Cursors::default(), version: None }
}

/// Created at `location` (a path of the page door): a redirect to it, or 201 with the data.
pub fn created(
    location: impl ToString,
    flash: Flash,
    view: impl Serialize + Send + 'static,
) -> Reply {
    Reply::new(Kind::redirect(location, flash, Status::Created), view)
}

/// Created at `location`, with a secret that is shown only once: a redirect to `page`, which shows it
/// with `Shown`, or 201 with the data. What is too large for that is shown at once, with `template`.
pub fn shown(
    page: &'static str,
    template: &'static str,
    location: impl ToString,
    view: impl Serialize + Send + 'static,
) -> Reply {
    Reply::new(Kind::Shown { template, page, location: location.to_string() }, view)
}

/// The page of `shown`; a redirect to `otherwise` when it has been seen.
pub type ShownPage = Result<Reply, Box<Redirect>>;

/// What `shown` has left, once.
///
/// # Errors
/// A redirect to `otherwise`, when there is nothing to show any more.
pub fn once(shown: Shown, template: &'static str, otherwise: &'static str) -> ShownPage {
    match shown.0 {
        Some(view) => Ok(page(template, view)),
        None => Err(Box::new(Redirect::to(otherwise))),
    }
}

/// Begun at `location`: a redirect to `page`, where it goes on, or 201 with the data.
pub fn begun(
    page: &'static str,
    location: impl ToString,
    view: impl Serialize + Send + 'static,
) -> Reply {
    Reply::new(Kind::Begun { page, location: location.to_string() }, view)
}

/// Changed: a redirect to `location`, or 200 with the current data.
pub fn saved(
    location: impl ToString,
    flash: Flash,
    view: impl Serialize + Send + 'static,
) -> Reply {
    Reply::new(Kind::redirect(location, flash, Status::Ok), view)
}

/// Deleted: a redirect to `location`, or 204.
pub fn gone(location: impl ToString, flash: Flash) -> Reply {
    Reply::new(Kind::redirect(location, flash, Status::NoContent), ())
}

impl Reply {
    fn new(kind: Kind, view: impl Serialize + Send + 'static) -> Reply {
        Reply { kind, view: Box::new(view), cursors: Cursors::default(), version: None }
    }

    /// Adds the version of a resource to its `ETag`, for `If-Match`.
    pub fn with_version(mut self, version: i64) -> Reply {
        self.version = Some(version);
        self
    }

    /// The tag that the API's answer has.
    pub(super) fn etag(&self) -> Option<String> {
        self.view.json().ok().map(|body| etag(self.version, &body))
    }

    /// The page to which a redirect leads, if it is not at the path of the resource.
    pub fn with_page(mut self, path: String) -> Reply {
        if let Kind::Redirect { page, .. } = &mut self.kind {
            *page = Some(path);
        }
        self
    }

    /// Adds numbers to the notice.
    pub fn counting(mut self, numbers: impl IntoIterator<Item = Count>) -> Reply {
        if let Kind::Redirect { counts, .. } = &mut self.kind {
            counts.extend(numbers);
        }
        self
    }

    /// Gives the form the values of the one that was just sent.
    pub fn with_entered(mut self) -> Reply {
        if let Kind::Page { is_entered, .. } = &mut self.kind {
            *is_entered = true;
        }
        self
    }
}

impl<'r> Responder<'r, 'static> for Reply {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        match Door::of(request) {
            Door::Page => self.into_page(request),
            Door::Api => self.into_json(request),
        }
    }
}

impl Reply {
    fn into_page(self, request: &Request<'_>) -> response::Result<'static> {
        let (status, template, form) = match self.kind {
            Kind::Page { template, mut form, is_entered } => {
                if is_entered {
                    form.fields = entered(request);
                }
                (Status::Ok, template, form)
            }
            Kind::Shown { template, page, .. } => {
                let view = self.view.json().map_err(|e| unserializable(&e))?;
                if shown::leave(request, page, &view) {
                    return redirect(page);
                }
                (Status::Created, template, FormState::default())
            }
            Kind::Begun { page, .. } => return redirect(page),
            Kind::Redirect { location, page, flash, counts, .. } => {
                if let Some(public_url) = request.rocket().state::<PublicUrl>() {
                    flash.leave(&counts, request.cookies(), public_url);
                }
                return redirect(page.as_ref().unwrap_or(&location));
            }
        };
        self.view.render(request, PageOf { status, template, form })
    }

    fn into_json(self, request: &Request<'_>) -> response::Result<'static> {
        let (status, location) = match &self.kind {
            Kind::Page { .. } => (Status::Ok, None),
            Kind::Shown { location, .. } | Kind::Begun { location, .. } => {
                (Status::Created, Some(location))
            }
            Kind::Redirect { status: Status::NoContent, .. } => {
                return Response::build().status(Status::NoContent).ok();
            }
            Kind::Redirect { location, status, .. } => {
                (*status, Some(location).filter(|_| *status == Status::Created))
            }
        };
        let body = self.view.json().map_err(|e| unserializable(&e))?;
        let mut response = Response::build();
        if let Some(location) = location {
            response.raw_header("Location", format!("{API}{location}"));
        }
        // Responses to changes may contain tokens and other secrets, which must not be cached: they
        // have a tag only for a versioned resource.
        let is_read = matches!(request.method(), Method::Get | Method::Head);
        if is_read || self.version.is_some() {
            response.raw_header("ETag", etag(self.version, &body));
            if self.version.is_some() {
                response.raw_header("Cache-Control", "private, no-cache");
            }
        }
        for link in page_links(request, &self.cursors) {
            response.header_adjoin(link);
        }
        response
            .status(status)
            .header(ContentType::JSON)
            .sized_body(body.len(), Cursor::new(body))
            .ok()
    }
}

fn redirect(location: &str) -> response::Result<'static> {
    let mut response = Response::build();
    response.status(Status::SeeOther).raw_header("Location", location.to_owned()).ok()
}

/// Identifies a representation: 64 bits of the SHA-256 of its body, after the version of the
/// resource.
pub(super) fn etag(version: Option<i64>, body: &[u8]) -> String {
    let hash = random::hex(&digest::digest(&digest::SHA256, body).as_ref()[..8]);
    match version {
        Some(version) => format!("\"{version}-{hash}\""),
        None => format!("\"{hash}\""),
    }
}

fn unserializable(error: &serde_json::Error) -> Status {
    tracing::error!(%error, "a view cannot be serialised");
    Status::InternalServerError
}

/// Links to the adjacent pages of a list (RFC 8288): the same URL with another cursor.
fn page_links(request: &Request<'_>, cursors: &Cursors) -> Vec<Header<'static>> {
    let neighbours = [(&cursors.next, "before", "next"), (&cursors.previous, "after", "prev")];
    let links = neighbours.into_iter().filter_map(|(cursor, key, rel)| {
        let cursor = cursor.as_ref()?;
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
        Some(Header::new("Link", format!("<{path}?{}>; rel=\"{rel}\"", query.join("&"))))
    });
    links.collect()
}

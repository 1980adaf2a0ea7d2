//! Errors as responses: a page or a form at the page door, problem+json at the API door.

use std::sync::atomic::Ordering::Relaxed;

use rocket::Request;
use rocket::http::{Header, Method, RawStr, Status};
use rocket::response::{self, Responder, Response};
use serde_json::{Map, Value};

use super::messages;
use super::problem::{self, FieldProblem, field_problems};
use super::render::{FormState, error_page, fields, render};
use super::reply::Reply;
use super::status::status;
use crate::error::{Conflict, Denial, Error};
use crate::models::base::site::Site;
use crate::web::cause::{Cause, RequestError};
use crate::web::door::{API, Door, RESOURCE_METADATA};
use crate::web::public_url::PublicUrl;
use crate::web::request::address;
use crate::web::request::input::entered;
use crate::web::request::state::RequestState;

/// An error response, with the form to show again if there was one.
pub struct Failure {
    cause: Cause,
    form: Option<Box<Form>>,
    /// The tag of what is there instead of what the client expected.
    etag: Option<String>,
}

/// The form that was submitted.
struct Form {
    template: &'static str,
    view: Value,
    /// Values that it has now in place of those that were entered.
    values: Map<String, Value>,
}

impl Failure {
    /// There is a newer version than the one that the client knew: this one, whose tag the API's answer
    /// has.
    pub fn stale(current: &Reply) -> Failure {
        Failure { cause: Error::VersionConflict.into(), form: None, etag: current.etag() }
    }
}

impl<E: Into<Cause>> From<E> for Failure {
    fn from(cause: E) -> Self {
        Failure { cause: as_conflict(cause.into()), form: None, etag: None }
    }
}

/// A foreign-key violation means that the parent was deleted concurrently.
fn as_conflict(cause: Cause) -> Cause {
    match cause {
        Cause::Site(error) if error.is_foreign_key_violation() => {
            Cause::Site(Error::Conflict(Conflict::ParentDeleted))
        }
        other => other,
    }
}

/// Specifies which form to show again when the input is invalid.
pub trait OrForm<T> {
    /// At the page door, shows `template` again with the entered values and the errors; `view` is
    /// the other data of the template. At the API door this has no effect.
    fn or_form(self, template: &'static str, view: Value) -> Result<T, Failure>;

    /// The same with a form whose fields have these values, an object, in place of the entered ones.
    fn or_filled_form(
        self,
        template: &'static str,
        values: Value,
        view: Value,
    ) -> Result<T, Failure>;
}

impl<T> OrForm<T> for Result<T, Error> {
    fn or_form(self, template: &'static str, view: Value) -> Result<T, Failure> {
        self.or_filled_form(template, Value::Null, view)
    }

    fn or_filled_form(
        self,
        template: &'static str,
        values: Value,
        view: Value,
    ) -> Result<T, Failure> {
        let values = fields(values);
        self.map_err(|error| Failure {
            cause: as_conflict(error.into()),
            form: Some(Box::new(Form { template, view, values })),
            etag: None,
        })
    }
}

impl<'r> Responder<'r, 'static> for Failure {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        log(request, &self.cause);
        let mut response = match (Door::of(request), self.form, &self.cause) {
            (Door::Api, ..) => {
                let mut response = problem::respond(request, &self.cause)?;
                // RFC 9110 §8.8.3: the client can try again without asking for it first.
                if let Some(etag) = self.etag {
                    response.set_header(Header::new("ETag", etag));
                }
                response
            }
            (Door::Page, Some(form), cause) if belongs_in_form(cause) => {
                form_again(request, *form, cause)?
            }
            (Door::Page, ..) => page(request, &self.cause)?,
        };
        add_headers(request, &mut response, &self.cause);
        Ok(response)
    }
}

/// The form again, with the entered values and the errors.
fn form_again(request: &Request<'_>, form: Form, cause: &Cause) -> response::Result<'static> {
    let status = match status(cause, Door::Page) {
        // RFC 9110 requires WWW-Authenticate with 401, which would be wrong at the page door.
        // Nothing was submitted with GET: the link or log-in that the page belongs to is not there.
        Status::Unauthorized if request.method() == Method::Get => Status::NotFound,
        Status::Unauthorized => Status::UnprocessableEntity,
        status => status,
    };
    let whole = || {
        let (field, code) = (String::new(), cause.code().to_owned());
        vec![FieldProblem { field, code, message: messages::detail(cause) }]
    };
    let errors = field_problems(cause).unwrap_or_else(whole);
    let mut fields = entered(request);
    fields.extend(form.values);
    render(request, status, form.template, form.view, FormState { errors, fields, preview: None })
}

/// Whether to show the error in the form; no other input would avoid the remaining errors.
fn belongs_in_form(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::Site(
            Error::Invalid(_)
                | Error::Taken(_)
                | Error::Conflict(_)
                | Error::VersionConflict
                | Error::InvalidCredentials(_)
                | Error::SecondFactorRequired
                | Error::TooManyRequests { .. }
                | Error::Forbidden(Denial::EmailUnverified)
        )
    )
}

/// Logs details under the request's id, which the client does not see.
fn log(request: &Request<'_>, cause: &Cause) {
    let state = RequestState::of(request);
    let request_id = state.caller.request_id.as_str();
    match cause {
        // An outage is logged when it begins and when it ends.
        Cause::Site(Error::Unserved(fault)) if fault.known => {
            if let Some(site) = request.rocket().state::<Site>() {
                site.db.health().count_failed_request();
            }
        }
        Cause::Site(
            error @ (Error::Database(_)
            | Error::Internal(_)
            | Error::AuditBroken(_)
            | Error::Unserved(_)
            | Error::Unavailable),
        ) => tracing::error!(request_id, %error, "a request failed"),
        // Not a trespass: the user only has to set something up first.
        Cause::Site(Error::Forbidden(Denial::SecondFactorMissing)) => {}
        Cause::Site(Error::Forbidden(_) | Error::InsufficientScope(_))
        | Cause::Request(RequestError::CrossOrigin(_)) => state.denied.store(true, Relaxed),
        _ => {}
    }
}

/// The error as a page; a user who is not logged in is redirected to the log-in page.
fn page(request: &Request<'_>, cause: &Cause) -> response::Result<'static> {
    match cause {
        Cause::Site(Error::Unauthenticated | Error::ReauthenticationRequired)
            if is_form(request) =>
        {
            resume(request)
        }
        Cause::Site(Error::Unauthenticated) => {
            redirect(format!("/login?next={}", encoded(&origin_of_form(request))))
        }
        Cause::Site(Error::ReauthenticationRequired) => {
            let mut query = format!("/sudo?next={}", encoded(&origin_of_form(request)));
            if request.method() != Method::Get {
                query.push_str("&repeat=true");
            }
            redirect(query)
        }
        Cause::Site(Error::Forbidden(Denial::SecondFactorMissing)) => {
            redirect("/me/two-factor".to_owned())
        }
        cause => {
            let (title, detail) = (messages::title(cause.code()), messages::detail(cause));
            error_page(request, status(cause, Door::Page), title, detail)
        }
    }
}

/// Whether this is a form whose fields can be carried along.
fn is_form(request: &Request<'_>) -> bool {
    request.method() != Method::Get && request.content_type().is_some_and(|kind| kind.is_form())
}

/// Has the browser send the form again, to the page that asks for the password and carries what was
/// typed along. Guards refuse a request before its body is read; 307 repeats method and body (RFC
/// 9110 §15.4.8).
fn resume(request: &Request<'_>) -> response::Result<'static> {
    let (form, previous) = (address::form_page(request), address::previous_page(request));
    let next = previous.filter(|page| address::path_of(page) == form).unwrap_or(&form);
    let from = previous.unwrap_or(&form);
    let location = format!("/resume?next={}&from={}", encoded(next), encoded(from));
    let mut response = Response::build();
    response.status(Status::TemporaryRedirect).raw_header("Location", location).ok()
}

fn redirect(location: String) -> response::Result<'static> {
    Response::build().status(Status::SeeOther).raw_header("Location", location).ok()
}

fn encoded(path: &str) -> String {
    RawStr::new(path).percent_encode().to_string()
}

/// The current page: the requested one, or the one whose form was submitted.
fn origin_of_form(request: &Request<'_>) -> String {
    if request.method() == Method::Get {
        return request.uri().to_string();
    }
    let previous = address::previous_page(request).map(str::to_owned);
    previous.unwrap_or_else(|| address::form_page(request))
}

/// Adds the headers that belong to particular errors.
fn add_headers(request: &Request<'_>, response: &mut Response<'_>, cause: &Cause) {
    if let Some(value) = challenge(request, response.status(), cause) {
        response.set_header(Header::new("WWW-Authenticate", value));
    }
    match cause {
        Cause::Site(Error::TooManyRequests { retry_after, .. }) => {
            response.set_header(Header::new("Retry-After", retry_after.to_string()));
        }
        Cause::Site(Error::Unavailable | Error::Unserved(_)) => {
            response.set_header(Header::new("Retry-After", "5"));
        }
        // RFC 9110 §12.5.3: what would have been accepted.
        Cause::Request(RequestError::UnsupportedEncoding) => {
            response.set_header(Header::new("Accept-Encoding", "identity"));
        }
        Cause::Request(RequestError::KeyInUse(seconds)) => {
            response.set_header(Header::new("Retry-After", seconds.to_string()));
        }
        Cause::Request(RequestError::MethodNotAllowed(methods)) => {
            response.set_header(Header::new("Allow", methods.clone()));
        }
        _ => {}
    }
}

/// The challenge of the API door (RFC 6750 §3), and where to read how to get a token (RFC 9728
/// §5.1). The page door asks for credentials with a form.
fn challenge(request: &Request<'_>, status: Status, cause: &Cause) -> Option<String> {
    let rest = match (cause, status) {
        (Cause::Site(Error::InsufficientScope(scope)), _) => {
            format!(", error=\"insufficient_scope\", scope=\"{scope}\"")
        }
        (Cause::Site(error), Status::Unauthorized) => match error {
            // Of a bearer token alone: no other credentials have an error code (§3.1).
            Error::InvalidCredentials(what) if what.is_bearer_token() => {
                ", error=\"invalid_token\"".to_owned()
            }
            // RFC 9470: the session is valid, but the authentication is too old.
            Error::ReauthenticationRequired => {
                ", error=\"insufficient_user_authentication\", max_age=\"900\"".to_owned()
            }
            _ => String::new(),
        },
        _ => return None,
    };
    let origin = request.rocket().state::<PublicUrl>().map(PublicUrl::origin).unwrap_or_default();
    Some(format!(
        "Bearer realm=\"Postly\"{rest}, resource_metadata=\"{origin}{RESOURCE_METADATA}{API}\""
    ))
}

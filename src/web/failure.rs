//! Errors as answers: a page or a form at the page door, problem+json (RFC 9457) at the API door.

use std::sync::atomic::Ordering::Relaxed;

use rocket::Request;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::response::{self, Responder, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::door::{Door, is_local};
use super::reply::{Scenery, render};
use super::scene::Scene;
use crate::config::PublicUrl;
use crate::error::{Complaint, Complaints, Error, STALE};
use crate::models::user::Role;

/// An error on its way out, with the form to show again if there was one.
pub struct Failure {
    error: Error,
    form: Option<Box<Form>>,
}

/// The form that a person filled in.
struct Form {
    template: &'static str,
    typed: Value,
    view: Value,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { error: told(error), form: None }
    }
}

/// A row whose owner was deleted in that very moment is nobody's fault.
fn told(error: Error) -> Error {
    match error.is_foreign_key_violation() {
        true => Error::conflict("", "What this belongs to has just been deleted."),
        false => error,
    }
}

/// Says which form to show again when the input is at fault.
pub trait OrForm<T> {
    /// At the page door, shows `template` again with what was typed and the complaints; `view` is
    /// what else the template needs. At the API door nothing changes.
    fn or_form(
        self,
        template: &'static str,
        typed: &impl Serialize,
        view: Value,
    ) -> Result<T, Failure>;
}

impl<T> OrForm<T> for Result<T, Error> {
    fn or_form(
        self,
        template: &'static str,
        typed: &impl Serialize,
        view: Value,
    ) -> Result<T, Failure> {
        self.map_err(|error| {
            // A form that cannot be repeated is still an error that can be told.
            let typed = serde_json::to_value(typed).unwrap_or_default();
            Failure { error: told(error), form: Some(Box::new(Form { template, typed, view })) }
        })
    }
}

impl<'r> Responder<'r, 'static> for Failure {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        log(request, &self.error);
        match (Door::of(request), self.form) {
            (Door::Api, _) => problem(request, &self.error),
            (Door::Page, None) => page(request, &self.error),
            (Door::Page, Some(form)) => match complaints(&self.error) {
                Some(errors) => {
                    let Form { template, typed, view } = *form;
                    let scenery = Scenery { errors, form: typed, ..Scenery::default() };
                    let status = match self.error {
                        Error::Conflict(_) | Error::Stale => Status::Conflict,
                        Error::TooMany { .. } => Status::TooManyRequests,
                        Error::Unverified => Status::Forbidden,
                        _ => Status::UnprocessableEntity,
                    };
                    let mut response = render(request, status, template, view, scenery)?;
                    announce(&mut response, &self.error);
                    Ok(response)
                }
                None => page(request, &self.error),
            },
        }
    }
}

/// What is to be said in the form itself; `None` for errors that no other input would mend.
fn complaints(error: &Error) -> Option<Vec<Complaint>> {
    let whole = |message: &str| vec![Complaint { field: "".into(), message: message.to_owned() }];
    match error {
        Error::Invalid(complaints) | Error::Conflict(complaints) => {
            Some(complaints.iter().cloned().collect())
        }
        Error::Stale => Some(whole(STALE)),
        Error::BadCredentials(why) => Some(whole(why)),
        Error::TooMany { .. } | Error::Unverified => Some(whole(&detail(error))),
        _ => None,
    }
}

/// The status of an error at a door.
pub fn status(error: &Error, door: Door) -> Status {
    match (error, door) {
        (Error::NotFound, _) => Status::NotFound,
        (Error::LoggedOut | Error::ProofNeeded, Door::Page) => Status::SeeOther,
        (
            Error::LoggedOut | Error::ProofNeeded | Error::CodeNeeded | Error::BadCredentials(_),
            _,
        ) => Status::Unauthorized,
        (Error::Forbidden(_) | Error::InsufficientScope(_) | Error::Unverified, _) => {
            Status::Forbidden
        }
        (Error::TooMany { .. }, _) => Status::TooManyRequests,
        (Error::Invalid(_), _) => Status::UnprocessableEntity,
        (Error::Stale, Door::Api) => Status::PreconditionFailed,
        (Error::Conflict(_) | Error::Stale, _) => Status::Conflict,
        (Error::Malformed(_), _) => Status::BadRequest,
        (Error::UnsupportedMediaType(_), _) => Status::UnsupportedMediaType,
        (Error::TooLarge, _) => Status::PayloadTooLarge,
        (Error::MethodNotAllowed(_), _) => Status::MethodNotAllowed,
        (Error::Unavailable, _) => Status::ServiceUnavailable,
        (Error::Database(_) | Error::Internal(_) | Error::Broken(_), _) => {
            Status::InternalServerError
        }
    }
}

/// The detail is for the log, under the request's id; the client is told only what it may know.
fn log(request: &Request<'_>, error: &Error) {
    let scene = Scene::of(request);
    match error {
        Error::Database(_) | Error::Internal(_) | Error::Broken(_) => {
            let request_id = scene.caller.request_id.as_str();
            tracing::error!(request_id, %error, "a request failed");
        }
        Error::Forbidden(_) | Error::InsufficientScope(_) => scene.denied.store(true, Relaxed),
        _ => {}
    }
}

/// What the client may know.
fn detail(error: &Error) -> String {
    match error {
        Error::Database(_) | Error::Internal(_) | Error::Broken(_) => {
            "Something went wrong on our side. It has been noted; please try again.".to_owned()
        }
        Error::Invalid(complaints) | Error::Conflict(complaints) => sentence(complaints),
        Error::Unavailable => {
            "The site is busy or its database is out of reach. Please try again shortly.".to_owned()
        }
        Error::TooMany { retry_after, .. } => {
            format!("This was tried too often. Please wait {} and try again.", span(*retry_after))
        }
        other => capitalised(&other.to_string()),
    }
}

/// Seconds in words.
fn span(seconds: i64) -> String {
    match seconds {
        ..=1 => "a second".to_owned(),
        2..=90 => format!("{seconds} seconds"),
        _ => format!("{} minutes", (seconds + 59) / 60),
    }
}

fn sentence(complaints: &Complaints) -> String {
    complaints.iter().map(|c| c.message.as_str()).collect::<Vec<_>>().join(" ")
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    format!("{first}{}{end}", letters.as_str())
}

/// The error in the site's layout; a person who is not logged in is sent to do so.
fn page(request: &Request<'_>, error: &Error) -> response::Result<'static> {
    match error {
        Error::LoggedOut => return ask(request, "/login", Some(request.uri().to_string())),
        Error::ProofNeeded => return ask(request, "/sudo", Some(origin_of_form(request))),
        _ => {}
    }
    let status = status(error, Door::Page);
    let view = json!({
        "status": status.code,
        "title": status.reason_lossy(),
        "detail": detail(error),
        "request_id": Scene::of(request).caller.request_id,
    });
    let mut response = render(request, status, "error.html", view, Scenery::default())?;
    announce(&mut response, error);
    Ok(response)
}

/// Sends a person to give credentials and to come back afterwards.
fn ask(request: &Request<'_>, page: &str, next: Option<String>) -> response::Result<'static> {
    // Only a page can be come back to, not a form that was sent.
    let next = next.filter(|_| page != "/login" || request.method() == Method::Get);
    let query = next
        .map(|next| format!("?next={}", rocket::http::RawStr::new(&next).percent_encode()))
        .unwrap_or_default();
    Response::build().status(Status::SeeOther).raw_header("Location", format!("{page}{query}")).ok()
}

/// The page on which a person is: the one asked for, or the one whose form was sent.
fn origin_of_form(request: &Request<'_>) -> String {
    if request.method() == Method::Get {
        return request.uri().to_string();
    }
    let site = request.rocket().state::<PublicUrl>().map(PublicUrl::origin).unwrap_or_default();
    let referer = request.headers().get_one("Referer").and_then(|page| page.strip_prefix(site));
    referer.filter(|path| is_local(path)).unwrap_or("/me").to_owned()
}

/// RFC 9457.
fn problem(request: &Request<'_>, error: &Error) -> response::Result<'static> {
    let status = status(error, Door::Api);
    let mut body = json!({
        "type": "about:blank",
        "title": status.reason_lossy(),
        "status": status.code,
        "detail": detail(error),
        "instance": request.uri().path().as_str(),
        "request_id": Scene::of(request).caller.request_id,
    });
    if let Error::CodeNeeded = error {
        body["errors"] = json!([{ "field": "code", "message": detail(error) }]);
    }
    if let Error::Invalid(complaints) | Error::Conflict(complaints) = error {
        body["errors"] = json!(complaints);
    }
    let body = body.to_string();
    let mut response = Response::build()
        .status(status)
        .header(ContentType::new("application", "problem+json"))
        .sized_body(body.len(), std::io::Cursor::new(body))
        .finalize();
    announce(&mut response, error);
    Ok(response)
}

/// The headers that belong to an error.
fn announce(response: &mut Response<'_>, error: &Error) {
    match error {
        Error::LoggedOut | Error::CodeNeeded => {
            response.set_header(Header::new("WWW-Authenticate", "Bearer realm=\"Postly\""));
        }
        Error::BadCredentials(_) => {
            response.set_header(Header::new(
                "WWW-Authenticate",
                "Bearer realm=\"Postly\", error=\"invalid_token\"",
            ));
        }
        Error::ProofNeeded => {
            // RFC 9470: the session is good, but not fresh enough.
            response.set_header(Header::new(
                "WWW-Authenticate",
                "Bearer realm=\"Postly\", error=\"insufficient_user_authentication\", max_age=\"900\"",
            ));
        }
        Error::InsufficientScope(scope) => {
            response.set_header(Header::new(
                "WWW-Authenticate",
                format!("Bearer realm=\"Postly\", error=\"insufficient_scope\", scope=\"{scope}\""),
            ));
        }
        Error::TooMany { retry_after, .. } => {
            response.set_header(Header::new("Retry-After", retry_after.to_string()));
        }
        Error::MethodNotAllowed(methods) => {
            response.set_header(Header::new("Allow", methods.clone()));
        }
        Error::Unavailable => {
            response.set_header(Header::new("Retry-After", "5"));
        }
        _ => {}
    }
}

/// Everything that no handler answered: failed guards, unknown addresses, panics.
#[rocket::catch(default)]
pub fn catch(status: Status, request: &Request<'_>) -> Result<Failure, Moved> {
    if let Some(error) = Scene::of(request).take_failure() {
        return Ok(error.into());
    }
    // 422 is Rocket's answer to a path whose id is no number: no such thing stands here.
    if status == Status::NotFound || status == Status::UnprocessableEntity {
        if let Some(moved) = Moved::of(request) {
            return Err(moved);
        }
        let methods = methods_here(request);
        let error =
            if methods.is_empty() { Error::NotFound } else { Error::MethodNotAllowed(methods) };
        return Ok(error.into());
    }
    Ok(match status.code {
        401 => Error::LoggedOut,
        403 => Error::Forbidden("You may not do this."),
        413 => Error::TooLarge,
        code @ 400..500 => Error::Malformed(format!("the request is not understood ({code})")),
        503 => Error::Unavailable,
        code => Error::Internal(format!("answered with status {code}")),
    }
    .into())
}

/// A trailing slash reaches the same page: 308 keeps method and body.
pub struct Moved(String);

impl Moved {
    fn of(request: &Request<'_>) -> Option<Moved> {
        let path = request.uri().path().as_str();
        let bare = path.trim_end_matches('/');
        if bare.is_empty() || bare.len() == path.len() || bare.starts_with("//") {
            return None;
        }
        let query = request.uri().query().map(|q| format!("?{q}")).unwrap_or_default();
        Some(Moved(format!("{bare}{query}")))
    }
}

impl<'r> Responder<'r, 'static> for Moved {
    fn respond_to(self, _: &'r Request<'_>) -> response::Result<'static> {
        Response::build().status(Status::PermanentRedirect).raw_header("Location", self.0).ok()
    }
}

/// The methods, if any, that routes have at this path. Rocket itself answers 404 for them all.
fn methods_here(request: &Request<'_>) -> String {
    let path: Vec<&str> = segments(request.uri().path().as_str());
    // Pages for admins do not exist for anybody else.
    let hidden = Door::of(request) == Door::Page
        && path.first() == Some(&"admin")
        && Scene::of(request).present().is_none_or(|present| present.user.role != Role::Admin);
    if hidden {
        return String::new();
    }
    let mut methods: Vec<&str> = request
        .rocket()
        .routes()
        .filter(|route| route.rank > super::origin::RANK && fits(route.uri.path(), &path))
        .map(|route| route.method.as_str())
        .collect();
    methods.sort_unstable();
    methods.dedup();
    methods.join(", ")
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

fn fits(pattern: &str, path: &[&str]) -> bool {
    let pattern = segments(pattern);
    let rest = pattern.last().is_some_and(|last| last.ends_with("..>"));
    if rest {
        return false;
    }
    pattern.len() == path.len()
        && pattern.iter().zip(path).all(|(p, s)| match p.strip_prefix('<') {
            // The only numbers in our paths are ids.
            Some(name) if name.starts_with("id") => s.parse::<i64>().is_ok(),
            Some(_) => true,
            None => p == s,
        })
}

//! Idempotency-Key (draft-ietf-httpapi-idempotency-key-header-07): a POST to the API door that a
//! program repeats with the same key is carried out once. The same holds for a form of the page door
//! that has an id and is sent twice, by a double click or by reloading the answer.
//!
//! The body's guard begins the key, after all other guards: a replay asks for the same permission
//! as the request itself. The route then keeps the answer, or replays an earlier one.

use std::io::Cursor;
use std::time::Duration;

use rocket::http::{Header, Method, Status};
use rocket::route::{BoxFuture, Handler, Outcome, Route};
use rocket::{Data, Request, Response};
use serde::{Deserialize, Serialize};

use super::address::is_preview;
use super::state::{Progress, RequestState};
use crate::db::fenced;
use crate::error::Error;
use crate::models::base::idempotency::{self, Begun, Claim, KeyedRequest, MAX_ANSWER};
use crate::models::base::random;
use crate::models::base::site::Site;
use crate::web::cause::{Cause, RequestError};
use crate::web::door::Door;
use crate::web::public_url::PublicUrl;
use crate::web::security::cookie::{FLASH, SHOWN, name_for};

/// The request header.
pub const HEADER: &str = "Idempotency-Key";
/// The header of an answer that was given before.
pub const REPLAYED: &str = "Idempotency-Replayed";
/// Longest key, in characters.
const MAX_LENGTH: usize = 255;

/// The key: a string as in RFC 9651 §3.3.3, or its bare characters.
///
/// # Errors
/// `KeyInvalid`.
fn key(request: &Request<'_>) -> Result<Option<String>, RequestError> {
    let mut lines = request.headers().get(HEADER);
    match (lines.next(), lines.next()) {
        (None, _) => Ok(None),
        (Some(line), None) => parse(line.trim()).map(Some).ok_or(RequestError::KeyInvalid),
        _ => Err(RequestError::KeyInvalid),
    }
}

fn parse(line: &str) -> Option<String> {
    let mut key = String::new();
    match line.strip_prefix('"') {
        Some(rest) => {
            let mut rest = rest.strip_suffix('"')?.chars();
            while let Some(next) = rest.next() {
                key.push(match next {
                    '\\' => rest.next().filter(|escaped| ['"', '\\'].contains(escaped))?,
                    '"' => return None,
                    other => other,
                });
            }
        }
        None => key.push_str(line),
    }
    let is_valid =
        (1..=MAX_LENGTH).contains(&key.len()) && key.chars().all(|c| c.is_ascii_graphic());
    is_valid.then_some(key)
}

/// Whether no handler may run, because of the key.
pub fn has_ended(request: &Request<'_>) -> bool {
    RequestState::of(request).has_ended_key()
}

/// Claims the key of a POST to the API door, if it has one.
///
/// # Errors
/// What is wrong with the key; also when there is an earlier answer, which the route then sends.
pub async fn begin(request: &Request<'_>, body: &[u8]) -> Result<(), Cause> {
    if request.method() != Method::Post || Door::of(request) != Door::Api {
        return Ok(());
    }
    let began = match key(request) {
        Ok(None) => return Ok(()),
        Ok(Some(key)) => begin_with(request, &key, body).await,
        Err(error) => Err(error.into()),
    };
    if began.is_err() {
        RequestState::of(request).end_key();
    }
    began
}

async fn begin_with(request: &Request<'_>, key: &str, body: &[u8]) -> Result<(), Cause> {
    let state = RequestState::of(request);
    let site = request.rocket().state::<Site>().ok_or(Error::Unavailable)?;
    let kind = request.headers().get_one("Content-Type").unwrap_or_default();
    let head = format!("{}\n{}\n{kind}\n", request.method(), request.uri());
    let keyed = KeyedRequest {
        user_id: state.authenticated().map(|authenticated| authenticated.user.id),
        caller: &state.caller,
        key,
        content: &[head.as_bytes(), body].concat(),
    };
    match idempotency::begin(site, &keyed).await? {
        Begun::Claimed(claim) => {
            state.set_key(Progress::Claimed(claim));
            Ok(())
        }
        Begun::Answered(answer) => {
            state.set_key(Progress::Answered(answer));
            // No handler runs, and the catcher does not either.
            Err(RequestError::KeyInUse(1).into())
        }
        Begun::Running(seconds) => Err(RequestError::KeyInUse(seconds.clamp(1, 5)).into()),
        Begun::Reused => Err(RequestError::KeyReused.into()),
        Begun::Lost => Err(RequestError::AnswerLost.into()),
    }
}

/// Longest id of a form, in characters.
const MAX_FORM_ID: usize = 64;
/// How often, and how long each time, to wait for the first of two equal forms.
const WAITS: usize = 100;
const WAIT: Duration = Duration::from_millis(100);

/// Claims the id of a form. A form with other fields is another one, also with the same id: whoever
/// goes back and changes it wants to send it again.
///
/// # Errors
/// `FormSent` when the first one takes too long, or when its answer is lost; also when there is an
/// earlier answer, which the route then sends.
pub async fn begin_form(request: &Request<'_>, id: &str, body: &[u8]) -> Result<(), Cause> {
    let is_id = id.len() <= MAX_FORM_ID && id.bytes().all(|b| b.is_ascii_alphanumeric());
    // A preview changes nothing.
    if !is_id || id.is_empty() || is_preview(request) {
        return Ok(());
    }
    let key = format!("form {id} {}", random::sha256(body));
    for _ in 0..WAITS {
        match begin_with(request, &key, body).await {
            Err(Cause::Request(RequestError::KeyInUse(_))) if !has_ended(request) => {
                tokio::time::sleep(WAIT).await;
            }
            // What the form does has its own limit.
            Err(Cause::Site(Error::TooManyRequests { .. })) => return Ok(()),
            Err(Cause::Request(RequestError::KeyInUse(_))) => break,
            Err(Cause::Request(RequestError::AnswerLost)) => break,
            began => return began,
        }
    }
    RequestState::of(request).end_key();
    Err(RequestError::FormSent.into())
}

/// These routes; POSTs of the API door and forms keep and replay answers.
pub fn idempotent(routes: Vec<Route>) -> Vec<Route> {
    let wrap = |mut route: Route| {
        if route.method != Method::Get {
            route.handler = Box::new(Idempotent(route.handler));
        }
        route
    };
    routes.into_iter().map(wrap).collect()
}

#[derive(Clone)]
struct Idempotent(Box<dyn Handler>);

impl Handler for Idempotent {
    fn handle<'r, 'life0, 'life1, 'async_trait>(
        &'life0 self,
        request: &'r Request<'life1>,
        data: Data<'r>,
    ) -> BoxFuture<'async_trait, Outcome<'r>>
    where
        'r: 'async_trait,
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let is_page = Door::of(request) == Door::Page;
            if !is_page && !request.headers().contains(HEADER) {
                return self.0.handle(request, data).await;
            }
            let outcome = fenced(self.0.handle(request, data)).await;
            match (RequestState::of(request).take_key(), outcome) {
                (Some(Progress::Answered(answer)), _) => replay(&answer),
                (Some(Progress::Claimed(claim)), outcome) => settle(request, claim, outcome).await,
                (_, outcome) => outcome,
            }
        })
    }
}

/// The status and the headers of an answer, before its body.
#[derive(Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

/// Keeps the answer if something was done. An error has changed nothing, so that the same key can
/// be used again, also for a corrected request.
async fn settle<'r>(request: &Request<'_>, claim: Claim, outcome: Outcome<'r>) -> Outcome<'r> {
    let Some(site) = request.rocket().state::<Site>() else { return outcome };
    let (settled, outcome) = match outcome {
        Outcome::Success(mut response) if is_done(request, response.status()) => {
            let settled = match answer(request, &mut response).await {
                Some(answer) => idempotency::keep(site, &claim, &answer).await,
                None => idempotency::abandon(site, &claim).await,
            };
            (settled, Outcome::Success(response))
        }
        // After a failure, nobody knows what was changed.
        Outcome::Success(response) if response.status().code >= 500 => {
            (idempotency::abandon(site, &claim).await, Outcome::Success(response))
        }
        other => (idempotency::release(site, &claim).await, other),
    };
    if let Err(error) = settled {
        // The claim ends by itself. If something was changed, a retry is told that the answer is lost.
        let request_id = RequestState::of(request).caller.request_id.as_str();
        tracing::warn!(request_id, %error, "the answer for retries was not stored");
    }
    outcome
}

/// Whether something was done. The page door then redirects, or shows what it has created.
fn is_done(request: &Request<'_>, status: Status) -> bool {
    match Door::of(request) {
        Door::Page => [Status::SeeOther, Status::Created].contains(&status),
        Door::Api => status.class().is_success(),
    }
}

/// What is stored of an answer; `None` if it is too large.
async fn answer(request: &Request<'_>, response: &mut Response<'_>) -> Option<Vec<u8>> {
    let headers = response.headers().iter();
    let mut headers: Vec<(String, String)> =
        headers.map(|h| (h.name().to_string(), h.value().to_owned())).collect();
    // Rocket adds cookies later. The browser ignores the first answer to a form that it sends twice.
    let cookies = [FLASH, SHOWN].into_iter().filter_map(|name| {
        let name = name_for(name, request.rocket().state::<PublicUrl>()?);
        request.cookies().get_pending(&name)
    });
    headers.extend(cookies.map(|cookie| ("Set-Cookie".to_owned(), cookie.to_string())));
    let head = Head { status: response.status().code, headers };
    let mut stored = serde_json::to_vec(&head).ok()?;
    stored.push(b'\n');
    if response.body_mut().size().await.is_none_or(|size| size > MAX_ANSWER) {
        return None;
    }
    let body = response.body_mut().to_bytes().await.ok()?;
    stored.extend(&body);
    response.set_sized_body(body.len(), Cursor::new(body));
    Some(stored)
}

fn replay<'r>(stored: &[u8]) -> Outcome<'r> {
    let (head, body) = stored.split_at(stored.iter().position(|b| *b == b'\n').unwrap_or(0));
    let Ok(Head { status, headers }) = serde_json::from_slice(head) else {
        return Outcome::Error(Status::InternalServerError);
    };
    let mut response = Response::build();
    response.status(Status::new(status));
    for (name, value) in headers {
        response.header_adjoin(Header::new(name, value));
    }
    response.header(Header::new(REPLAYED, "true"));
    let body = body.get(1..).unwrap_or_default().to_vec();
    if !body.is_empty() {
        response.sized_body(body.len(), Cursor::new(body));
    }
    Outcome::Success(response.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_a_string_or_bare() {
        for (line, key) in
            [(r#""8e03978e""#, "8e03978e"), ("8e03978e", "8e03978e"), (r#""a\"b\\""#, r#"a"b\"#)]
        {
            assert_eq!(parse(line).as_deref(), Some(key), "{line}");
        }
        assert!(parse(&"x".repeat(255)).is_some());
        let long = "x".repeat(256);
        for wrong in [
            "",
            "\"\"",
            "\"",
            "\"a",
            "a b",
            "\"a b\"",
            "\"a\"b\"",
            "é",
            "\"a\\x\"",
            "\"a\"; b=1",
            &long,
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}

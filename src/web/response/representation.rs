//! A finished answer: its headers, its body, and the body compressed in each way that was asked for.

use std::io::Cursor;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use rocket::Request;
use rocket::http::{Header, Status};
use rocket::response::{Builder, Response};

use super::encoding::{Encoding, accepted, compress};
use super::reply::etag;
use crate::web::door::{API, Door};
use crate::web::request::conditional::is_known;
use crate::web::request::state::RequestState;
use crate::web::security::cookie;

/// Smaller bodies are not compressed, in bytes.
const MIN_COMPRESSED: usize = 1_000;
/// Brotli's quality at which compressing takes about as long as rendering.
const QUALITY: u32 = 5;

/// A shared cache keeps it for a second; a browser asks each time whether it is still current.
const PUBLIC: &str = "public, max-age=0, must-revalidate, s-maxage=1";

/// By what a shared cache finds the answer when it is told to forget it: all answers have `content`, and
/// that of `/posts/7` has `posts-7`, at either door and whatever words follow in the address of the page.
fn surrogate_keys(request: &Request<'_>) -> String {
    let path = request.uri().path().as_str();
    let path = path.strip_prefix(API).unwrap_or(path).trim_matches('/');
    let has_slug = request.route().is_some_and(|route| route.uri.path().ends_with("/<slug>"));
    let path = path.rsplit_once('/').filter(|_| has_slug).map_or(path, |(path, _)| path);
    match path {
        "" => "content".to_owned(),
        _ => format!("content {}", path.replace('/', "-")),
    }
}

/// A finished answer with status 200.
pub struct Representation {
    /// Without those of its coding.
    headers: Vec<(String, String)>,
    tag: String,
    body: Arc<[u8]>,
    /// Where the id of a form stands in the body. It is another one each time: forms with the same id
    /// and text count as one that was sent twice.
    form_id: Option<Range<usize>>,
    brotli: OnceLock<Arc<[u8]>>,
    gzip: OnceLock<Arc<[u8]>>,
}

impl Representation {
    /// Takes the headers and the body of an answer, unless the body is larger than `max` bytes or of
    /// unknown size. It may hold one form with the id that this request has.
    pub async fn of(
        request: &Request<'_>,
        response: &mut Response<'_>,
        max: usize,
    ) -> Option<Representation> {
        if response.body().preset_size().is_none_or(|size| size > max) {
            return None;
        }
        let body: Arc<[u8]> = response.body_mut().to_bytes().await.ok()?.into();
        let headers = response.headers().iter().filter(|header| header.name() != "ETag");
        let headers = headers.map(|h| (h.name().to_string(), h.value().to_owned())).collect();
        let tag = response.headers().get_one("ETag").map(str::to_owned);
        Some(Representation {
            headers,
            tag: tag.unwrap_or_else(|| etag(None, &body)),
            form_id: place_of(RequestState::of(request).form_id(), &body),
            body,
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        })
    }

    /// What it may take in memory, in bytes: the compressed bodies are smaller than the body.
    pub fn size(&self) -> usize {
        2 * self.body.len()
    }

    /// In the coding that the client prefers, or 304 if it has that already. What is `public` may be kept
    /// by whoever passes it on, for as long as another instance would take to notice a change.
    pub fn response<'r>(&self, request: &Request<'_>, is_public: bool) -> Response<'r> {
        // Nothing that is sent to somebody with credentials is compressed, whether they count here or
        // not: neither here nor by a proxy (BREACH).
        let has_credentials =
            request.headers().contains("Authorization") || cookie::token(request).is_some();
        let is_compressible = !has_credentials && self.body.len() >= MIN_COMPRESSED;
        let encoding = accepted(request).filter(|_| is_compressible);
        let encoded = encoding.and_then(|encoding| Some((encoding, self.encoded(encoding)?)));
        // The same tag, but weak (RFC 9110 §8.8.1): the bytes differ.
        let form_id = self.form_id.is_some().then(|| RequestState::of(request).form_id());
        let tag = match (&encoded, form_id) {
            (Some(_), _) => format!("W/{}", self.tag),
            // Another form each time.
            (None, Some(id)) => format!("\"{id}\""),
            (None, None) => self.tag.clone(),
        };
        let is_known = request.headers().contains("If-None-Match") && is_known(request, &tag);

        let mut response = Response::build();
        for (name, value) in &self.headers {
            // It describes the body.
            if !(is_known && name.eq_ignore_ascii_case("Content-Type")) {
                response.header_adjoin(Header::new(name.clone(), value.clone()));
            }
        }
        let vary = match Door::of(request) {
            Door::Page => "Cookie, Accept-Encoding",
            Door::Api => "Authorization, Accept-Encoding",
        };
        response.header_adjoin(Header::new("Vary", vary));
        if is_public {
            response.header(Header::new("Cache-Control", PUBLIC));
            response.header(Header::new("Surrogate-Key", surrogate_keys(request)));
        }
        response.header(Header::new("ETag", tag));
        match encoded {
            _ if is_known => {
                response.status(Status::NotModified);
            }
            Some((encoding, body)) => {
                response.header(Header::new("Content-Encoding", encoding.name()));
                send(&mut response, body);
            }
            None => match form_id.zip(self.form_id.as_ref()) {
                Some((id, place)) => send(&mut response, self.with_form(id, place)),
                None => send(&mut response, self.body.clone()),
            },
        }
        response.finalize()
    }

    /// With the id of a form in its place.
    fn with_form(&self, id: &str, place: &Range<usize>) -> Arc<[u8]> {
        [&self.body[..place.start], id.as_bytes(), &self.body[place.end..]].concat().into()
    }

    /// Compressed once. `None` if that fails.
    fn encoded(&self, encoding: Encoding) -> Option<Arc<[u8]>> {
        let kept = match encoding {
            Encoding::Brotli => &self.brotli,
            Encoding::Gzip => &self.gzip,
        };
        if let Some(known) = kept.get() {
            return Some(known.clone());
        }
        let made = compress(encoding, &self.body, QUALITY).ok()?;
        Some(kept.get_or_init(|| made.into()).clone())
    }
}

/// Where an id stands in a text.
fn place_of(id: &str, text: &[u8]) -> Option<Range<usize>> {
    let start = std::str::from_utf8(text).ok()?.find(id).filter(|_| !id.is_empty())?;
    Some(start..start + id.len())
}

fn send(response: &mut Builder<'_>, body: Arc<[u8]>) {
    response.sized_body(body.len(), Cursor::new(body));
}

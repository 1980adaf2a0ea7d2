//! Templates and static files, embedded in a release build and read from disk in a debug build.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Cursor;
use std::path::Path;
use std::sync::{LazyLock, Mutex, PoisonError};

use rocket::Request;
use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder, Response};
use rocket_dyn_templates::Engines;
use rust_embed::{EmbeddedFile, RustEmbed};
use tera::{Tera, Value};

use super::messages;
use crate::error::Error;
use crate::models::base::random;

#[derive(RustEmbed)]
#[folder = "templates/"]
#[include = "*.html"]
struct Templates;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// Registers all templates, and the functions that they call, with Tera.
///
/// # Errors
/// When a template cannot be parsed.
pub fn templates(engines: &mut Engines) -> Result<(), Box<dyn std::error::Error>> {
    let mut texts = Vec::new();
    for name in Templates::iter() {
        let file = Templates::get(&name).ok_or_else(|| format!("{name} disappeared"))?;
        texts.push((name.into_owned(), String::from_utf8(file.data.into_owned())?));
    }
    engines.tera = parsed(texts)?;
    engines.tera.register_function("asset", AssetAddress);
    engines.tera.register_function("event_name", event_name);
    engines.tera.register_function("form_id", form_id);
    Ok(())
}

/// The sources of templates by name, and the parsed templates.
struct Parsed {
    texts: Vec<(String, String)>,
    tera: Tera,
}

/// Parses templates, unless they are the same as the last time: parsing is expensive, and a debug
/// build calls this for each test's site and whenever a file has changed.
fn parsed(texts: Vec<(String, String)>) -> tera::Result<Tera> {
    static PARSED: Mutex<Option<Parsed>> = Mutex::new(None);
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    match &*parsed {
        Some(known) if known.texts == texts => Ok(known.tera.clone()),
        _ => {
            let mut tera = Tera::default();
            // The names keep their `.html`, which makes Tera escape HTML.
            tera.add_raw_templates(texts.iter().map(|(name, text)| (name, text)))?;
            *parsed = Some(Parsed { texts, tera: tera.clone() });
            Ok(tera)
        }
    }
}

/// `{{ event_name(kind=event.kind) }}`: the display name of a kind of audit event.
fn event_name(arguments: &HashMap<String, Value>) -> tera::Result<Value> {
    let kind = arguments.get("kind").and_then(Value::as_str).unwrap_or_default();
    Ok(Value::String(messages::event(kind)))
}

/// `{{ form_id() }}`: another id for each form. Without randomness, a form has none.
fn form_id(_: &HashMap<String, Value>) -> tera::Result<Value> {
    Ok(Value::String(random::id().unwrap_or_default()))
}

/// `{{ asset(path="css/base.css") }}`: the URL of a static file.
struct AssetAddress;

impl tera::Function for AssetAddress {
    fn call(&self, arguments: &HashMap<String, Value>) -> tera::Result<Value> {
        let path = arguments.get("path").and_then(Value::as_str).unwrap_or_default();
        match address(path) {
            Some(address) => Ok(Value::String(address)),
            None => Err(format!("there is no static file {path:?}").into()),
        }
    }

    /// The output contains only names of our own files.
    fn is_safe(&self) -> bool {
        true
    }
}

/// The URL of a static file, with a fingerprint of its contents, so that it can be cached for ever.
fn address(path: &str) -> Option<String> {
    static KNOWN: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        Static::iter()
            .filter_map(|path| Some((path.to_string(), fingerprint(&Static::get(&path)?))))
            .collect()
    });
    let fingerprint = if cfg!(debug_assertions) {
        fingerprint(&Static::get(path)?)
    } else {
        KNOWN.get(path)?.clone()
    };
    Some(format!("/static/{path}?v={fingerprint}"))
}

/// The first 64 bits of the contents' SHA-256, in hexadecimal.
fn fingerprint(file: &EmbeddedFile) -> String {
    file.metadata.sha256_hash()[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A static file, as a response.
pub struct Asset {
    data: Cow<'static, [u8]>,
    kind: ContentType,
    fingerprint: String,
    /// The same, compressed with Brotli. It stands beside large files under their name and `.br`.
    compressed: Option<Cow<'static, [u8]>>,
}

impl Asset {
    /// # Errors
    /// `NotFound`. The path has passed Rocket's own guard against `..` and dot files.
    pub fn get(path: &Path) -> Result<Asset, Error> {
        let name = path.to_str().ok_or(Error::NotFound)?;
        let file = Static::get(name).ok_or(Error::NotFound)?;
        let compressed = Static::get(&format!("{name}.br")).map(|file| file.data);
        let kind = path
            .extension()
            .and_then(|extension| ContentType::from_extension(extension.to_str()?))
            .unwrap_or(ContentType::Plain);
        Ok(Asset { fingerprint: fingerprint(&file), data: file.data, kind, compressed })
    }
}

/// Whether the client can read Brotli (RFC 9110 §12.5.3). Browsers ask for it where nobody in between
/// can change the answer: over https, and on their own machine.
fn reads_brotli(request: &Request<'_>) -> bool {
    let codings = request.headers().get("Accept-Encoding").flat_map(|line| line.split(','));
    codings.map(str::trim).any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let is_refused = weight.trim().strip_prefix("q=").and_then(|q| q.parse().ok()) == Some(0.0);
        name.trim().eq_ignore_ascii_case("br") && !is_refused
    })
}

impl<'r> Responder<'r, 'static> for Asset {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let has_two = self.compressed.is_some();
        let compressed = self.compressed.filter(|_| reads_brotli(request));
        let suffix = if compressed.is_some() { "-br" } else { "" };
        let tag = format!("\"{}{suffix}\"", self.fingerprint);
        let current =
            request.uri().query().is_some_and(|q| q == format!("v={}", self.fingerprint).as_str());
        let caching = match current {
            true => "public, max-age=31536000, immutable",
            // Fonts, whose URLs in style sheets have no fingerprint.
            false if self.kind == ContentType::WOFF2 => "public, max-age=86400",
            false => "no-cache",
        };
        let mut builder = Response::build();
        builder.header(Header::new("Cache-Control", caching)).raw_header("ETag", tag.clone());
        if has_two {
            builder.raw_header("Vary", "Accept-Encoding");
        }
        if request.headers().get("If-None-Match").any(|known| known.contains(&tag)) {
            return builder.status(Status::NotModified).ok();
        }
        if compressed.is_some() {
            builder.raw_header("Content-Encoding", "br");
        }
        let data = compressed.unwrap_or(self.data);
        builder.header(self.kind).sized_body(data.len(), Cursor::new(data)).ok()
    }
}

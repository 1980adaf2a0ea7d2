//! Templates and static files, embedded in a release build and read from disk in a debug build.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error;
use std::io::Cursor;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread::JoinHandle;

use aws_lc_rs::digest;
use quick_cache::sync::Cache;
use rocket::Request;
use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder, Response};
use rocket_dyn_templates::Engines;
use rust_embed::{EmbeddedFile, RustEmbed};
use tera::{Tera, Value};

use super::encoding::{Encoding, accepted, compress};
use super::linked_data::BlogPosting;
use super::{filters, messages};
use crate::error;
use crate::models::base::random;

/// Brotli's quality for static files: the best, as each is compressed only once. A debug build, whose
/// Brotli is not optimised, takes less.
const QUALITY: u32 = if cfg!(debug_assertions) { 5 } else { 11 };

#[derive(RustEmbed)]
#[folder = "templates/"]
#[include = "*.html"]
#[exclude = "mail/*"]
struct Templates;

#[derive(RustEmbed)]
#[folder = "static/"]
struct Static;

/// Registers all templates, and the functions and filters that they use, with Tera. Parsing them takes
/// longer than anything else at a start: it begins at once, on a thread of its own.
///
/// # Errors
/// When a template cannot be parsed.
pub fn templates() -> impl Fn(&mut Engines) -> Result<(), Box<dyn Error>> + Send + Sync + 'static {
    let begun = Mutex::new(Some(std::thread::spawn(parse)));
    move |engines| {
        let begun = begun.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A debug build asks again whenever a file has changed.
        let parsed = begun.map_or_else(|| Ok(parse()), JoinHandle::join);
        engines.tera = parsed.map_err(|_| "parsing panicked")?.map_err(Box::<dyn Error>::from)?;
        engines.tera.register_function("asset", AssetAddress);
        engines.tera.register_function("blog_posting", BlogPosting);
        engines.tera.register_function("event_name", event_name);
        engines.tera.register_filter("encoded", filters::encoded);
        engines.tera.register_filter("datetime", filters::datetime);
        Ok(())
    }
}

fn parse() -> tera::Result<Tera> {
    let mut texts = Vec::new();
    for name in Templates::iter() {
        let file = Templates::get(&name).ok_or_else(|| format!("{name} disappeared"))?;
        let text = String::from_utf8(file.data.into_owned());
        texts.push((name.into_owned(), text.map_err(tera::Error::msg)?));
    }
    if cfg!(debug_assertions) { parse_once(texts) } else { parse_texts(&texts) }
}

fn parse_texts(texts: &[(String, String)]) -> tera::Result<Tera> {
    let mut tera = Tera::default();
    // The names keep their `.html`, which makes Tera escape HTML.
    tera.add_raw_templates(texts.iter().map(|(name, text)| (name, text)))?;
    Ok(tera)
}

/// The sources of templates by name, and the parsed templates.
struct Parsed {
    texts: Vec<(String, String)>,
    tera: Tera,
}

/// Parses templates, unless they are the same as the last time: a debug build has a site for each test,
/// and asks whenever a file has changed.
fn parse_once(texts: Vec<(String, String)>) -> tera::Result<Tera> {
    static PARSED: Mutex<Option<Parsed>> = Mutex::new(None);
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    match &*parsed {
        Some(known) if known.texts == texts => Ok(known.tera.clone()),
        _ => {
            let tera = parse_texts(&texts)?;
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

/// `{{ asset(path="css/site.css") }}`: the URL of a static file.
struct AssetAddress;

impl tera::Function for AssetAddress {
    fn call(&self, arguments: &HashMap<String, Value>) -> tera::Result<Value> {
        let path = arguments.get("path").and_then(Value::as_str).unwrap_or_default();
        match File::get(path) {
            Some(file) => Ok(Value::String(file.address(path))),
            None => Err(format!("there is no static file {path:?}").into()),
        }
    }

    /// The output contains only names of our own files.
    fn is_safe(&self) -> bool {
        true
    }
}

/// The style sheets of the pages, each of several files, one after the other, so that a browser waits for
/// few answers: of all pages, of all but the feed, of those with texts, and of those on which one writes.
const SHEETS: [(&str, &[&str]); 4] = [
    (
        "css/site.css",
        &["colors", "fonts", "base", "feed", "post", "search", "forms", "tags", "print"],
    ),
    ("css/pages.css", &["tables", "account", "series"]),
    ("css/reading.css", &["texts", "comments"]),
    ("css/writing.css", &["editor", "help"]),
];

/// A static file.
#[derive(Clone)]
struct File {
    data: Cow<'static, [u8]>,
    /// The first 64 bits of the contents' SHA-256, in hexadecimal.
    fingerprint: String,
}

impl File {
    fn read(name: &str) -> Option<File> {
        let text = match name.split_once('/') {
            Some(("css", _)) => shortened(&style_sheet(name)?),
            Some(("js", _)) => shortened(str::from_utf8(&Static::get(name)?.data).ok()?),
            _ => {
                // The hash was computed when the file was embedded.
                let EmbeddedFile { data, metadata } = Static::get(name)?;
                return Some(File { data, fingerprint: random::hex(&metadata.sha256_hash()[..8]) });
            }
        };
        let digest = digest::digest(&digest::SHA256, text.as_bytes());
        let fingerprint = random::hex(&digest.as_ref()[..8]);
        Some(File { data: text.into_bytes().into(), fingerprint })
    }

    /// With a fingerprint of the contents, so that it can be cached for ever.
    fn address(&self, name: &str) -> String {
        format!("/static/{name}?v={}", self.fingerprint)
    }

    /// Not copied in a release build: each page asks for the fingerprints of several.
    fn get(name: &str) -> Option<Cow<'static, File>> {
        static KNOWN: LazyLock<HashMap<String, File>> = LazyLock::new(|| {
            let names = Static::iter().chain(SHEETS.map(|(name, _)| name.into()));
            names.filter_map(|name| Some((name.to_string(), File::read(&name)?))).collect()
        });
        if cfg!(debug_assertions) {
            File::read(name).map(Cow::Owned)
        } else {
            KNOWN.get(name).map(Cow::Borrowed)
        }
    }
}

/// A style sheet, in which the files that it names have their fingerprints, too.
fn style_sheet(name: &str) -> Option<String> {
    if let Some((_, parts)) = SHEETS.iter().find(|(sheet, _)| *sheet == name) {
        return parts.iter().map(|part| style_sheet(&format!("css/{part}.css"))).collect();
    }
    let file = Static::get(name)?;
    let mut pieces = str::from_utf8(&file.data).ok()?.split("url(\"/static/");
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('"')?;
        // Not from all files that are known: this is one of them.
        text.push_str(&format!("url(\"{}\"{rest}", File::read(name)?.address(name)));
    }
    Some(text)
}

/// A style sheet or a script of ours without indentation and comments. A comment begins and ends with a
/// line, and no string goes over several lines.
fn shortened(text: &str) -> String {
    let mut is_comment = false;
    let mut kept = String::with_capacity(text.len());
    for line in text.lines().map(str::trim) {
        is_comment |= line.starts_with("/*");
        if !is_comment && !line.is_empty() && !line.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
        is_comment &= !line.ends_with("*/");
    }
    kept
}

/// A static file, as a response.
pub struct Asset {
    name: String,
    data: Cow<'static, [u8]>,
    kind: ContentType,
    fingerprint: String,
}

/// Compressed files, by the fingerprint of the file and the coding.
type Compressed = Cache<(String, Encoding), Arc<[u8]>>;

impl Asset {
    /// # Errors
    /// `NotFound`. The path has passed Rocket's own guard against `..` and dot files.
    pub fn get(path: &Path) -> error::Result<Asset> {
        let name = path.to_str().ok_or(error::Error::NotFound)?;
        let File { data, fingerprint } =
            File::get(name).ok_or(error::Error::NotFound)?.into_owned();
        let kind = path
            .extension()
            .and_then(|extension| ContentType::from_extension(extension.to_str()?))
            .unwrap_or(ContentType::Plain);
        Ok(Asset { name: name.to_owned(), fingerprint, data, kind })
    }

    fn is_text(&self) -> bool {
        self.kind.is_css() || self.kind.is_javascript() || self.kind.is_svg()
    }

    /// Compressed once. Beside large files, it lies ready under their name and `.br`.
    fn compressed(&self, encoding: Encoding) -> Option<Arc<[u8]>> {
        static KNOWN: LazyLock<Compressed> = LazyLock::new(|| Cache::new(100));
        let key = (self.fingerprint.clone(), encoding);
        let compress = || match File::get(&format!("{}.br", self.name)) {
            Some(ready) if encoding == Encoding::Brotli => Ok(Arc::from(&*ready.data)),
            _ => compress(encoding, &self.data, QUALITY).map(Arc::from),
        };
        KNOWN.get_or_insert_with(&key, compress).ok()
    }
}

impl<'r> Responder<'r, 'static> for Asset {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let encoding = accepted(request).filter(|_| self.is_text());
        let compressed =
            encoding.and_then(|encoding| Some((encoding.name(), self.compressed(encoding)?)));
        let suffix = compressed.as_ref().map_or(String::new(), |(name, _)| format!("-{name}"));
        let tag = format!("\"{}{suffix}\"", self.fingerprint);
        let current =
            request.uri().query().is_some_and(|q| q == format!("v={}", self.fingerprint).as_str());
        let caching = match current {
            true => "public, max-age=31536000, immutable",
            false => "no-cache",
        };
        let mut builder = Response::build();
        builder.header(Header::new("Cache-Control", caching)).raw_header("ETag", tag.clone());
        if self.is_text() {
            builder.raw_header("Vary", "Accept-Encoding");
        }
        if request.headers().get("If-None-Match").any(|known| known.contains(&tag)) {
            return builder.status(Status::NotModified).ok();
        }
        builder.header(self.kind);
        match compressed {
            Some((name, body)) => {
                builder.raw_header("Content-Encoding", name);
                builder.sized_body(body.len(), Cursor::new(body)).ok()
            }
            None => builder.sized_body(self.data.len(), Cursor::new(self.data)).ok(),
        }
    }
}

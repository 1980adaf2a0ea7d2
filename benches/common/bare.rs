//! A Rocket that does nothing but answer with the same bytes: what Postly is compared with.

use std::path::Path;
use std::process::Command;

use rocket::config::LogLevel;
use rocket::data::{Data, ToByteUnit};
use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Method, Status};
use rocket::route::{Handler, Outcome};
use rocket::shield::Shield;
use rocket::{Config, Request, Response, Route};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::server::{Running, free_port, start};

/// Postly's answer to a scenario.
pub struct Sample {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Sample {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str())
    }
}

/// Headers that every Rocket adds itself.
pub const ADDED: &[&str] = &["content-length", "date", "server"];

/// A Rocket with a single route, in a process of its own.
pub struct Bare {
    url: String,
    running: Running,
    _folder: TempDir,
}

impl Bare {
    pub fn start(sample: &Sample) -> Bare {
        let folder = tempfile::tempdir().unwrap();
        let head = json!({"status": sample.status, "headers": sample.headers});
        std::fs::write(folder.path().join("head"), head.to_string()).unwrap();
        std::fs::write(folder.path().join("body"), &sample.body).unwrap();
        let port = free_port();
        let running = start(
            Command::new(std::env::current_exe().unwrap())
                .args(["bare", &port.to_string()])
                .arg(folder.path()),
        );
        Bare { url: format!("http://127.0.0.1:{port}"), running, _folder: folder }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pid(&self) -> u32 {
        self.running.pid()
    }
}

/// What the process of `Bare` runs: `bare PORT FOLDER`.
pub fn run() {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let [port, folder] = arguments.as_slice() else {
        panic!("bare PORT FOLDER");
    };
    let read = |name| std::fs::read(Path::new(folder).join(name)).unwrap();
    let (status, headers): (u16, Vec<(String, String)>) = {
        let head: Value = serde_json::from_slice(&read("head")).unwrap();
        let headers = serde_json::from_value(head["headers"].clone()).unwrap();
        (serde_json::from_value(head["status"].clone()).unwrap(), headers)
    };
    let find =
        |name: &str| headers.iter().find(|(one, _)| one == name).map(|(_, value)| value.as_str());
    let kind = find("content-type").map(|kind| kind.parse().unwrap());
    let etag = find("etag").map(|tag| &*tag.to_owned().leak());
    let rest = headers.iter().filter(|(name, _)| name != "content-type");
    let route = Fixed {
        status: Status::new(status),
        kind,
        etag,
        headers: rest.cloned().collect::<Vec<_>>().leak(),
        body: read("body").leak(),
    };
    let config = Config {
        port: port.parse().unwrap(),
        log_level: LogLevel::Off,
        ..Config::release_default()
    };
    let routes: Vec<Route> = [Method::Get, Method::Post]
        .map(|method| Route::new(method, "/<path..>", route.clone()))
        .into();
    let rocket = rocket::custom(config)
        .mount("/", routes)
        // Without headers of its own: those of Postly are complete.
        .attach(Shield::new())
        .attach(AdHoc::on_liftoff("address", |rocket| {
            Box::pin(async move { println!("http://127.0.0.1:{}", rocket.config().port) })
        }));
    let _ = rocket::execute(rocket.launch());
}

#[derive(Clone)]
struct Fixed {
    status: Status,
    kind: Option<ContentType>,
    etag: Option<&'static str>,
    headers: &'static [(String, String)],
    body: &'static [u8],
}

#[rocket::async_trait]
impl Handler for Fixed {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        // Read like any handler that takes a body would.
        let _ = data.open(1.mebibytes()).into_bytes().await;
        if self.status == Status::NotModified
            && request.headers().get_one("If-None-Match") != self.etag
        {
            return Outcome::Error(Status::PreconditionRequired);
        }
        let mut response = Response::build();
        response.status(self.status);
        if let Some(kind) = &self.kind {
            response.header(kind.clone());
        }
        for (name, value) in self.headers {
            response.raw_header_adjoin(name.as_str(), value.as_str());
        }
        if !self.body.is_empty() {
            // In one chunk.
            response.max_chunk_size(self.body.len());
            response.sized_body(self.body.len(), std::io::Cursor::new(self.body));
        }
        Outcome::Success(response.finalize())
    }
}

//! The two servers that are compared.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use rocket::data::{Data, ToByteUnit};
use rocket::http::{ContentType, Method, Status};
use rocket::route::{Handler, Outcome};
use rocket::{Config, Request, Response, Route};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Scenario;
use crate::interrupt;
use crate::postgres::Cluster;

pub const PASSWORD: &str = "violet otter paddles upstream";

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A child process that ends with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits for its first line.
fn start(command: &mut Command) -> Running {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let mut running = Running(child);
    let mut line = String::new();
    let mut out = BufReader::new(running.0.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    assert!(line.contains("http://"), "the server did not start: {line}");
    // Kept open: a server that writes into a closed pipe is ended.
    std::thread::spawn(move || std::io::copy(&mut out, &mut std::io::sink()));
    running
}

/// The release binary in a folder of its own, filled with posts.
pub struct Postly {
    url: String,
    cookie: String,
    token: String,
    _running: Running,
    place: Place,
}

/// Where a Postly lives.
struct Place {
    folder: TempDir,
    database: Option<String>,
    port: u16,
}

impl Place {
    /// The binary in these surroundings.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postly"));
        command.current_dir(self.folder.path()).env_clear().env("RUST_LOG", "error");
        command.env("ROCKET_PORT", self.port.to_string());
        // One client writes and logs in as often as it can.
        command.env(
            "POSTLY_LIMITS",
            "posts=100000000/h, posts-address=100000000/h, sessions=100000000/h, sessions-address=100000000/h, login-account=100000000/h, login-address=100000000/h",
        );
        if let Some(url) = &self.database {
            command.env("DATABASE_URL", url);
            command.env("POSTLY_SECRET_KEY", "p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6");
        }
        command
    }

    fn add(&self, name: &str) {
        let mut command = self.command();
        command.args(["user", "add", name]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut add = command.spawn().unwrap();
        add.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(add.wait().unwrap().success());
        interrupt::check();
    }
}

impl Postly {
    pub fn start(cluster: Option<&Cluster>, posts: u64) -> Postly {
        Postly::with(cluster, posts, &[], &[])
    }

    /// With these options, and with these people besides; all have the same password.
    pub fn with(
        cluster: Option<&Cluster>,
        posts: u64,
        options: &[(&str, &str)],
        people: &[String],
    ) -> Postly {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { folder, database: cluster.map(Cluster::database), port: free_port() };
        let posts = posts.to_string();
        let filled = place.command().args(["demo", "--posts", &posts]).output().unwrap();
        interrupt::check();
        assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
        place.add("bench");
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for some in people.chunks(people.len().div_ceil(cores).max(1)) {
                let place = &place;
                scope.spawn(move || some.iter().for_each(|name| place.add(name)));
            }
        });

        let running = start(place.command().envs(options.iter().copied()));
        let url = format!("http://127.0.0.1:{}", place.port);
        let mut granted = ureq::post(format!("{url}/api/v1/auth/login"))
            .send_json(json!({"username": "bench", "password": PASSWORD}))
            .unwrap();
        let token: Value = granted.body_mut().read_json().unwrap();
        let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
        let entered = agent
            .post(format!("{url}/login"))
            .header("Origin", &url)
            .send_form([("username", "bench"), ("password", PASSWORD)])
            .unwrap();
        let cookie = entered
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
            .find(|cookie| cookie.starts_with("postly="))
            .unwrap()
            .to_owned();
        // An access token would not last as long as a benchmark.
        let mut made = ureq::post(format!("{url}/api/v1/me/tokens"))
            .header("Authorization", format!("Bearer {}", token["access_token"].as_str().unwrap()))
            .send_json(json!({"name": "bench", "scopes": "posts:read posts:write account"}))
            .unwrap();
        let token: Value = made.body_mut().read_json().unwrap();
        let token = token["token"].as_str().unwrap().to_owned();
        Postly { url, cookie, token, _running: running, place }
    }

    /// Runs a command of the binary beside the server.
    pub fn command(&self, arguments: &[&str]) {
        let done = self.place.command().args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn scenarios(&self) -> Vec<Scenario> {
        let bearer = || ("Authorization", format!("Bearer {}", self.token));
        let cookie = || ("Cookie", self.cookie.clone());
        let json = || ("Content-Type", "application/json".to_owned());
        let get = |name, path: &str, headers| Scenario {
            name,
            method: "GET",
            path: path.to_owned(),
            headers,
            body: None,
        };
        let post = |name, path: &str, headers, body: Value| Scenario {
            name,
            method: "POST",
            path: path.to_owned(),
            headers,
            body: Some(body.to_string()),
        };
        let login = json!({"username": "bench", "password": PASSWORD});
        let draft = json!({"title": "A measured post", "content": "Some *words*.\n\nAnd more."});
        vec![
            get("feed page", "/", vec![]),
            get("feed JSON", "/api/v1/posts", vec![]),
            get("post page", "/posts/500", vec![]),
            get("post JSON", "/api/v1/posts/500", vec![]),
            get("feed page, signed in", "/", vec![cookie()]),
            get("feed JSON, signed in", "/api/v1/posts", vec![bearer()]),
            post("log-in (bcrypt, cost 12)", "/api/v1/auth/login", vec![json()], login),
            post("writing a post", "/api/v1/posts", vec![bearer(), json()], draft),
        ]
    }

    /// Postly's answer to a scenario: status, content type and bytes.
    pub fn sample(&self, scenario: &Scenario) -> Sample {
        let mut request = ureq::http::Request::builder()
            .method(scenario.method)
            .uri(format!("{}{}", self.url, scenario.path));
        for (name, value) in &scenario.headers {
            request = request.header(*name, value);
        }
        let body = scenario.body.clone().unwrap_or_default();
        let mut answer = match scenario.method {
            "GET" => ureq::run(request.body(()).unwrap()).unwrap(),
            _ => ureq::run(request.body(body).unwrap()).unwrap(),
        };
        Sample {
            status: answer.status().as_u16(),
            kind: answer.headers()["content-type"].to_str().unwrap().to_owned(),
            body: answer.body_mut().read_to_vec().unwrap(),
        }
    }
}

pub struct Sample {
    status: u16,
    kind: String,
    body: Vec<u8>,
}

/// A Rocket with a single route, in a process of its own.
pub struct Bare {
    url: String,
    _running: Running,
    _file: tempfile::NamedTempFile,
}

impl Bare {
    pub fn start(sample: Sample) -> Bare {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&sample.body).unwrap();
        let port = free_port();
        let running = start(
            Command::new(std::env::current_exe().unwrap())
                .arg("bare")
                .args([port.to_string(), sample.status.to_string(), sample.kind])
                .arg(file.path()),
        );
        Bare { url: format!("http://127.0.0.1:{port}"), _running: running, _file: file }
    }

    pub fn url(&self) -> &str {
        &self.url
    }
}

/// What the process of `Bare` runs: `bare PORT STATUS CONTENT-TYPE FILE`.
pub fn bare() {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let [port, status, kind, file] = arguments.as_slice() else {
        panic!("bare PORT STATUS CONTENT-TYPE FILE");
    };
    let mut body = Vec::new();
    std::fs::File::open(file).unwrap().read_to_end(&mut body).unwrap();
    let route = Fixed {
        status: Status::new(status.parse().unwrap()),
        kind: kind.parse().unwrap(),
        body: body.leak(),
    };
    let config = Config {
        port: port.parse().unwrap(),
        log_level: rocket::config::LogLevel::Off,
        ..Config::release_default()
    };
    let routes: Vec<Route> = [Method::Get, Method::Post]
        .map(|method| Route::new(method, "/<path..>", route.clone()))
        .into();
    let rocket =
        rocket::custom(config)
            .mount("/", routes)
            .attach(rocket::fairing::AdHoc::on_liftoff("address", |rocket| {
                Box::pin(async move { println!("http://127.0.0.1:{}", rocket.config().port) })
            }));
    let _ = rocket::execute(rocket.launch());
}

#[derive(Clone)]
struct Fixed {
    status: Status,
    kind: ContentType,
    body: &'static [u8],
}

#[rocket::async_trait]
impl Handler for Fixed {
    async fn handle<'r>(&self, _: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        // Read like any handler that takes a body would.
        let _ = data.open(1.mebibytes()).into_bytes().await;
        let response = Response::build()
            .status(self.status)
            .header(self.kind.clone())
            .sized_body(self.body.len(), std::io::Cursor::new(self.body))
            .finalize();
        Outcome::Success(response)
    }
}

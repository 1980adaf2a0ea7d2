//! The real binary, and clients that call it over the network.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::Request;

use super::internals::Db;
use super::{ORIGIN, PASSWORD, SECRET, database, encode};

/// Limits that nobody reaches.
const WIDE_LIMITS: &str = "posts=100000/h, posts-address=100000/h, edits=100000/h, \
    edits-address=100000/h, drafts=100000/h, drafts-address=100000/h, votes=100000/h, votes-address=100000/h, \
    sessions=100000/h, sessions-address=100000/h";

/// A folder and perhaps a database, for any number of instances.
pub struct Site {
    pub folder: TempDir,
    /// Without one, an instance creates its SQLite file in the folder.
    database: Option<String>,
}

impl Site {
    /// With a migrated database on the engine under test.
    pub fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let url = wait_for(database::migrated(folder.path()));
        Site { folder, database: Some(url) }
    }

    /// With an empty database on the engine under test.
    pub fn empty() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let url = wait_for(database::empty(folder.path()));
        Site { folder, database: Some(url) }
    }

    /// On a database that exists, or not.
    pub fn on(url: String) -> Site {
        Site { folder: tempfile::tempdir().unwrap(), database: Some(url) }
    }

    /// On a SQLite file, whatever the engine under test, that does not exist yet.
    pub fn sqlite() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("site.db").display());
        Site { folder, database: Some(url) }
    }

    /// An empty folder, nothing configured.
    pub fn unconfigured() -> Site {
        Site { folder: tempfile::tempdir().unwrap(), database: None }
    }

    /// On a copy of this SQLite file.
    pub fn copy_of(file: &Path) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("postly.db");
        std::fs::copy(file, &copy).unwrap();
        Site { folder, database: Some(format!("sqlite:{}", copy.display())) }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn is_sqlite(&self) -> bool {
        self.database.as_ref().is_none_or(|url| url.starts_with("sqlite:"))
    }

    /// `DATABASE_URL`.
    pub fn url(&self) -> &str {
        self.database.as_ref().expect("a site with a database")
    }

    /// The name of the database, or of its file.
    pub fn database_name(&self) -> String {
        let url = self.database.as_deref().unwrap_or("postly.db");
        url.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// `program`, in the folder and with the environment of this site.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("POSTLY_BCRYPT_COST", "4")
            // One person writes a lot here; limits have their own tests.
            .env("POSTLY_LIMITS", WIDE_LIMITS)
            .env("ROCKET_PORT", "0")
            .stdin(Stdio::null());
        if let Some(url) = &self.database {
            command
                .env("DATABASE_URL", url)
                .env("POSTLY_SECRET_KEY", SECRET)
                // Fixed, so that a token outlives the instance that issued it.
                .env("POSTLY_PUBLIC_URL", ORIGIN)
                .env("RUST_LOG", "error");
        }
        command
    }

    pub fn postly(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_postly"))
    }

    pub fn start(&self) -> Server {
        Starting::of(&mut self.postly()).ready()
    }

    /// What `serve` says when it must refuse. It listens at a port that is taken, so that it ends
    /// even if it does not.
    pub fn refuses_to_serve(&self) -> Output {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        run(self.postly().env("ROCKET_PORT", port), "")
    }

    /// Runs a command of the binary to completion.
    pub fn run(&self, arguments: &[&str], input: &str) -> Output {
        run(self.postly().args(arguments), input)
    }

    /// The database itself, bypassing the server.
    pub async fn db(&self) -> Db {
        let url = self.database.as_ref().expect("a site with a database");
        Db::connect(url, 2, Duration::from_secs(10)).await.unwrap()
    }
}

/// The exit status of a command, and everything that it printed.
pub struct Output {
    pub status: ExitStatus,
    pub text: String,
    /// Standard output alone.
    pub stdout: String,
}

/// Runs a command to completion, with this input.
pub fn run(command: &mut Command, input: &str) -> Output {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().unwrap();
    // A command that needs no input may already have ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Output { status: output.status, text: lossy(&text), stdout: lossy(&output.stdout) }
}

/// A server that is starting.
pub struct Starting(Child);

impl Starting {
    pub fn of(command: &mut Command) -> Starting {
        Starting(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Writes its log to a file.
    pub fn logging_to(command: &mut Command, log: &Path) -> Starting {
        let log = File::create(log).unwrap();
        Starting(command.stdout(Stdio::piped()).stderr(log).spawn().unwrap())
    }

    /// Waits until it prints its address.
    pub fn ready(mut self) -> Server {
        let mut stdout = BufReader::new(self.0.stdout.take().unwrap());
        if let Some(stderr) = self.0.stderr.take() {
            // The log of a failing test is shown.
            let lines = BufReader::new(stderr).lines().map_while(Result::ok);
            std::thread::spawn(move || lines.for_each(|line| eprintln!("{line}")));
        }
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("Postly is at ") else {
            panic!("it did not start: {line}{:?}", self.0.wait());
        };
        Server { child: self.0, url: url.to_owned(), _stdout: stdout }
    }
}

/// A running server, killed when dropped.
pub struct Server {
    pub child: Child,
    pub url: String,
    /// Kept open: printing into a closed pipe would end the server.
    _stdout: BufReader<ChildStdout>,
}

impl Server {
    pub fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Sends a signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id()]).status();
        assert!(sent.expect("kill is missing: apt-get install procps").success());
    }

    /// A person without an account.
    pub fn nobody(&self) -> Caller {
        // A new connection for each request, so that none breaks because it was idle.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .timeout_global(Some(DEADLINE));
        Caller { agent: config.build().into(), url: self.url.clone(), token: None, cookie: None }
    }

    /// A new user, logged in at both doors.
    pub fn newcomer(&self, name: &str) -> Caller {
        let account = json!({"username": name, "password": PASSWORD});
        let mut caller = self.nobody();
        assert_eq!(
            caller.api("POST", "/auth/register", Some(account.clone())).unwrap().status,
            201
        );
        caller.log_in(account);
        let by_form = caller.page("/login", &[("username", name), ("password", PASSWORD)]).unwrap();
        assert_eq!(by_form.status, 303);
        caller.cookie = by_form.cookie;
        caller
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of a server, over the network.
#[derive(Clone)]
pub struct Caller {
    agent: Agent,
    url: String,
    pub token: Option<String>,
    cookie: Option<String>,
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub json: Value,
    cookie: Option<String>,
}

impl Caller {
    /// The same person at another instance.
    pub fn at(&self, server: &Server) -> Caller {
        self.through(server.url.clone())
    }

    /// The same person, through a proxy.
    pub fn through(&self, url: String) -> Caller {
        Caller { url, ..self.clone() }
    }

    /// The value of the session cookie.
    pub fn cookie(&self) -> Option<String> {
        let pair = self.cookie.as_deref()?;
        pair.split_once('=').map(|(_, value)| value.to_owned())
    }

    /// Logs in at the API door.
    pub fn log_in(&mut self, login: Value) {
        let tokens = self.ask("POST", "/auth/login", Some(login));
        assert_eq!(tokens.status, 200, "{}", tokens.json);
        self.token = tokens.json["access_token"].as_str().map(str::to_owned);
    }

    /// A path below `/api/v1`.
    pub fn api(
        &self,
        method: &str,
        path: &str,
        json: Option<Value>,
    ) -> Result<Response, ureq::Error> {
        let request = Request::builder().method(method).uri(format!("{}/api/v1{path}", self.url));
        let request = match &self.token {
            Some(token) => request.header("Authorization", format!("Bearer {token}")),
            None => request,
        };
        match json {
            Some(json) => {
                let body = json.to_string();
                self.send(request.header("Content-Type", "application/json").body(body)?)
            }
            None => self.send(request.body(())?),
        }
    }

    /// `api`, but panics without a response.
    pub fn ask(&self, method: &str, path: &str, json: Option<Value>) -> Response {
        self.api(method, path, json).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// A page.
    pub fn get(&self, path: &str) -> Result<Response, ureq::Error> {
        self.send(Request::builder().uri(format!("{}{path}", self.url)).body(())?)
    }

    /// A form at the page door, as a browser sends it.
    pub fn page(&self, path: &str, form: &[(&str, &str)]) -> Result<Response, ureq::Error> {
        let request = Request::post(format!("{}{path}", self.url))
            .header("Origin", ORIGIN)
            .header("Content-Type", "application/x-www-form-urlencoded");
        let request = match &self.cookie {
            Some(cookie) => request.header("Cookie", cookie),
            None => request,
        };
        self.send(request.body(encode(form))?)
    }

    fn send(&self, request: Request<impl ureq::AsSendBody>) -> Result<Response, ureq::Error> {
        let mut response = self.agent.run(request)?;
        let cookie = response.headers().get_all("set-cookie").iter().find_map(|cookie| {
            let pair = cookie.to_str().ok()?.split(';').next()?;
            pair.starts_with("postly=").then(|| pair.to_owned())
        });
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string()?;
        Ok(Response { status, json: serde_json::from_str(&text).unwrap_or_default(), cookie })
    }

    /// Publishes a post and returns its id.
    pub fn posts(&self, title: &str) -> i64 {
        let created = self.ask("POST", "/posts", Some(json!({"title": title, "content": title})));
        assert_eq!(created.status, 201, "{}", created.json);
        created.json["id"].as_i64().unwrap()
    }
}

/// How long a test waits for an event before it gives up.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Checks repeatedly until the condition is true.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < DEADLINE, "this never happened: {what}");
        std::thread::yield_now();
    }
}

pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

//! The real binary on the engine under test, and those who call it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use postly::db::Db;
use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;
use ureq::http::Request;

use crate::support::{ORIGIN, PASSWORD, SECRET, database};

/// A folder and an empty database, for as many instances as wanted.
pub struct Site {
    pub folder: TempDir,
    pub database: String,
}

impl Site {
    pub fn new() -> Site {
        let folder = tempfile::tempdir().unwrap();
        let database = wait_for(database(&folder));
        Site { folder, database }
    }

    pub fn is_sqlite(&self) -> bool {
        self.database.starts_with("sqlite:")
    }

    /// `program`, in the surroundings of this site.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("DATABASE_URL", &self.database)
            .env("POSTLY_SECRET_KEY", SECRET)
            // Fixed, so that a token outlives the instance that gave it.
            .env("POSTLY_PUBLIC_URL", ORIGIN)
            .env("POSTLY_BCRYPT_COST", "4")
            .env("ROCKET_PORT", "0")
            .env("RUST_LOG", "error")
            .stdin(Stdio::null());
        command
    }

    pub fn postly(&self) -> Command {
        self.command(env!("CARGO_BIN_EXE_postly"))
    }

    pub fn start(&self) -> Instance {
        Starting::of(&mut self.postly()).ready()
    }

    /// The database itself, behind the server's back.
    pub async fn db(&self) -> Db {
        Db::connect(&self.database, 2, Duration::from_secs(10)).await.unwrap()
    }
}

/// An instance on its way up.
pub struct Starting(Child);

impl Starting {
    pub fn of(command: &mut Command) -> Starting {
        Starting(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
    }

    /// Waits until it says where it is.
    pub fn ready(mut self) -> Instance {
        let mut stdout = BufReader::new(self.0.stdout.take().unwrap());
        let stderr = BufReader::new(self.0.stderr.take().unwrap());
        // The log of a test that fails is shown.
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|l| eprintln!("{l}"))
        });
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let Some(url) = line.trim().strip_prefix("Postly is at ") else {
            panic!("it did not start: {line}{:?}", self.0.wait());
        };
        Instance { child: self.0, url: url.to_owned(), _stdout: stdout }
    }
}

/// A running instance, killed with this value.
pub struct Instance {
    pub child: Child,
    pub url: String,
    /// Kept open: printing into a closed pipe would end the server.
    _stdout: BufReader<ChildStdout>,
}

impl Instance {
    pub fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// A signal by its name, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.id()]).status();
        assert!(sent.expect("kill is missing: apt-get install procps").success());
    }

    pub fn nobody(&self) -> Caller {
        // A connection for each request: none is broken for having idled.
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .timeout_global(Some(DEADLINE));
        Caller { agent: config.build().into(), url: self.url.clone(), token: None, cookie: None }
    }

    /// Somebody new, logged in at both doors.
    pub fn newcomer(&self, name: &str) -> Caller {
        let account = json!({"username": name, "password": PASSWORD});
        let mut caller = self.nobody();
        assert_eq!(
            caller.api("POST", "/auth/register", Some(account.clone())).unwrap().status,
            201
        );
        let granted = caller.api("POST", "/auth/login", Some(account)).unwrap();
        caller.token = granted.json["access_token"].as_str().map(str::to_owned);
        let entered = caller.page("/login", &[("username", name), ("password", PASSWORD)]).unwrap();
        assert_eq!(entered.status, 303);
        caller.cookie = entered.cookie;
        caller
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Somebody who calls an instance over the network.
#[derive(Clone)]
pub struct Caller {
    agent: Agent,
    url: String,
    pub token: Option<String>,
    cookie: Option<String>,
}

#[derive(Debug)]
pub struct Heard {
    pub status: u16,
    pub json: Value,
    cookie: Option<String>,
}

impl Caller {
    /// The same person, calling another instance.
    pub fn at(&self, instance: &Instance) -> Caller {
        self.through(instance.url.clone())
    }

    /// The same person, by way of a proxy.
    pub fn through(&self, url: String) -> Caller {
        Caller { url, ..self.clone() }
    }

    /// A path below `/api/v1`.
    pub fn api(&self, method: &str, path: &str, json: Option<Value>) -> Result<Heard, ureq::Error> {
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

    /// `api` that is answered.
    pub fn ask(&self, method: &str, path: &str, json: Option<Value>) -> Heard {
        self.api(method, path, json).unwrap_or_else(|e| panic!("{method} {path}: {e}"))
    }

    /// A page.
    pub fn get(&self, path: &str) -> Result<Heard, ureq::Error> {
        self.send(Request::builder().uri(format!("{}{path}", self.url)).body(())?)
    }

    /// A form at the page door, as a browser sends it.
    pub fn page(&self, path: &str, form: &[(&str, &str)]) -> Result<Heard, ureq::Error> {
        let request = Request::post(format!("{}{path}", self.url))
            .header("Origin", ORIGIN)
            .header("Content-Type", "application/x-www-form-urlencoded");
        let request = match &self.cookie {
            Some(cookie) => request.header("Cookie", cookie),
            None => request,
        };
        self.send(request.body(crate::support::encode(form))?)
    }

    fn send(&self, request: Request<impl ureq::AsSendBody>) -> Result<Heard, ureq::Error> {
        let mut response = self.agent.run(request)?;
        let cookie = response.headers().get_all("set-cookie").iter().find_map(|cookie| {
            let pair = cookie.to_str().ok()?.split(';').next()?;
            pair.starts_with("postly=").then(|| pair.to_owned())
        });
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string()?;
        Ok(Heard { status, json: serde_json::from_str(&text).unwrap_or_default(), cookie })
    }

    /// Publishes a post; gives its id.
    pub fn posts(&self, title: &str) -> i64 {
        let made = self.ask("POST", "/posts", Some(json!({"title": title, "content": title})));
        assert_eq!(made.status, 201, "{}", made.json);
        made.json["id"].as_i64().unwrap()
    }
}

/// How long a test waits for something that must come, before it gives up.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// Asks again and again until it is so.
pub fn until(what: &str, mut so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !so() {
        assert!(start.elapsed() < DEADLINE, "in vain: {what}");
        std::thread::yield_now();
    }
}

pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

//! Postly: the release binary, filled with posts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::bare::{ADDED, Sample};
use super::postgres::Cluster;
use super::{Scenario, fill, interrupt};

pub const PASSWORD: &str = "violet otter paddles upstream";

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A child process that ends with this value.
pub struct Running(Child);

impl Running {
    pub fn new(child: Child) -> Running {
        Running(child)
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to end, and waits: a server that is killed would leave its workers behind.
    pub fn terminate(&mut self) {
        let _ = Command::new("kill").arg(self.pid().to_string()).status();
        let _ = self.0.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits for its first line.
pub fn start(command: &mut Command) -> Running {
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
    admin_cookie: String,
    token: String,
    running: Running,
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
            "comments=100000000/h, comments-address=100000000/h, drafts=100000000/h, drafts-address=100000000/h, edits=100000000/h, edits-address=100000000/h, searches=100000000/h, searches-address=100000000/h, posts=100000000/h, posts-address=100000000/h, sessions=100000000/h, sessions-address=100000000/h, login-account=100000000/h, login-address=100000000/h",
        );
        if let Some(url) = &self.database {
            command.env("DATABASE_URL", url);
            command.env("POSTLY_SECRET_KEY", "p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6");
        }
        command
    }

    /// The file of an SQLite database.
    fn file(&self) -> PathBuf {
        self.folder.path().join("data/postly.db")
    }

    fn add(&self, name: &str, options: &[&str]) {
        let mut command = self.command();
        command
            .args(["user", "add", name])
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::null());
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
        // Writing a post as people do takes a while; on SQLite, copies of a thousand do as well.
        let written = if cluster.is_none() { posts.min(1_000) } else { posts };
        let demo = ["demo", "--posts", &written.to_string()].map(str::to_owned);
        let filled = place.command().args(demo).output().unwrap();
        interrupt::check();
        assert!(filled.status.success(), "{}", String::from_utf8_lossy(&filled.stderr));
        if written < posts {
            fill::copy_posts(&place.file(), posts);
            // Makes the copies searchable.
            let fixed = place.command().args(["doctor", "--fix"]).output().unwrap();
            assert!(String::from_utf8_lossy(&fixed.stdout).contains("search"), "{fixed:?}");
        }
        place.add("bench", &[]);
        place.add("chief", &["--admin"]);
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for some in people.chunks(people.len().div_ceil(cores).max(1)) {
                let place = &place;
                scope.spawn(move || some.iter().for_each(|name| place.add(name, &[])));
            }
        });

        let running = start(place.command().envs(options.iter().copied()));
        let url = format!("http://127.0.0.1:{}", place.port);
        let mut granted = ureq::post(format!("{url}/api/v1/auth/login"))
            .send_json(json!({"username": "bench", "password": PASSWORD}))
            .unwrap();
        let token: Value = granted.body_mut().read_json().unwrap();
        let [cookie, admin_cookie] = ["bench", "chief"].map(|name| enter(&url, name));
        // An access token would not last as long as a benchmark.
        let mut made = ureq::post(format!("{url}/api/v1/me/tokens"))
            .header("Authorization", format!("Bearer {}", token["access_token"].as_str().unwrap()))
            .send_json(json!({"name": "bench", "scopes": "posts:read posts:write account"}))
            .unwrap();
        let token: Value = made.body_mut().read_json().unwrap();
        let token = token["token"].as_str().unwrap().to_owned();
        Postly { url, cookie, admin_cookie, token, running, place }
    }

    /// Creates what is at this path of the API; gives its number.
    pub fn write(&self, path: &str, input: &Value) -> i64 {
        let mut made = ureq::post(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .send_json(input)
            .unwrap();
        made.body_mut().read_json::<Value>().unwrap()["id"].as_i64().unwrap()
    }

    /// Changes what is at this path of the API.
    pub fn change(&self, path: &str, input: &Value) {
        ureq::put(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {}", self.token))
            .send_json(input)
            .unwrap();
    }

    /// Runs a command of the binary beside the server.
    pub fn command(&self, arguments: &[&str]) {
        let done = self.place.command().args(arguments).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn pid(&self) -> u32 {
        self.running.pid()
    }

    /// The file of an SQLite database.
    pub fn file(&self) -> PathBuf {
        self.place.file()
    }

    pub fn admin_cookie(&self) -> (&'static str, String) {
        ("Cookie", self.admin_cookie.clone())
    }

    /// Another instance on the same database; its address comes with it.
    pub fn another(&self) -> (Running, String) {
        let port = free_port();
        let running = start(self.place.command().env("ROCKET_PORT", port.to_string()));
        (running, format!("http://127.0.0.1:{port}"))
    }

    /// Ends the server, and gives the time from the start of another one to its first answer, which
    /// takes its place.
    pub fn restart(&mut self) -> Duration {
        let _ = self.running.0.kill();
        let _ = self.running.0.wait();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.place.port));
        let began = Instant::now();
        let child = self.place.command().stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        self.running = Running(child.unwrap());
        loop {
            interrupt::check();
            assert!(self.running.0.try_wait().unwrap().is_none(), "the server ended");
            let Ok(mut stream) = TcpStream::connect(address) else {
                std::thread::sleep(Duration::from_micros(500));
                continue;
            };
            stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            let mut first = [0; 12];
            stream.read_exact(&mut first).unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            return began.elapsed();
        }
    }

    /// The path of the page of a post.
    fn page_of(&self, id: u64) -> String {
        let url = format!("{}/api/v1/posts/{id}", self.url);
        let post: Value = ureq::get(url).call().unwrap().body_mut().read_json().unwrap();
        post["path"].as_str().unwrap().to_owned()
    }

    pub fn scenarios(&self) -> Vec<Scenario> {
        let bearer = || ("Authorization", format!("Bearer {}", self.token));
        let cookie = || ("Cookie", self.cookie.clone());
        let json = || ("Content-Type", "application/json".to_owned());
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
            Scenario::get("feed page", "/", vec![]),
            Scenario::get("feed JSON", "/api/v1/posts", vec![]),
            Scenario::get("post page", &self.page_of(20), vec![]),
            Scenario::get("post JSON", "/api/v1/posts/20", vec![]),
            Scenario::get("feed page, signed in", "/", vec![cookie()]),
            Scenario::get("feed JSON, signed in", "/api/v1/posts", vec![bearer()]),
            post("log-in (bcrypt, cost 12)", "/api/v1/auth/login", vec![json()], login),
            post("writing a post", "/api/v1/posts", vec![bearer(), json()], draft),
        ]
    }

    pub fn scenario(&self, name: &str) -> Scenario {
        self.scenarios().into_iter().find(|scenario| scenario.name == name).unwrap()
    }

    /// Postly's answer to a scenario.
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
        let headers = answer.headers().iter().filter(|(name, _)| !ADDED.contains(&name.as_str()));
        Sample {
            status: answer.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            body: answer.body_mut().read_to_vec().unwrap(),
        }
    }
}

/// Gives the cookie of a session.
fn enter(url: &str, name: &str) -> String {
    let agent: ureq::Agent = ureq::Agent::config_builder().max_redirects(0).build().into();
    let entered = agent
        .post(format!("{url}/login"))
        .header("Origin", url)
        .send_form([("username", name), ("password", PASSWORD)])
        .unwrap();
    entered
        .headers()
        .get_all("set-cookie")
        .iter()
        .filter_map(|cookie| cookie.to_str().ok()?.split(';').next())
        .find(|cookie| cookie.starts_with("postly="))
        .unwrap()
        .to_owned()
}

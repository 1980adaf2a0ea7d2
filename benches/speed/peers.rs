//! The same feed on other frameworks, under `benches/peers/`.

use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::common::fill::with_connection;
use crate::common::server::{Postly, Running, free_port};
use crate::common::{Scenario, interrupt};
use crate::measure::{MANY, Side, in_turn};
use crate::{Plan, table};

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/peers");

/// The packages that the peers need, installed below `target`.
pub struct Packages {
    python: PathBuf,
    node: PathBuf,
}

impl Packages {
    /// Installs those whose versions differ from what is there.
    pub fn install() -> Packages {
        let tools = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools");
        let packages =
            Packages { python: tools.join("peers-venv"), node: tools.join("peers-node") };
        packages.install_python();
        packages.install_node();
        packages
    }

    fn install_python(&self) {
        let wanted = Path::new(SOURCE).join("requirements.txt");
        if is_installed(&self.python, &wanted) {
            return;
        }
        eprintln!("installing the Python packages of the peers");
        let _ = std::fs::remove_dir_all(&self.python);
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&self.python));
        succeed(
            Command::new(self.python.join("bin/pip"))
                .args(["install", "--quiet", "--require-hashes", "--requirement"])
                .arg(&wanted),
        );
        std::fs::copy(wanted, self.python.join(".installed")).unwrap();
    }

    fn install_node(&self) {
        let wanted = Path::new(SOURCE).join("package-lock.json");
        if !is_installed(&self.node, &wanted) {
            eprintln!("installing the Node.js packages of the peers");
            let _ = std::fs::remove_dir_all(&self.node);
            std::fs::create_dir_all(&self.node).unwrap();
            for file in ["package.json", "package-lock.json"] {
                std::fs::copy(Path::new(SOURCE).join(file), self.node.join(file)).unwrap();
            }
            // better-sqlite3 is compiled where no binary can be downloaded; Debian's headers of
            // Node.js are in /usr.
            let mut npm = Command::new("npm");
            npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
            if Path::new("/usr/include/node/node.h").exists() {
                npm.env("npm_config_nodedir", "/usr");
            }
            succeed(npm.current_dir(&self.node));
            std::fs::copy(wanted, self.node.join(".installed")).unwrap();
        }
        // Node.js looks for packages beside the program.
        let program = Path::new(SOURCE).join("fastify_feed.js");
        std::fs::copy(program, self.node.join("fastify_feed.js")).unwrap();
    }
}

fn is_installed(folder: &Path, wanted: &Path) -> bool {
    let there = std::fs::read(folder.join(".installed"));
    there.is_ok_and(|there| there == std::fs::read(wanted).unwrap())
}

fn succeed(command: &mut Command) {
    let done = command.stdin(Stdio::null()).status();
    interrupt::check();
    assert!(done.is_ok_and(|status| status.success()), "{command:?} failed");
}

/// One of them, running.
struct Peer {
    name: &'static str,
    /// The least ratios of listing and of writing.
    targets: [Option<f64>; 2],
    url: String,
    running: Running,
    _folder: TempDir,
}

impl Peer {
    fn start(
        name: &'static str,
        targets: [Option<f64>; 2],
        command: impl FnOnce(u16) -> Command,
    ) -> Peer {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("feed.db");
        fill(&database);
        let port = free_port();
        let mut command = command(port);
        command
            .current_dir(SOURCE)
            .env("FEED_DATABASE", &database)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut running = Running::new(command.spawn().unwrap());
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            interrupt::check();
            assert!(running.is_alive(), "{name} ended");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Peer { name, targets, url: format!("http://127.0.0.1:{port}"), running, _folder: folder }
    }

    fn all(packages: &Packages) -> Vec<Peer> {
        let bin = packages.python.join("bin");
        let flask = |port: u16| {
            let mut command = Command::new(bin.join("gunicorn"));
            command.args(["--workers", "2", "--log-level", "error", "--bind"]);
            command.args([&format!("127.0.0.1:{port}"), "flask_feed:app"]);
            command
        };
        let fastapi = |port: u16| {
            let mut command = Command::new(bin.join("uvicorn"));
            command.args(["--workers", "2", "--log-level", "error", "--no-access-log"]);
            command.args(["--port", &port.to_string(), "fastapi_feed:app"]);
            command
        };
        let fastify = |port: u16| {
            let mut command = Command::new("node");
            command.arg(packages.node.join("fastify_feed.js")).arg(port.to_string());
            command
        };
        vec![
            Peer::start("Flask + SQLAlchemy", [Some(20.0), Some(8.0)], flask),
            Peer::start("FastAPI + SQLAlchemy", [Some(20.0), Some(8.0)], fastapi),
            Peer::start("Fastify + better-sqlite3", [Some(3.0), None], fastify),
        ]
    }

    fn side(&self, scenario: &Scenario) -> Side {
        Side {
            url: self.url.clone(),
            pids: vec![self.running.pid()],
            scenario: Scenario { path: "/posts".to_owned(), ..scenario.clone() },
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.running.terminate();
    }
}

/// A thousand posts of three hundred characters.
fn fill(database: &Path) {
    with_connection(database, async |connection| {
        for statement in [
            "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT NOT NULL)",
            "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users, \
             title TEXT NOT NULL, content TEXT NOT NULL, excerpt TEXT NOT NULL, \
             votes INTEGER NOT NULL, published_at TEXT NOT NULL)",
            "CREATE INDEX posts_published_at ON posts (published_at, id)",
            "INSERT INTO users (username) VALUES ('ann'), ('ben'), ('cleo')",
            "INSERT INTO posts (user_id, title, content, excerpt, votes, published_at) \
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000) \
             SELECT n % 3 + 1, 'The library stairs at low water, ' || n, \
             substr(replace(hex(zeroblob(150)), '00', 'tide '), 1, 300), \
             substr(replace(hex(zeroblob(150)), '00', 'tide '), 1, 200), 0, \
             strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || (1000 - n) || ' hours') FROM numbers",
        ] {
            sqlx::query(statement).execute(&mut *connection).await.unwrap();
        }
    });
}

pub fn run(plan: &Plan, postly: &Postly, packages: &Packages) {
    let peers = Peer::all(packages);
    let rows = [("feed JSON", "the feed"), ("writing a post", "writing a post")];
    for (place, (name, what)) in rows.into_iter().enumerate() {
        let scenario = postly.scenario(name);
        let ours = Side {
            url: postly.url().to_owned(),
            pids: vec![postly.pid()],
            scenario: scenario.clone(),
        };
        let sides: Vec<Side> =
            std::iter::once(ours).chain(peers.iter().map(|peer| peer.side(&scenario))).collect();
        let found = in_turn(plan, MANY, &sides);
        for (peer, theirs) in peers.iter().zip(&found[1..]) {
            let what = format!("{what}, beside {}", peer.name);
            table::beside(&what, &found[0], theirs, peer.targets[place]);
        }
    }
}

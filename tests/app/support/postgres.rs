//! PostgreSQL servers that tests can interrupt: a TCP relay in front of the server under test, and
//! a server of the test's own.

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rocket::tokio::io::copy_bidirectional;
use rocket::tokio::net::{TcpListener, TcpStream};
use rocket::tokio::sync::watch;
use rocket::tokio::task::spawn;
use tempfile::TempDir;

use super::internals::{BACKFILLS, Db};

#[derive(Clone, Copy, PartialEq)]
enum State {
    Open,
    /// Connections are accepted, but nothing is passed on: as from a server that was stopped.
    Paused,
    /// New and existing connections are dropped.
    Closed,
}

pub struct Relay {
    /// The database's URL through the relay.
    pub url: String,
    state: Arc<watch::Sender<State>>,
}

impl Relay {
    /// A migrated database on the server under test, behind a relay.
    pub async fn to_postgres() -> Relay {
        let direct = super::database::migrated(Path::new("/nowhere")).await; // No file is needed.
        Relay::at(&direct, 0).await
    }

    /// Listens at this port, for the server of this URL.
    pub async fn at(direct: &str, port: u16) -> Relay {
        let mut url = url::Url::parse(direct).unwrap();
        let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let (sender, state) = watch::channel(State::Open);
        spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                spawn(pass_on(client, server.clone(), state.clone()));
            }
        });
        Relay { url: url.to_string(), state: Arc::new(sender) }
    }

    pub fn close(&self) {
        self.state.send_replace(State::Closed);
    }

    pub fn pause(&self) {
        self.state.send_replace(State::Paused);
    }

    pub fn open(&self) {
        self.state.send_replace(State::Open);
    }
}

async fn pass_on(mut client: TcpStream, server: String, mut state: watch::Receiver<State>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    loop {
        let now = *state.borrow_and_update();
        match now {
            State::Closed => return,
            State::Paused => state.changed().await.unwrap(),
            State::Open => rocket::tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => return,
                _ = state.wait_for(|state| *state != State::Open) => {}
            },
        }
    }
}

/// A server of a test's own, on the loopback interface.
pub struct Cluster {
    /// A migrated database.
    pub url: String,
    server: Child,
    _folder: TempDir,
}

impl Cluster {
    pub async fn start() -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
        if is_root {
            let user = Some(postgres_user());
            chown(folder.path(), user, user).unwrap();
        }
        let command = |program: &str| {
            let mut command = Command::new(programs().join(program));
            command.current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
            if is_root {
                // It refuses to run as root.
                command.uid(postgres_user()).gid(postgres_user());
            }
            command.args(["-D", "data"]);
            command
        };
        let options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "-N"];
        assert!(command("initdb").args(options).status().unwrap().success());
        let server = command("postgres")
            .args(["-p", &port.to_string(), "-k", ".", "-c", "listen_addresses=127.0.0.1"])
            .args(["-c", "fsync=off"])
            .spawn()
            .unwrap();
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
        let cluster = Cluster { url, server, _folder: folder };
        let db = loop {
            match Db::connect(&cluster.url, 2, Duration::from_secs(60)).await {
                Ok(db) => break db,
                Err(_) => rocket::tokio::task::yield_now().await,
            }
        };
        db.migrate(BACKFILLS).await.unwrap();
        db.close().await;
        cluster
    }

    /// Sends a signal to all its processes, by its name.
    pub fn signal(&self, name: &str) {
        let server = self.server.id().to_string();
        let mut processes = vec![server.clone()];
        for entry in Path::new("/proc").read_dir().unwrap() {
            let path = entry.unwrap().path();
            let Ok(stat) = std::fs::read_to_string(path.join("stat")) else { continue };
            // The name of the program, which may contain spaces, stands in parentheses.
            let rest = stat.rsplit_once(')').unwrap().1;
            if rest.split_whitespace().nth(1) == Some(&server) {
                processes.push(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
        // One may have ended in the meantime.
        let _ = Command::new("kill").args(["-s", name]).args(processes).status().unwrap();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.signal("CONT");
        // An immediate shutdown.
        let _ = Command::new("kill").args(["-s", "QUIT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

/// The folder of the newest version's programs, where Debian has them.
fn programs() -> PathBuf {
    let versions = Path::new("/usr/lib/postgresql").read_dir();
    let versions = versions.expect("PostgreSQL is missing: apt-get install postgresql");
    versions.map(|version| version.unwrap().path().join("bin")).max().unwrap()
}

/// The user that Debian runs it as; the group has the same number.
fn postgres_user() -> u32 {
    let output = Command::new("id").args(["-u", "postgres"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

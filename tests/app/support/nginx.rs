//! nginx with the configuration that Postly ships, and clients that are slow on purpose. The
//! benchmark uses this file too.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// nginx on loopback, stopped when dropped.
pub struct Nginx {
    child: Child,
    /// The address for HTTP without TLS, which the clients of the tests do not support.
    pub plain: SocketAddr,
    pub tls: SocketAddr,
    /// The address that replaces port 80.
    #[allow(dead_code, reason = "the benchmark asks nothing there")]
    pub redirect: SocketAddr,
    folder: TempDir,
}

impl Nginx {
    /// Starts it in front of the server at `upstream`, such as `127.0.0.1:8000`.
    pub fn start(upstream: &str) -> Nginx {
        Nginx::start_before(&[upstream])
    }

    /// Starts it in front of one server or of two.
    pub fn start_before(upstreams: &[&str]) -> Nginx {
        let folder = tempfile::tempdir().unwrap();
        // Its workers run as another user, who must be able to access their temporary files.
        let passable = std::os::unix::fs::PermissionsExt::from_mode(0o711);
        std::fs::set_permissions(folder.path(), passable).unwrap();
        let path = folder.path().display().to_string();
        certificate(&path);
        let [plain, tls, redirect] = free_ports();
        let text = adapted(&path, upstreams, plain, tls, redirect);
        std::fs::write(folder.path().join("nginx.conf"), text).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut child = Command::new("nginx")
            .args(["-p", &path, "-c", "nginx.conf", "-e", "stderr"])
            .args(["-g", &format!("daemon off; pid {path}/pid; error_log stderr;")])
            .env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin:/sbin")
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nginx is missing: apt-get install nginx");
        while TcpStream::connect(plain).is_err() {
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
                panic!("nginx ended ({status}): {log}");
            }
            std::thread::yield_now();
        }
        Nginx { child, plain, tls, redirect, folder }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.plain)
    }

    /// Changes the configuration to other upstreams, such as `127.0.0.1:8000 down`, reloads it and
    /// waits until no worker has the old one.
    #[allow(dead_code, reason = "the benchmark has one upstream")]
    pub fn reload(&self, upstreams: &[&str]) {
        let path = self.folder.path().display().to_string();
        let text = adapted(&path, upstreams, self.plain, self.tls, self.redirect);
        std::fs::write(self.folder.path().join("nginx.conf"), text).unwrap();
        let old = self.workers();
        let sent = Command::new("kill").args(["-s", "HUP", &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
        let start = Instant::now();
        while self.workers().iter().any(|worker| old.contains(worker)) {
            assert!(start.elapsed() < PATIENCE, "old workers do not end: {}", self.log());
            std::thread::yield_now();
        }
    }

    fn workers(&self) -> Vec<String> {
        let id = self.child.id();
        let children = format!("/proc/{id}/task/{id}/children");
        let children = std::fs::read_to_string(children).unwrap();
        children.split_whitespace().map(str::to_owned).collect()
    }

    /// What it has reported.
    #[allow(dead_code, reason = "the benchmark does not ask")]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Not killed, which would leave its workers running.
        let _ = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// The shipped configuration. Only what its header says to replace is replaced, and addresses and
/// file paths.
fn adapted(
    path: &str,
    upstreams: &[&str],
    plain: SocketAddr,
    tls: SocketAddr,
    redirect: SocketAddr,
) -> String {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/nginx.conf");
    let text = std::fs::read_to_string(shipped).unwrap();
    let mut text: String = text
        .lines()
        .filter(|line| !line.contains("listen [::]"))
        .map(|line| format!("{line}\n"))
        .collect();
    let kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {path}/{kind};"))
        .join(" ");
    for (shipped, here) in [
        ("http {", format!("http {{ access_log off; {kept}")),
        ("listen 80 default_server;", format!("listen {plain} default_server;")),
        ("listen 443 ssl default_server;", format!("listen {tls} ssl default_server;")),
        ("listen 80;", format!("listen {redirect};")),
        ("listen 443 ssl;", format!("listen {tls} ssl; listen {plain};")),
        ("/var/lib/nginx/postly", format!("{path}/static")),
        ("server 127.0.0.1:8000 ", format!("server {} ", upstreams[0])),
        ("/etc/letsencrypt/live/posts.example", path.to_owned()),
        ("posts.example", "127.0.0.1".to_owned()),
    ] {
        assert!(text.contains(shipped), "deploy/nginx.conf no longer has {shipped:?}");
        text = text.replace(shipped, &here);
    }
    if let Some(second) = upstreams.get(1) {
        // As the header says.
        let shipped = "# server 127.0.0.1:8001 ";
        assert!(text.contains(shipped), "deploy/nginx.conf no longer has {shipped:?}");
        text = text.replace(shipped, &format!("server {second} "));
    }
    text
}

fn certificate(path: &str) {
    let created = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"])
        .args(["-days", "2", "-subj", "/CN=127.0.0.1"])
        .args(["-keyout", &format!("{path}/privkey.pem"), "-out", &format!("{path}/fullchain.pem")])
        .stderr(Stdio::null())
        .status();
    assert!(created.expect("openssl is missing: apt-get install openssl").success());
}

/// Ports that nothing listens on, and that no connection of another test takes in the meantime: the
/// system takes those from 32768 up. All are kept until the last is found, so that they differ.
pub fn free_ports<const N: usize>() -> [SocketAddr; N] {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let free = || loop {
        // Another process begins elsewhere.
        let number =
            NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(101));
        let port = 10_000 + u16::try_from(number % 20_000).unwrap();
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            break listener;
        }
    };
    let held = [(); N].map(|()| free());
    held.map(|listener| listener.local_addr().unwrap())
}

/// How many clients are slow, in various ways.
pub const SLOW: usize = 1000;
/// How many requests one address may have in flight.
const BODIES: usize = 100;

/// Connections from 127.0.0.2 that never complete a request: some send a header slowly, some begin
/// a body, some send nothing where TLS is expected.
pub struct Slow {
    headers: Vec<TcpStream>,
    others: Vec<TcpStream>,
}

impl Slow {
    pub fn open(nginx: &Nginx) -> Slow {
        allow_open_files(SLOW + 1000);
        let connect = |to, text: &str| {
            let mut stream = from_elsewhere(to);
            stream.write_all(text.as_bytes()).unwrap();
            stream.set_nonblocking(true).unwrap();
            stream
        };
        let head = "POST /api/v1/posts HTTP/1.1\r\nHost: 127.0.0.1\r\n";
        let body = format!("{head}Content-Type: application/json\r\nContent-Length: 999\r\n\r\n{{");
        let header = format!("{head}X-Slow: ");
        let headers = (0..SLOW / 2).map(|_| connect(nginx.plain, &header)).collect();
        let others = (0..SLOW / 2)
            .map(|n| if n < BODIES { connect(nginx.plain, &body) } else { connect(nginx.tls, "") })
            .collect();
        Slow { headers, others }
    }

    /// Sends one more byte of each header.
    pub fn trickle(&mut self) {
        for stream in &mut self.headers {
            let _ = stream.write(b"a"); // It may already be cut off.
        }
    }

    /// How many are still connected.
    pub fn connected(&mut self) -> usize {
        let mut rest = [0; 1024];
        for streams in [&mut self.headers, &mut self.others] {
            streams.retain_mut(|stream| {
                loop {
                    match stream.read(&mut rest) {
                        Ok(0) => break false,
                        Ok(_) => {} // A response such as 408; the end follows.
                        Err(e) => break e.kind() == ErrorKind::WouldBlock,
                    }
                }
            });
        }
        self.headers.len() + self.others.len()
    }
}

/// A connection from another address of this machine, 127.0.0.2.
pub fn from_elsewhere(to: SocketAddr) -> TcpStream {
    connect_from(2, to)
}

/// A connection from 127.0.0.`host`.
pub fn connect_from(host: u8, to: SocketAddr) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stream = runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, host), 0).into()).unwrap();
        socket.connect(to).await.unwrap().into_std().unwrap()
    });
    stream.set_nonblocking(false).unwrap();
    stream
}

/// Raises this process's own limit, which is often 1,024.
fn allow_open_files(count: usize) {
    let status = Command::new("prlimit")
        .args(["--pid", &std::process::id().to_string(), &format!("--nofile={count}:")])
        .status()
        .expect("prlimit is missing: apt-get install util-linux");
    assert!(status.success(), "this machine allows no {count} open files");
}

/// Longer than the shipped configuration takes to cut slow clients off.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps sending slowly and calling `meanwhile` until all are cut off.
pub fn until_all_are_cut_off(mut slow: Slow, mut meanwhile: impl FnMut()) {
    let start = Instant::now();
    while slow.connected() > 0 {
        meanwhile();
        slow.trickle();
        assert!(start.elapsed() < PATIENCE, "{} are still connected", slow.connected());
    }
}

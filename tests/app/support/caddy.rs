//! Caddy with the configuration that Postly ships.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::nginx::free_ports;

/// Caddy on loopback, stopped when dropped.
pub struct Caddy {
    child: Child,
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Caddy {
    /// Starts it in front of the server at `upstream`, such as `127.0.0.1:8000`.
    pub fn start(upstream: &str) -> Caddy {
        let folder = tempfile::tempdir().unwrap();
        let [address] = free_ports();
        std::fs::write(folder.path().join("Caddyfile"), adapted(upstream, address)).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut child = Command::new("caddy")
            .args(["run", "--config", "Caddyfile", "--adapter", "caddyfile"])
            .current_dir(folder.path())
            // Its certificates and its last configuration.
            .env("HOME", folder.path())
            .env("XDG_DATA_HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("caddy is missing: apt-get install caddy");
        while TcpStream::connect(address).is_err() {
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
                panic!("caddy ended ({status}): {log}");
            }
            std::thread::yield_now();
        }
        Caddy { child, address, _folder: folder }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Caddy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The shipped configuration, without TLS, for these addresses. The limits on time are shorter: the
/// shipped ones would take the test two minutes. On a busy machine, an honest request can take seconds.
fn adapted(upstream: &str, address: SocketAddr) -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/Caddyfile");
    let mut text = std::fs::read_to_string(path).unwrap();
    for (shipped, here) in [
        ("\n{\n", "\n{\n\tadmin off\n\tauto_https off\n".to_owned()),
        ("\nposts.example {", format!("\nhttp://{address} {{")),
        ("header_up Host posts.example", "header_up Host 127.0.0.1".to_owned()),
        ("reverse_proxy 127.0.0.1:8000 {", format!("reverse_proxy {upstream} {{")),
    ] {
        assert!(text.contains(shipped), "deploy/Caddyfile no longer has {shipped:?}");
        text = text.replacen(shipped, &here, 1);
    }
    let short = |line: &str| match line.trim().split_once(' ')? {
        ("read_header", _) => Some("read_header 5s"),
        ("read_body", _) => Some("read_body 8s"),
        ("write", _) => Some("write 12s"),
        _ => None,
    };
    text.lines().map(|line| format!("{}\n", short(line).unwrap_or(line))).collect()
}

//! Varnish with the configuration that Postly ships.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::nginx::free_ports;

/// Varnish on loopback, stopped when dropped.
pub struct Varnish {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Varnish {
    /// Starts it in front of the server at `upstream`, with more VCL at the end.
    pub fn start(upstream: SocketAddr, more: &str) -> Varnish {
        let folder = tempfile::tempdir().unwrap();
        let [address] = free_ports();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/varnish.vcl");
        let mut text = std::fs::read_to_string(path).unwrap();
        for (shipped, here) in [
            (r#".port = "8000";"#, format!(".port = \"{}\";", upstream.port())),
            (r#".host = "127.0.0.1";"#, format!(".host = \"{}\";", upstream.ip())),
        ] {
            assert!(text.contains(shipped), "deploy/varnish.vcl no longer has {shipped:?}");
            text = text.replace(shipped, &here);
        }
        let file = folder.path().join("default.vcl");
        std::fs::write(&file, format!("{text}\n{more}")).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut child = Command::new("varnishd")
            // Without a jail, it stays the same user: its files are in a folder of that user.
            .args(["-j", "none", "-F", "-s", "malloc,16m", "-p", "thread_pools=1"])
            .args(["-a", &address.to_string(), "-n"])
            .arg(folder.path().join("work"))
            .arg("-f")
            .arg(&file)
            .env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin:/sbin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("varnish is missing: apt-get install varnish");
        while TcpStream::connect(address).is_err() {
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
                panic!("varnish ended ({status}): {log}");
            }
            std::thread::yield_now();
        }
        Varnish { child, address, _folder: folder }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Varnish {
    fn drop(&mut self) {
        // Not killed, which would leave its worker running for a moment.
        let _ = Command::new("kill").args(["-s", "TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

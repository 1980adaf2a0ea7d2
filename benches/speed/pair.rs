//! Two instances on PostgreSQL behind nginx, beside two bare Rockets behind the same nginx.

use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::common::bare::Bare;
use crate::common::postgres::Cluster;
use crate::common::server::{Postly, free_port};
use crate::measure::{MANY, Side, in_turn};
use crate::{Plan, table};

pub fn run(plan: &Plan) {
    let cluster = Cluster::start();
    let first = Postly::start(Some(&cluster), 1_000);
    let (second, second_url) = first.another();
    let proxy = Proxy::start(&[first.url(), &second_url]);
    for name in ["feed page", "feed JSON"] {
        let scenario = first.scenario(name);
        let sample = first.sample(&scenario);
        let bare = [Bare::start(&sample), Bare::start(&sample)];
        let bare_proxy = Proxy::start(&[bare[0].url(), bare[1].url()]);
        let found = in_turn(
            plan,
            MANY,
            &[
                Side {
                    url: proxy.url(),
                    pids: vec![first.pid(), second.pid()],
                    scenario: scenario.clone(),
                },
                Side {
                    url: bare_proxy.url(),
                    pids: bare.iter().map(Bare::pid).collect(),
                    scenario,
                },
            ],
        );
        let what = format!("{name}, PostgreSQL, two instances behind nginx");
        table::beside(&what, &found[0], &found[1], Some(0.7));
    }
}

/// nginx without the limits that are shipped, which count by address.
struct Proxy {
    nginx: Child,
    port: u16,
    _folder: TempDir,
}

impl Proxy {
    fn start(servers: &[&str]) -> Proxy {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let servers: String = servers
            .iter()
            .map(|url| format!("server {};", url.strip_prefix("http://").unwrap()))
            .collect();
        let path = folder.path().display();
        let conf = format!(
            "daemon off; master_process off; pid {path}/pid; error_log stderr crit;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; keepalive_requests 1000000000;\n\
             client_body_temp_path {path}/b; proxy_temp_path {path}/p; fastcgi_temp_path {path}/f;\n\
             uwsgi_temp_path {path}/u; scgi_temp_path {path}/s;\n\
             upstream sites {{ {servers} keepalive 64; keepalive_requests 1000000000; }}\n\
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://sites;\n\
             proxy_http_version 1.1; proxy_set_header Connection \"\"; proxy_set_header Host $host; }} }} }}\n"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, conf).unwrap();
        let nginx = Command::new("nginx")
            .args(["-e", "stderr", "-c"])
            .arg(&file)
            .env("PATH", "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/bin:/sbin")
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx is missing: apt-get install nginx");
        let mut proxy = Proxy { nginx, port, _folder: folder };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(proxy.nginx.try_wait().unwrap().is_none(), "nginx ended");
            std::thread::yield_now();
        }
        proxy
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.nginx.kill();
        let _ = self.nginx.wait();
    }
}

//! Requests that no browser sends, to the real binary.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::binary::{DEADLINE, Server, Site};

/// Sends a request and reads until the server closes the connection. Returns head and body.
fn send(server: &Server, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    // Breaking off is an answer, too; the assertions see it.
    let _ = stream.read_to_string(&mut answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    (head.to_owned(), body.to_owned())
}

#[test]
fn a_request_names_one_host_unless_it_asks_for_health() {
    let site = Site::new();
    let server = site.start();
    let end = "Connection: close\r\n\r\n";
    let hosts = ["", "Host: a.example\r\nHost: b.example\r\n"];
    for hosts in hosts {
        for line in
            ["GET /", "GET /api/v1/posts", "POST /api/v1/auth/login", "POST /login", "HEAD /"]
        {
            let (head, body) = send(&server, &format!("{line} HTTP/1.1\r\n{hosts}{end}"));
            assert!(head.starts_with("HTTP/1.1 400 "), "{line} {hosts:?}: {head}");
            assert!(body.contains("Host header") || line == "HEAD /", "{line}: {body}");
        }
        for path in ["/healthz", "/readyz"] {
            let (head, _) = send(&server, &format!("GET {path} HTTP/1.1\r\n{hosts}{end}"));
            assert!(head.starts_with("HTTP/1.1 200 "), "{path} {hosts:?}: {head}");
        }
    }
    let (head, _) = send(&server, &format!("GET / HTTP/1.1\r\nHost: a.example\r\n{end}"));
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
}

#[test]
fn a_form_with_any_method_is_answered_completely() {
    let site = Site::new();
    let server = site.start();
    for method in ["head", "HEAD", "get", "options", "trace", "connect", "patch", "nonsense"] {
        let form = format!("_method={method}&username=ann&password=x");
        let (head, body) = send(
            &server,
            &format!(
                "POST /login HTTP/1.1\r\nHost: postly.test\r\nConnection: close\r\n\
                 Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
                form.len()
            ),
        );
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(": ")?;
            name.eq_ignore_ascii_case("content-length").then(|| value.parse::<usize>().unwrap())
        });
        assert_eq!(Some(body.len()), length, "{method}: {head}");
        assert!(!body.is_empty(), "{method}");
    }
}

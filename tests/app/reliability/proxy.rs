//! The shipped nginx configuration: slow clients affect nobody else, and forged headers are not
//! passed on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::support::binary::{Site, eventually};
use crate::support::nginx::{Nginx, SLOW, Slow, from_elsewhere, until_all_are_cut_off};

#[test]
fn a_thousand_slow_connections_keep_nobody_from_the_site_and_are_cut_off() {
    let site = Site::new();
    let server = site.start();
    let nginx = Nginx::start(server.url.strip_prefix("http://").unwrap());
    let ann = server.newcomer("ann").through(nginx.url());
    let mut slow = Slow::open(&nginx);
    assert_eq!(slow.connected(), SLOW);

    // Their address has reached its limit of connections; others have not.
    eventually("the slow ones' address is turned away", || {
        ask(from_elsewhere(nginx.plain), "GET / HTTP/1.1\r\nHost: 127.0.0.1").contains(" 429 ")
    });
    let mut written = 0;
    until_all_are_cut_off(slow, || {
        assert_eq!(ann.get("/").unwrap().status, 200);
        ann.posts(&format!("all the while, {written}"));
        written += 1;
    });
    // Afterwards that address is served again.
    let response = ask(from_elsewhere(nginx.plain), "GET / HTTP/1.1\r\nHost: 127.0.0.1");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

#[test]
fn what_a_client_claims_about_itself_is_replaced() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let nginx = Nginx::start(&upstream.local_addr().unwrap().to_string());
    let client = from_elsewhere(nginx.plain);
    let asking = std::thread::spawn(move || {
        ask(
            client,
            "GET /posts HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-Real-IP: 192.0.2.1\r\n\
             X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Host: evil.example\r\n\
             X-Forwarded-Proto: https\r\nX-Request-Id: chosen-by-the-client\r\nForwarded: for=192.0.2.1;host=evil.example",
        )
    });
    let (mut stream, _) = upstream.accept().unwrap();
    let mut head = Vec::new();
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        match line.unwrap().to_lowercase() {
            line if line.is_empty() => break,
            // nginx makes it up.
            line if line.starts_with("x-request-id: ") => {
                assert_eq!(line.len(), "x-request-id: ".len() + 32, "{line}");
            }
            line => head.push(line),
        }
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
    assert!(asking.join().unwrap().starts_with("HTTP/1.1 204"));
    head.sort();
    assert_eq!(
        head,
        [
            "get /posts http/1.1",
            "host: 127.0.0.1",
            "x-forwarded-for: 127.0.0.2",
            "x-forwarded-proto: http",
            "x-real-ip: 127.0.0.2",
        ]
    );
}

#[test]
fn another_name_and_too_large_a_body_never_reach_postly() {
    // Nothing accepts connections there: a request that is passed on gets nginx's own 504.
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let nginx = Nginx::start(&upstream.local_addr().unwrap().to_string());
    let connect = || TcpStream::connect(nginx.plain).unwrap();
    for host in ["evil.example", "127.0.0.1.evil.example", ""] {
        let response = ask(connect(), &format!("GET / HTTP/1.1\r\nHost: {host}"));
        assert!(response.is_empty() || response.starts_with("HTTP/1.1 400"), "{host}: {response}");
    }
    let body = "POST /posts HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2097153";
    assert!(ask(connect(), body).starts_with("HTTP/1.1 413"));
    let header = format!("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: {}", "a".repeat(40_000));
    assert!(ask(connect(), &header).starts_with("HTTP/1.1 400"));
    let insecure = TcpStream::connect(nginx.redirect).unwrap();
    let response = ask(insecure, "GET /posts/1?a=b HTTP/1.1\r\nHost: 127.0.0.1");
    assert!(response.starts_with("HTTP/1.1 308"), "{response}");
    assert!(response.contains("\r\nLocation: https://127.0.0.1/posts/1?a=b\r\n"), "{response}");
    upstream.set_nonblocking(true).unwrap();
    assert!(upstream.accept().is_err(), "a request was passed on");
}

/// Sends a request head, completed, and returns the response.
fn ask(mut stream: TcpStream, head: &str) -> String {
    let _ = stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes());
    let mut response = Vec::new();
    let _ = stream.read_to_end(&mut response); // It may be reset after the response.
    String::from_utf8_lossy(&response).into_owned()
}

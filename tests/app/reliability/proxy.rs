//! The shipped configurations of nginx and Caddy: slow clients affect nobody else and are cut off,
//! and forged headers are not passed on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::support::binary::{Site, Starting, eventually};
use crate::support::caddy::Caddy;
use crate::support::nginx::{Nginx, SLOW, Slow, from_elsewhere, until_all_are_cut_off};
use crate::support::slow_clients::{Manner, SlowClient, until_cut_off};
use crate::support::{ORIGIN, PASSWORD, encode};

#[test]
fn a_thousand_slow_connections_keep_nobody_from_the_site_and_are_cut_off() {
    let site = Site::new();
    let server = site.start();
    let nginx = Nginx::start(server.url.strip_prefix("http://").unwrap());
    let ann = server.newcomer("ann").through(nginx.url());
    let mut others = SlowClient::several(50, nginx.plain, Manner::Deaf);
    others.extend(SlowClient::several(50, nginx.plain, Manner::Silent));
    let mut slow = Slow::open(&nginx);
    assert_eq!(slow.connected(), SLOW);

    // Their address has reached its limit of connections; others have not.
    eventually("the slow ones' address is turned away", || {
        ask(from_elsewhere(nginx.plain), "GET / HTTP/1.1\r\nHost: 127.0.0.1").contains(" 429 ")
    });
    let mut written = 0;
    let mut meanwhile = || {
        assert_eq!(ann.get("/").unwrap().status, 200);
        ann.posts(&format!("all the while, {written}"));
        written += 1;
    };
    until_all_are_cut_off(slow, &mut meanwhile);
    until_cut_off(others, &mut meanwhile);
    // Afterwards that address is served again.
    let response = ask(from_elsewhere(nginx.plain), "GET / HTTP/1.1\r\nHost: 127.0.0.1");
    assert!(response.starts_with("HTTP/1.1 200"), "{response}");
}

/// The head that reaches `upstream` when a client at 127.0.0.2 asks the proxy there with forged
/// headers: sorted, in lower case, without the id that the proxy made up for the request.
fn passed_on(upstream: &TcpListener, proxy: SocketAddr) -> Vec<String> {
    let asking = std::thread::spawn(move || {
        ask(
            from_elsewhere(proxy),
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
            line if line.starts_with("x-request-id: ") => {
                assert!(line.len() >= "x-request-id: ".len() + 32, "{line}");
            }
            line => head.push(line),
        }
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").unwrap();
    assert!(asking.join().unwrap().starts_with("HTTP/1.1 204"));
    head.sort();
    head
}

#[test]
fn what_a_client_claims_about_itself_is_replaced() {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = upstream.local_addr().unwrap().to_string();
    assert_eq!(
        passed_on(&upstream, Nginx::start(&address).plain),
        [
            "get /posts http/1.1",
            "host: 127.0.0.1",
            "x-forwarded-for: 127.0.0.2",
            "x-forwarded-proto: http",
            "x-other-instances: yes",
            "x-real-ip: 127.0.0.2",
        ]
    );
    let known = ["get ", "host:", "x-", "forwarded:"];
    let mut head = passed_on(&upstream, Caddy::start(&address).address);
    head.retain(|line| known.iter().any(|start| line.starts_with(start)));
    assert_eq!(
        head,
        [
            "get /posts http/1.1",
            "host: 127.0.0.1",
            "x-forwarded-for: 127.0.0.2",
            "x-forwarded-proto: http",
        ]
    );
}

#[test]
fn through_caddy_people_log_in_and_slow_clients_are_cut_off() {
    let site = Site::new();
    let mut command = site.postly();
    let server = Starting::of(command.env("POSTLY_TRUSTED_PROXIES", "127.0.0.1/32")).ready();
    let caddy = Caddy::start(server.url.strip_prefix("http://").unwrap());
    let ann = server.newcomer("ann").through(caddy.url());

    // At both doors, from 127.0.0.2; the address that she claims is not hers.
    let form = [("username", "ann"), ("password", PASSWORD)];
    let page = post(&caddy, "/login", "application/x-www-form-urlencoded", &encode(&form));
    assert!(page.starts_with("HTTP/1.1 303") && page.contains("Set-Cookie: postly="), "{page}");
    let login = json!({"username": "ann", "password": PASSWORD}).to_string();
    let tokens = post(&caddy, "/api/v1/auth/login", "application/json", &login);
    assert!(tokens.starts_with("HTTP/1.1 200") && tokens.contains("access_token"), "{tokens}");
    let sessions = ann.ask("GET", "/me/sessions", None).json;
    let addresses: Vec<&Value> =
        sessions["items"].as_array().unwrap().iter().map(|session| &session["address"]).collect();
    assert_eq!(addresses, ["127.0.0.2", "127.0.0.2", "127.0.0.1", "127.0.0.1"]);

    let mut slow = Vec::new();
    for manner in [Manner::Silent, Manner::Header, Manner::Body, Manner::Deaf] {
        slow.extend(SlowClient::several(50, caddy.address, manner));
    }
    let mut written = 0;
    until_cut_off(slow, || {
        assert_eq!(ann.get("/").unwrap().status, 200);
        ann.posts(&format!("all the while, {written}"));
        written += 1;
    });
}

/// Sends a body through Caddy, from 127.0.0.2, and returns the response.
fn post(caddy: &Caddy, path: &str, kind: &str, body: &str) -> String {
    let mut stream = from_elsewhere(caddy.address);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: {ORIGIN}\r\nContent-Type: {kind}\r\n\
         X-Forwarded-For: 192.0.2.1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
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

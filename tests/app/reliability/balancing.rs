//! Two instances behind the shipped configuration of nginx: no request is lost when they restart one
//! after the other, or when one crashes, and nothing is written twice. What nginx compresses and keeps.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use crate::support::binary::{Caller, Server, Site, Starting, eventually, wait_for};
use crate::support::caddy::Caddy;
use crate::support::internals::sql;
use crate::support::nginx::{Nginx, free_ports};

/// An instance at this address. After SIGTERM it drains for longer than nginx keeps idle connections,
/// which is three seconds.
fn instance(site: &Site, address: SocketAddr) -> Server {
    let mut command = site.postly();
    command.env("ROCKET_PORT", address.port().to_string()).env("POSTLY_DRAIN_SECONDS", "4");
    command.env("RUST_LOG", "info");
    Starting::logging_to(&mut command, &log(site, address)).ready()
}

fn log(site: &Site, address: SocketAddr) -> PathBuf {
    site.path(&format!("log-{}", address.port()))
}

/// Waits until nginx, which has left the instance out, relies on it again.
fn until_it_is_asked_again(site: &Site, address: SocketAddr) {
    eventually("nginx asks it again", || {
        let log = std::fs::read_to_string(log(site, address)).unwrap();
        log.matches("/api/v1/posts").count() > 20
    });
}

fn stop(mut server: Server) {
    server.signal("TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

/// Readers and writers ask through nginx until `restarts` returns, with the instances that run then.
/// Returns the number of answers.
fn under_load(ann: &Caller, writers: usize, restarts: impl FnOnce() -> Vec<Server>) -> usize {
    let (done, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..writers + 4 {
            let (done, answers) = (&done, &answers);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    if number < writers {
                        ann.posts(&format!("by {number}"));
                    } else {
                        let read = ann.ask("GET", "/posts", None);
                        assert_eq!(read.status, 200, "{}", read.json);
                    }
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Ended also when an assertion fails, so that the other threads end.
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(restarts));
        done.store(true, Ordering::Relaxed);
        ended
    })
    .unwrap();
    answers.into_inner()
}

#[test]
fn no_request_is_lost_while_two_instances_restart_and_no_read_when_one_is_killed() {
    let site = Site::new();
    let [one, two] = free_ports();
    let (first, second) = (instance(&site, one), instance(&site, two));
    let nginx = Nginx::start_before(&[&one.to_string(), &two.to_string()]);
    let ann = first.newcomer("ann").through(nginx.url());
    let answers = under_load(&ann, 4, || {
        stop(first);
        let first = instance(&site, one);
        until_it_is_asked_again(&site, one);
        stop(second);
        vec![first]
    });
    assert!(answers > 0);

    let (mut first, second) = (instance(&site, one), instance(&site, two));
    under_load(&ann, 0, || {
        until_it_is_asked_again(&site, one);
        until_it_is_asked_again(&site, two);
        first.child.kill().unwrap();
        first.child.wait().unwrap();
        let first = instance(&site, one);
        until_it_is_asked_again(&site, one);
        stop(second);
        vec![first]
    });
}

/// A proxy that has other instances is sent away from one that is about to stop, so that it is not
/// connecting when the socket closes. One that has none is served.
#[test]
fn an_instance_that_drains_sends_those_away_who_have_another() {
    let site = Site::new();
    let server = Starting::of(site.postly().env("POSTLY_DRAIN_SECONDS", "86400")).ready();
    let nginx = Nginx::start(server.url.strip_prefix("http://").unwrap());
    let ann = server.newcomer("ann");
    let others = || {
        let request = ureq::get(format!("{}/api/v1/posts", server.url));
        let request = request.config().http_status_as_error(false).build();
        request.header("X-Other-Instances", "yes").call().unwrap().status()
    };
    assert_eq!(others(), 200);
    server.signal("TERM");
    eventually("it drains", || ann.get("/readyz").unwrap().status == 503);
    assert_eq!(others(), 502);
    assert_eq!(ann.ask("GET", "/posts", None).status, 200, "without the header");
    let through = ann.through(nginx.url());
    for path in ["/", "/static/css/base.css", "/me"] {
        assert_eq!(through.get(path).unwrap().status, ann.get(path).unwrap().status, "{path}");
    }
    assert_eq!(through.ask("GET", "/me", None).status, 200, "what is personal");
    through.posts("in the last moment");
}

/// A server that reads a request and says nothing. Returns the number of requests that it has read.
fn breaking_off(listener: TcpListener) -> impl Fn() -> usize {
    let count = std::sync::Arc::new(AtomicUsize::new(0));
    let counting = count.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            counting.fetch_add(1, Ordering::Relaxed);
        }
    });
    move || count.load(Ordering::Relaxed)
}

#[test]
fn a_post_that_was_sent_is_not_sent_again_and_everything_else_is() {
    let site = Site::new();
    let [broken, well, nobody] = free_ports();
    let server = instance(&site, well);
    let ann = server.newcomer("ann");
    let count = || {
        wait_for(async {
            sql("SELECT count(*) FROM posts").scalar::<i64>(&site.db().await).await.unwrap()
        })
    };
    let post = json!({"title": "Once", "content": "and only once"});
    let id = ann.posts("Tides");
    let read = breaking_off(TcpListener::bind(broken).unwrap());
    for (method, path, body, status) in [
        ("GET", "/posts".to_owned(), None, 200),
        ("PUT", format!("/posts/{id}"), Some(json!({"title": "Tide"})), 200),
        ("POST", "/posts".to_owned(), Some(post.clone()), 502),
        ("DELETE", format!("/posts/{id}"), None, 204),
    ] {
        // A new nginx, which does not know yet that one is broken, and begins with it.
        let nginx = Nginx::start_before(&[&broken.to_string(), &well.to_string()]);
        let before = read();
        let answer = ann.through(nginx.url()).ask(method, &path, body);
        assert_eq!(answer.status, status, "{method}: {}", answer.json);
        assert_eq!(read(), before + 1, "{method} came to the broken one first");
    }
    assert_eq!(count(), 0, "the POST came nowhere");
    let nginx = Nginx::start_before(&[&nobody.to_string(), &well.to_string()]);
    assert_eq!(ann.through(nginx.url()).ask("POST", "/posts", Some(post)).status, 201);
    assert_eq!(count(), 1);
}

/// The head of the response, in lower case, to a request that accepts compression.
fn head(proxy: SocketAddr, method: &str, path: &str, more: &str) -> String {
    let mut stream = TcpStream::connect(proxy).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\nConnection: \
         close\r\n{more}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    stream.read_to_end(&mut response).unwrap();
    let text = String::from_utf8_lossy(&response).to_lowercase();
    text.split("\r\n\r\n").next().unwrap().to_owned()
}

/// Whether a cache is told so, in a head in lower case.
fn differs_by_encoding(head: &str) -> bool {
    head.lines().any(|line| line.starts_with("vary: ") && line.contains("accept-encoding"))
}

#[test]
fn public_pages_and_files_are_compressed_and_what_is_personal_is_not() {
    let site = Site::new();
    let server = site.start();
    let nginx = Nginx::start(server.url.strip_prefix("http://").unwrap());
    let ann = server.newcomer("ann");
    // Long enough to be compressed.
    let long = json!({"title": "Tides", "content": "They come twice a day. ".repeat(50)});
    let id = ann.ask("POST", "/posts", Some(long)).json["id"].as_i64().unwrap();
    (0..5).for_each(|_| _ = ann.posts(&"Tides ".repeat(20)));
    let cookie = format!("Cookie: postly={}\r\n", ann.cookie().unwrap());
    let bearer = format!("Authorization: Bearer {}\r\n", ann.token.clone().unwrap());
    for path in ["/", "/api/v1/posts", "/static/css/base.css"] {
        let public = head(nginx.plain, "GET", path, "");
        assert!(public.contains("content-encoding: gzip"), "{path}: {public}");
        assert!(differs_by_encoding(&public), "{path}: {public}");
    }
    for (path, secret) in [("/", &cookie), ("/me", &cookie), ("/api/v1/posts", &bearer)] {
        let personal = head(nginx.plain, "GET", path, secret);
        assert!(personal.starts_with("http/1.1 200"), "{path}: {personal}");
        assert!(!personal.contains("content-encoding"), "{path}: {personal}");
    }
    let caddy = Caddy::start(server.url.strip_prefix("http://").unwrap());
    for path in ["/", "/api/v1/posts", "/static/css/base.css"] {
        let public = head(caddy.address, "GET", path, "");
        assert!(public.contains("content-encoding: gzip"), "Caddy, {path}: {public}");
        assert!(differs_by_encoding(&public), "Caddy, {path}: {public}");
        // A file is the same for everybody.
        for secret in [&cookie, &bearer].into_iter().filter(|_| !path.starts_with("/static/")) {
            let personal = head(caddy.address, "GET", path, secret);
            assert!(!personal.contains("content-encoding"), "Caddy, {path}: {personal}");
        }
    }
    let form = head(nginx.plain, "POST", "/login", "Content-Length: 0\r\n");
    assert!(!form.contains("content-encoding"), "{form}");

    // A compressed response has a weak tag; it still says which version a change is for.
    let post = format!("/api/v1/posts/{id}");
    let read = head(nginx.plain, "GET", &post, "");
    assert!(read.contains("content-encoding: gzip"), "{read}");
    let tag = read.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    assert!(tag.starts_with("w/\"1-"), "{read}");
    let condition = format!("{bearer}If-Match: {}\r\n", tag.replace('w', "W"));
    let deleted = head(nginx.plain, "DELETE", &post, &condition);
    assert!(deleted.starts_with("http/1.1 204"), "{deleted}");
}

#[test]
fn static_files_of_the_current_version_are_served_without_postly() {
    let site = Site::new();
    let server = site.start();
    let nginx = Nginx::start(server.url.strip_prefix("http://").unwrap());
    let page = ureq::get(server.url.clone()).call().unwrap().body_mut().read_to_string().unwrap();
    let start = page.find("/static/css/").unwrap();
    let current = page[start..].split('"').next().unwrap().to_owned();
    let other = current.split('?').next().unwrap().to_owned();
    for path in [&current, &other] {
        assert!(head(nginx.plain, "GET", path, "").starts_with("http/1.1 200"));
    }
    stop(server);
    let kept = head(nginx.plain, "GET", &current, "");
    assert!(kept.starts_with("http/1.1 200") && kept.contains("immutable"), "{kept}");
    assert!(!kept.contains("x-request-id"), "that of another request: {kept}");
    eventually("what must be asked again is", || {
        head(nginx.plain, "GET", &other, "").starts_with("http/1.1 502")
    });
}

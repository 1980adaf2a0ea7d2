//! Being told to stop: not ready first, then what is under way is finished, then a clean end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;

use serde_json::json;

use crate::support::binary::{Server, Site, Starting, eventually, wait_for};
use crate::support::internals::sql;

/// Opens a connection and says this.
fn connect(server: &Server, text: &str) -> BufReader<TcpStream> {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    BufReader::new(stream)
}

#[test]
fn it_is_not_ready_while_it_drains_and_finishes_what_is_under_way() {
    let site = Site::new();
    // Longer than any test: only the second signal ends the draining.
    let mut server = Starting::of(site.postly().env("POSTLY_DRAIN_SECONDS", "86400")).ready();
    let ann = server.newcomer("ann");
    assert_eq!(ann.get("/readyz").unwrap().status, 200);

    // Somebody stalls in the midst of a header, and somebody is sending a post: the server asks for
    // its body, so it is under way.
    let _stalled = connect(&server, "GET / HTTP/1.1\r\nHost: postly.test\r\nX-");
    let body = json!({"title": "Under way", "content": "all the while"}).to_string();
    let mut post = connect(
        &server,
        &format!(
            "POST /api/v1/posts HTTP/1.1\r\nHost: postly.test\r\nContent-Type: application/json\r\n\
             Authorization: Bearer {}\r\nContent-Length: {}\r\nExpect: 100-continue\r\n\r\n",
            ann.token.as_ref().unwrap(),
            body.len()
        ),
    );
    let mut line = String::new();
    post.read_line(&mut line).unwrap();
    assert_eq!(line.trim_end(), "HTTP/1.1 100 Continue");

    server.signal("TERM");
    eventually("it is not ready", || ann.get("/readyz").unwrap().status == 503);
    // It lives and turns nobody away, but keeps no connection.
    assert_eq!(ann.get("/healthz").unwrap().status, 200);
    let late = ann.posts("in the last moment");
    let mut answer = String::new();
    let mut reader = connect(&server, "GET / HTTP/1.1\r\nHost: postly.test\r\n\r\n");
    reader.read_to_string(&mut answer).unwrap(); // Ends, since the server closes.
    assert!(answer.starts_with("HTTP/1.1 200") && answer.trim_end().ends_with("</html>"));

    server.signal("TERM");
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    eventually("it accepts nobody", || TcpStream::connect(&address).is_err());
    post.get_mut().write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    post.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("HTTP/1.1 201") && answer.contains("Under way"), "{answer}");
    // The one that stalls neither keeps it alive nor makes its end a failure.
    assert_eq!(server.child.wait().unwrap().code(), Some(0));

    wait_for(async {
        let found = sql("SELECT id, title FROM posts ORDER BY id")
            .all::<(i64, String)>(&site.db().await)
            .await
            .unwrap();
        assert_eq!(found[0], (late, "in the last moment".to_owned()));
        assert_eq!(found[1].1, "Under way");
    });
}

/// Ten who write while it ends: a request is answered in full, or it was never begun.
#[test]
fn no_request_is_lost_half_way_when_it_is_told_to_stop_under_load() {
    let site = Site::new();
    let mut server = site.start();
    let ann = server.newcomer("ann");
    let (answer, answered) = mpsc::channel();
    let mut told: Vec<String> = std::thread::scope(|scope| {
        for writer in 0..10 {
            let (ann, answer) = (&ann, answer.clone());
            scope.spawn(move || {
                for n in 0.. {
                    let title = format!("{writer}-{n}");
                    let draft = json!({"title": title, "content": title});
                    match ann.api("POST", "/posts", Some(draft)) {
                        Ok(made) => assert_eq!(made.status, 201, "{}", made.json),
                        Err(_) => break, // Nobody is there any more.
                    }
                    let _ = answer.send(title);
                }
            });
        }
        drop(answer);
        let mut told: Vec<_> = answered.iter().take(50).collect();
        server.signal("TERM");
        told.extend(answered.iter());
        told
    });
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let mut found: Vec<String> = wait_for(async {
        let titles = sql("SELECT title FROM posts").all(&site.db().await).await.unwrap();
        titles.into_iter().map(|(title,)| title).collect()
    });
    told.sort();
    found.sort();
    assert_eq!(told, found);
}

//! SIGTERM: first not ready, then requests in flight are finished, then a clean exit.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::mpsc;

use serde_json::json;

use crate::support::binary::{DEADLINE, Server, Site, Starting, eventually, wait_for};
use crate::support::internals::sql;

/// Opens a connection and sends this.
fn connect(server: &Server, text: &str) -> BufReader<TcpStream> {
    let address = server.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    BufReader::new(stream)
}

#[test]
fn it_is_not_ready_while_it_drains_and_finishes_what_is_under_way() {
    let site = Site::new();
    // Longer than any test: only the second signal ends draining.
    let mut server = Starting::of(site.postly().env("POSTLY_DRAIN_SECONDS", "86400")).ready();
    let ann = server.newcomer("ann");
    assert_eq!(ann.get("/readyz").unwrap().status, 200);

    // One client stalls in the middle of a header, another is sending a post: the server asks for
    // its body, so that request is in flight.
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
    // It is alive and refuses no requests, but keeps no connection open.
    assert_eq!(ann.get("/healthz").unwrap().status, 200);
    let late = ann.posts("in the last moment");
    let mut response = String::new();
    let mut reader = connect(&server, "GET / HTTP/1.1\r\nHost: postly.test\r\n\r\n");
    reader.read_to_string(&mut response).unwrap(); // Ends because the server closes the connection.
    assert!(response.starts_with("HTTP/1.1 200") && response.trim_end().ends_with("</html>"));

    server.signal("TERM");
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    eventually("it accepts nobody", || TcpStream::connect(&address).is_err());
    post.get_mut().write_all(body.as_bytes()).unwrap();
    let mut response = String::new();
    post.read_to_string(&mut response).unwrap();
    assert!(response.contains("HTTP/1.1 201") && response.contains("Under way"), "{response}");
    // The stalled client neither keeps the server alive nor makes it exit with an error.
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

/// What is still waiting when the grace period is over does not stay behind in PostgreSQL.
#[test]
fn no_statement_stays_behind_when_the_grace_period_is_over() {
    let site = Site::new();
    if site.is_sqlite() {
        return; // There is no server in which it could stay.
    }
    let mut command = site.postly();
    command
        .env("POSTLY_LOCK_TIMEOUT_SECONDS", "3600")
        .env("POSTLY_STATEMENT_TIMEOUT_SECONDS", "3600")
        .env("ROCKET_SHUTDOWN", "{ctrlc=false,signals=[],grace=1,mercy=0}");
    let mut server = Starting::of(&mut command).ready();
    let (ann, bob) = (server.newcomer("ann"), server.newcomer("bob"));
    let vote = format!("/posts/{}/vote", ann.posts("Tides"));
    wait_for(async {
        let db = site.db().await;
        let mut lock = db.begin().await.unwrap();
        sql("LOCK TABLE votes IN ACCESS EXCLUSIVE MODE").execute(&mut lock).await.unwrap();
        let voting = std::thread::spawn(move || bob.api("PUT", &vote, None).map(|r| r.status));
        let waiting = async || {
            sql("SELECT count(*) FROM pg_stat_activity \
                 WHERE datname = current_database() AND wait_event_type = 'Lock'")
            .scalar::<i64>(&db)
            .await
            .unwrap()
        };
        while waiting().await == 0 {}
        server.signal("TERM");
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
        assert_ne!(voting.join().unwrap().ok(), Some(200));
        eventually_async(waiting).await;
    });
}

/// Waits until nothing is counted any more.
async fn eventually_async(count: impl AsyncFn() -> i64) {
    let start = std::time::Instant::now();
    while count().await > 0 {
        assert!(start.elapsed() < DEADLINE, "a statement stayed behind");
    }
}

/// With ten writers while it stops, every request is answered completely or never started.
#[test]
fn no_request_is_lost_half_way_when_it_is_told_to_stop_under_load() {
    let site = Site::new();
    let mut server = site.start();
    let ann = server.newcomer("ann");
    let (acknowledge, acknowledgements) = mpsc::channel();
    let mut acknowledged: Vec<String> = std::thread::scope(|scope| {
        for writer in 0..10 {
            let (ann, acknowledge) = (&ann, acknowledge.clone());
            scope.spawn(move || {
                for n in 0.. {
                    let title = format!("{writer}-{n}");
                    let draft = json!({"title": title, "content": title});
                    match ann.api("POST", "/posts", Some(draft)) {
                        Ok(created) => assert_eq!(created.status, 201, "{}", created.json),
                        Err(_) => break, // The server has stopped.
                    }
                    let _ = acknowledge.send(title);
                }
            });
        }
        drop(acknowledge);
        let mut acknowledged: Vec<_> = acknowledgements.iter().take(50).collect();
        server.signal("TERM");
        acknowledged.extend(acknowledgements.iter());
        acknowledged
    });
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let mut found: Vec<String> = wait_for(async {
        let titles = sql("SELECT title FROM posts").all(&site.db().await).await.unwrap();
        titles.into_iter().map(|(title,)| title).collect()
    });
    acknowledged.sort();
    found.sort();
    assert_eq!(acknowledged, found);
}

//! kill -9 under load: every acknowledged write survives, and none is partial.

use std::sync::mpsc::{self, Sender};

use serde_json::json;

use crate::support::binary::{Caller, Server, Site, wait_for};
use crate::support::internals::sql;
use crate::support::{PASSWORD, repetitions};

const WRITERS: usize = 4;

/// The state of a post, as acknowledged to a writer.
#[derive(Debug, Clone, PartialEq)]
enum State {
    /// Its title and content are this text, and it has this many votes.
    There(String, u64),
    Gone,
}

/// What a writer knows: the acknowledged state of a post, and the state that its last request would
/// have produced, if the server was killed before it responded.
#[derive(Debug)]
struct Known {
    acknowledged: State,
    requested: Option<State>,
}

#[test]
fn killed_fifty_times_it_keeps_every_acknowledged_write_whole() {
    let site = Site::new();
    let mut server = site.start();
    let (mut ann, mut bob) = (server.newcomer("ann"), server.newcomer("bob"));
    let mut everything = Vec::new();
    let rounds = 50 * repetitions() as usize;
    for round in 0..rounds {
        let writes = under_load(&mut server, &ann, &bob, round);
        server = site.start();
        // Tokens last ten minutes, and many rounds take longer.
        for (name, person) in [("ann", &mut ann), ("bob", &mut bob)] {
            *person = person.at(&server);
            person.log_in(json!({"username": name, "password": PASSWORD}));
        }
        compare(&ann, &writes);
        everything.extend(writes);
    }
    // What was acknowledged in early rounds has survived the later ones too.
    compare(&ann.at(&server), &everything);
    // At least one write was acknowledged in each round.
    assert!(everything.len() >= rounds, "{}", everything.len());
    wait_for(nothing_is_half_done(&site));
}

fn under_load(server: &mut Server, ann: &Caller, bob: &Caller, round: usize) -> Vec<(i64, Known)> {
    let (ann, bob) = (ann.at(server), bob.at(server));
    kill_while(server, round, |writer, acknowledge| {
        write(&ann, &bob, &format!("{round}-{writer}"), acknowledge)
    })
}

/// Kills the server after some writes were acknowledged and while others are in flight, each by one of several
/// writers, which go on until then. Returns what they know.
pub fn kill_while<T: Send>(
    server: &mut Server,
    round: usize,
    write: impl Fn(usize, Sender<()>) -> Vec<T> + Sync,
) -> Vec<T> {
    std::thread::scope(|scope| {
        let (acknowledge, acknowledged) = mpsc::channel();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (write, acknowledge) = (&write, acknowledge.clone());
                scope.spawn(move || write(writer, acknowledge))
            })
            .collect();
        // It ends when no writer is left, so that one that fails does not keep the test waiting.
        drop(acknowledge);
        // A different moment in each round.
        let enough = 1 + round * 7 % 23;
        let count = acknowledged.iter().take(enough).count();
        server.child.kill().unwrap(); // SIGKILL
        server.child.wait().unwrap();
        let known = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
        assert_eq!(count, enough);
        known
    })
}

/// Publishes, edits, votes for and deletes posts until the server is killed.
fn write(ann: &Caller, bob: &Caller, name: &str, acknowledge: Sender<()>) -> Vec<(i64, Known)> {
    let mut writes: Vec<(i64, Known)> = Vec::new();
    for n in 0.. {
        let text = format!("{name}-{n}");
        let draft = Some(json!({"title": text, "content": text}));
        let Ok(created) = ann.api("POST", "/posts", draft) else { break };
        assert_eq!(created.status, 201, "{}", created.json);
        let _ = acknowledge.send(());
        let id = created.json["id"].as_i64().unwrap();
        let first = State::There(text.clone(), 0);
        writes.push((id, Known { acknowledged: first, requested: None }));
        let known = &mut writes.last_mut().unwrap().1;

        let path = format!("/posts/{id}");
        let vote = format!("{path}/vote");
        let edited = format!("{text} edited");
        let draft = json!({"title": edited, "content": edited});
        let deletion = ("DELETE", &path, ann, None, State::Gone, 204);
        let mut steps = vec![
            ("PUT", &vote, bob, None, State::There(text, 1), 200),
            ("PUT", &path, ann, Some(draft), State::There(edited, 1), 200),
        ];
        if n % 2 == 1 {
            steps.push(deletion);
        }
        for (method, path, who, body, state, expected) in steps {
            known.requested = Some(state);
            let Ok(response) = who.api(method, path, body) else { return writes };
            assert_eq!(response.status, expected, "{method} {path}: {}", response.json);
            known.acknowledged = known.requested.take().unwrap();
            let _ = acknowledge.send(());
        }
    }
    writes
}

/// Each post is as acknowledged or as last requested: nothing in between.
fn compare(ann: &Caller, writes: &[(i64, Known)]) {
    for (id, known) in writes {
        let response = ann.ask("GET", &format!("/posts/{id}"), None);
        let found = match response.status {
            404 => State::Gone,
            200 => {
                let title = response.json["title"].as_str().unwrap().to_owned();
                assert_eq!(response.json["content"], title.as_str(), "an edit is partial");
                State::There(title, response.json["votes"].as_u64().unwrap())
            }
            other => panic!("{other} for post {id}: {}", response.json),
        };
        assert!(
            found == known.acknowledged || Some(&found) == known.requested.as_ref(),
            "post {id} is {found:?}, but {known:?}"
        );
    }
}

/// Writes that were never acknowledged are not partial either.
async fn nothing_is_half_done(site: &Site) {
    let db = site.db().await;
    let (torn,) = sql("SELECT count(*) FROM posts WHERE title <> content OR content_html = ''")
        .one::<(i64,)>(&db)
        .await
        .unwrap();
    let (miscounted,) = sql("SELECT count(*) FROM posts WHERE votes <> \
         (SELECT count(*) FROM votes WHERE post_id = posts.id)")
    .one::<(i64,)>(&db)
    .await
    .unwrap();
    assert_eq!((torn, miscounted), (0, 0));
    if site.is_sqlite() {
        let (verdict,) = sql("PRAGMA integrity_check").one::<(String,)>(&db).await.unwrap();
        assert_eq!(verdict, "ok");
    }
}

//! An upgrade without a failed request: two instances of the previous release behind nginx, on one
//! PostgreSQL database, are replaced one after the other while people read and write.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::support::binary::{Caller, Server, Site, Starting, eventually, run, wait_for};
use crate::support::internals::sql;
use crate::support::nginx::{Nginx, free_ports};
use crate::support::{PASSWORD, database};

/// How many requests each person makes between two steps.
const ENOUGH: u64 = 60;

/// The binary of the release that tests/upgrade/previous-release names; `./test slow` builds it.
fn previous_release(site: &Site) -> Command {
    let path = std::env::var("POSTLY_TEST_PREVIOUS_RELEASE")
        .expect("POSTLY_TEST_PREVIOUS_RELEASE names a binary; ./test slow builds it");
    site.command(&path)
}

fn start(mut command: Command, at: SocketAddr) -> Server {
    command.env("ROCKET_PORT", at.port().to_string()).env("POSTLY_TRUSTED_PROXIES", "127.0.0.1/32");
    Starting::of(&mut command).ready()
}

/// What happened to the requests.
#[derive(Default)]
struct Log {
    requests: AtomicU64,
    failures: Mutex<Vec<String>>,
    posts: Mutex<BTreeSet<i64>>,
}

impl Log {
    /// Makes a request; anything but the expected status is a failure.
    fn ask(&self, who: &Caller, method: &str, path: &str, body: Option<Value>, ok: u16) -> Value {
        let response = who.api(method, path, body);
        self.requests.fetch_add(1, Ordering::SeqCst);
        match response {
            Ok(response) if response.status == ok => return response.json,
            Ok(response) => {
                self.fail(format!("{method} {path}: {} {}", response.status, response.json))
            }
            Err(error) => self.fail(format!("{method} {path}: {error}")),
        }
        Value::Null
    }

    fn fail(&self, what: String) {
        self.failures.lock().unwrap().push(what);
    }

    /// Publishes a post, and returns its path.
    fn post(&self, who: &Caller, title: &str) -> String {
        let draft = json!({"title": title, "content": "*Twice* a day."});
        let id = self.ask(who, "POST", "/posts", Some(draft), 201)["id"].as_i64().unwrap_or(0);
        self.posts.lock().unwrap().insert(id);
        format!("/posts/{id}")
    }
}

/// Everything that people and programs do, once: as `ann`, and as a newcomer.
fn use_everything(log: &Log, server: &Server, ann: &Caller, root: &Caller, name: &str) {
    let (ann, root) = (&ann.at(server), &root.at(server));
    let newcomer = server.newcomer(name);
    let path = log.post(ann, &format!("Tides, {name}"));
    log.ask(ann, "PUT", &path, Some(json!({"content": "edited"})), 200);
    log.ask(&newcomer, "PUT", &format!("{path}/vote"), None, 200);
    assert_eq!(log.ask(ann, "GET", &path, None, 200)["votes"], 1, "{name}");
    log.ask(ann, "GET", &format!("{path}/votes"), None, 200);
    log.ask(&newcomer, "DELETE", &format!("{path}/vote"), None, 200);
    for list in ["/posts?sort=top", "/posts?author=ann", "/posts?include=content", "/dashboard"] {
        log.ask(ann, "GET", list, None, 200);
    }
    for list in ["/me", "/me/sessions", "/me/events", "/me/tokens"] {
        log.ask(&newcomer, "GET", list, None, 200);
    }
    let token = json!({"name": "backup", "scopes": ["posts:read"], "days": 30});
    log.ask(&newcomer, "POST", "/me/tokens", Some(token), 201);
    log.ask(&newcomer, "POST", "/me/two-factor", Some(json!({})), 201);
    for list in ["/admin/users", "/admin/posts?q=tides", "/admin/audit"] {
        log.ask(root, "GET", list, None, 200);
    }
    let password = json!({"current": PASSWORD, "password": "seven marble lanterns drift"});
    log.ask(&newcomer, "PUT", "/me/password", Some(password), 204);
    assert_eq!(newcomer.page("/logout", &[]).unwrap().status, 303);
    let short = log.post(ann, "Soon gone");
    log.ask(ann, "DELETE", &short, None, 204);
    let gone = short.rsplit('/').next().unwrap().parse().unwrap();
    log.posts.lock().unwrap().remove(&gone);
}

/// A person who reads, writes and votes through nginx until told to stop.
fn keep_busy(log: &Log, me: &Caller, other: &str, until: &AtomicBool, made: &AtomicU64) {
    for n in 0.. {
        if until.load(Ordering::SeqCst) {
            break;
        }
        let mine = log.post(me, &format!("{n}"));
        log.ask(me, "PUT", &mine, Some(json!({"title": format!("{n}, edited")})), 200);
        log.ask(me, "PUT", &format!("{other}/vote"), None, 200);
        log.ask(me, "DELETE", &format!("{other}/vote"), None, 200);
        log.ask(me, "GET", "/posts?limit=10", None, 200);
        log.ask(me, "GET", &mine, None, 200);
        match me.get("/") {
            Ok(page) if page.status == 200 => {}
            page => log.fail(format!("GET /: {page:?}")),
        }
        log.requests.fetch_add(1, Ordering::SeqCst);
        made.fetch_add(7, Ordering::SeqCst);
    }
}

#[test]
#[ignore = "needs the binary of the previous release: ./test slow"]
fn a_rolling_upgrade_fails_no_request() {
    if !database::is_postgres() {
        return; // An SQLite file has one server.
    }
    let site = Site::empty();
    let migrated = run(previous_release(&site).arg("migrate"), "");
    assert!(migrated.status.success(), "{}", migrated.text);
    let added = run(previous_release(&site).args(["user", "add", "root", "--admin"]), PASSWORD);
    assert!(added.status.success(), "{}", added.text);
    let [first, second] = free_ports();
    let mut a = start(previous_release(&site), first);
    let mut b = start(previous_release(&site), second);
    let (here, there) = (first.to_string(), second.to_string());
    let (here_down, there_down) = (format!("{first} down"), format!("{second} down"));
    let nginx = Nginx::start_before(&[&here, &there]);

    let log = Log::default();
    let ann = a.newcomer("ann");
    let mut root = a.nobody();
    root.log_in(json!({"username": "root", "password": PASSWORD}));
    let other = log.post(&ann, "Voted for");
    let people: Vec<Caller> =
        (0..4).map(|n| a.newcomer(&format!("person{n}")).through(nginx.url())).collect();
    use_everything(&log, &b, &ann, &root, "before");
    let stop = AtomicBool::new(false);
    let made: Vec<AtomicU64> = people.iter().map(|_| AtomicU64::new(0)).collect();

    let (log, stop, made) = (&log, &stop, &made);
    std::thread::scope(|scope| {
        // However it ends, the others end as well.
        let _stopping = Stopping(stop);
        for (me, made) in people.iter().zip(made) {
            let other = &other;
            scope.spawn(move || keep_busy(log, me, other, stop, made));
        }
        let go_on = || {
            let before: Vec<u64> = made.iter().map(|made| made.load(Ordering::SeqCst)).collect();
            eventually("everybody goes on", || {
                made.iter().zip(&before).all(|(m, b)| m.load(Ordering::SeqCst) >= b + ENOUGH)
            });
        };
        go_on();
        // As docs/operations.md says: nobody is sent to an instance that is about to end.
        nginx.reload(&[&here_down, &there]);
        a.signal("TERM");
        assert_eq!(a.child.wait().unwrap().code(), Some(0));
        go_on();
        // Migrates the database, while the other one serves.
        a = start(site.postly(), first);
        nginx.reload(&[&here, &there]);
        let plan = site.run(&["migrate", "--plan"], "");
        assert_eq!(plan.status.code(), Some(0), "{}", plan.text);
        go_on();
        use_everything(log, &b, &ann, &root, "previous");
        use_everything(log, &a, &ann, &root, "present");
        go_on();
        nginx.reload(&[&here, &there_down]);
        b.signal("TERM");
        assert_eq!(b.child.wait().unwrap().code(), Some(0));
        go_on();
        b = start(site.postly(), second);
        nginx.reload(&[&here, &there]);
        use_everything(log, &b, &ann, &root, "after");
        go_on();
    });
    let failures = log.failures.lock().unwrap();
    let requests = log.requests.load(Ordering::SeqCst);
    println!("{requests} requests, {} failures", failures.len());
    assert!(failures.is_empty(), "{failures:#.200?}\n{}", nginx.log());

    wait_for(async {
        let db = site.db().await;
        let ids: Vec<(i64,)> = sql("SELECT id FROM posts").all(&db).await.unwrap();
        let found: BTreeSet<i64> = ids.into_iter().map(|(id,)| id).collect();
        assert_eq!(found, *log.posts.lock().unwrap(), "every acknowledged post, and no other");
        let wrong: Vec<(i64,)> = sql("SELECT id FROM posts WHERE votes <> \
             (SELECT count(*) FROM votes WHERE post_id = posts.id)")
        .all(&db)
        .await
        .unwrap();
        assert_eq!(wrong, []);
        db.close().await;
    });
    let verified = site.run(&["audit", "verify"], "");
    assert!(verified.status.success(), "{}", verified.text);
}

struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

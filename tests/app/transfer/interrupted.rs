//! A move that ends before its time leaves the source as it was, and a target that nobody serves.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};

use rocket::tokio::runtime::{Builder, Runtime};

use super::{refused, relocate, tables};
use crate::support::binary::{Site, eventually, wait_for};
use crate::support::database;
use crate::support::internals::{Db, Tx, sql};
use crate::support::postgres::Relay;

/// A site on PostgreSQL in which a move stops at the votes, after the posts, until the lock is
/// released.
struct Stuck {
    site: Site,
    /// All rows, before.
    contents: BTreeMap<String, Vec<String>>,
    runtime: Runtime,
    db: Db,
    lock: Option<Tx>,
}

impl Stuck {
    fn new() -> Stuck {
        let site = Site::new();
        let added = site.run(&["demo", "--posts", "60"], "");
        assert!(added.status.success(), "{}", added.text);
        // With a thread of its own, which goes on while a test waits for a process.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let (contents, db, lock) = runtime.block_on(async {
            let contents = database::contents(site.url()).await;
            let db = site.db().await;
            let mut lock = db.begin().await.unwrap();
            sql("LOCK TABLE votes IN ACCESS EXCLUSIVE MODE").execute(&mut lock).await.unwrap();
            (contents, db, lock)
        });
        Stuck { site, contents, runtime, db, lock: Some(lock) }
    }

    /// Starts a move, and waits until it is in the middle. `--online`, since the lock is held by a
    /// connection like those of a server.
    fn start(&self, to: &str) -> Child {
        let mut command = self.site.postly();
        command.args(["move", "--online", "--to", to]);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND wait_event_type = 'Lock'";
        eventually("it waits for the votes", || {
            let count = sql(waiting).scalar::<i64>(&self.db);
            self.runtime.block_on(count).unwrap() > 0
        });
        child
    }

    fn release(&mut self) {
        let _context = self.runtime.enter();
        self.lock = None;
    }
}

impl Drop for Stuck {
    fn drop(&mut self) {
        self.release();
    }
}

fn kill(child: &mut Child, signal: &str) {
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-s", signal, &id]).status();
    assert!(sent.unwrap().success());
    assert!(!child.wait().unwrap().success());
}

/// Nobody serves it, or uses it otherwise.
fn unusable(to: &str) {
    let target = Site::on(to.to_owned());
    let others = [&["migrate"][..], &["user", "list"], &["migrate", "--plan"]];
    let outputs = others.iter().map(|command| target.run(command, ""));
    for output in outputs.chain([target.refuses_to_serve()]) {
        refused(&output, "was not filled completely: repeat `postly move`");
        assert_eq!(output.text.trim().lines().count(), 1, "{}", output.text);
    }
}

fn whole(to: &str) {
    let target = Site::on(to.to_owned());
    assert_eq!(target.run(&["migrate", "--plan"], "").status.code(), Some(0));
    assert!(target.run(&["audit", "verify"], "").status.success());
    assert_eq!(target.run(&["user", "list"], "").stdout.lines().count(), 14);
    let server = target.start();
    let list = server.nobody().ask("GET", "/posts?limit=100", None).json;
    assert_eq!(list["items"].as_array().unwrap().len(), 60);
}

#[test]
fn an_interrupted_move_can_be_repeated() {
    if !database::is_postgres() {
        return; // Only there can it be held in the middle; the target is on either engine.
    }
    for signal in ["KILL", "INT"] {
        let folder = tempfile::tempdir().unwrap();
        let sqlite = format!("sqlite:{}", folder.path().join("moved.db").display());
        for to in [sqlite, wait_for(database::empty_postgres())] {
            let mut stuck = Stuck::new();
            kill(&mut stuck.start(&to), signal);
            unusable(&to);
            stuck.release();
            let site = &stuck.site;
            let contents = wait_for(database::contents(site.url()));
            assert_eq!(contents, stuck.contents, "the source is as it was");
            let moved = relocate(site, &to, &["--online"]);
            assert!(tables(&moved).iter().any(|(name, rows, _)| name == "posts" && *rows == 60));
            whole(&to);
        }
    }
}

#[test]
fn a_target_that_is_gone_is_told_of() {
    if !database::is_postgres() {
        return;
    }
    let mut stuck = Stuck::new();
    let direct = wait_for(database::empty_postgres());
    let relay = stuck.runtime.block_on(Relay::at(&direct, 0));
    let child = stuck.start(&relay.url);
    relay.close();
    stuck.release();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("postly: the move failed at the table votes of"), "{text}");
    unusable(&direct);
    tables(&relocate(&stuck.site, &direct, &["--online"]));
    whole(&direct);
}

/// Interrupted at its very end, after the rows were committed.
#[test]
fn a_move_that_was_never_finished_begins_anew() {
    let site = Site::new();
    assert!(site.run(&["demo", "--posts", "60"], "").status.success());
    let to = super::target(&site);
    tables(&relocate(&site, &to, &[]));
    let target = Site::on(to.clone());
    wait_for(async {
        let db = target.db().await;
        sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             SELECT 9000000000, 'x', TRUE, checksum, 0 FROM _sqlx_migrations WHERE version = 1")
            .execute(db.writer())
            .await
            .unwrap();
        sql("UPDATE posts SET title = 'changed'").execute(db.writer()).await.unwrap();
        db.close().await;
    });
    unusable(&to);
    tables(&relocate(&site, &to, &[]));
    whole(&to);
    eventually("the titles are those of the source", || {
        let server = target.start();
        let list = server.nobody().ask("GET", "/posts?limit=100", None).json;
        list["items"].as_array().unwrap().iter().all(|post| post["title"] != "changed")
    });
}

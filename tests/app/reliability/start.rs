//! Starting: two instances at once on an empty database, and before PostgreSQL.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::Path;

use crate::support::binary::{Server, Site, Starting, eventually, wait_for};
use crate::support::database::{self, is_postgres};
use crate::support::internals::sql;
use crate::support::postgres::Relay;
use crate::support::{SECRET, repetitions};

#[test]
fn two_that_start_at_once_migrate_once_and_both_serve() {
    // The race is short, so a few attempts are needed to hit it.
    for _ in 0..5 * repetitions() {
        let site = Site::empty();
        let starting = [0, 1].map(|_| Starting::of(&mut site.postly()));
        let [first, second] = starting.map(Starting::ready);
        assert_ne!(first.url, second.url);
        let ann = first.newcomer("ann");
        let there = |instance: &Server| ann.at(instance);
        for instance in [&first, &second] {
            assert_eq!(instance.nobody().get("/readyz").unwrap().status, 200);
        }
        // Each sees what was written through the other, including log-ins.
        let by_first = there(&first).posts("at the first");
        let by_second = there(&second).posts("at the second");
        for (instance, id) in [(&first, by_second), (&second, by_first)] {
            assert_eq!(there(instance).ask("GET", &format!("/posts/{id}"), None).status, 200);
        }
        wait_for(migrated_once(&site));
    }
}

/// Without a configured secret one is generated; instances that start at once must agree on it.
#[test]
fn two_that_start_at_once_in_an_empty_folder_share_their_secret() {
    let site = Site::empty();
    if !site.is_sqlite() {
        return; // With PostgreSQL the secret must be configured.
    }
    let starting = [0, 1].map(|_| Starting::of(site.postly().env_remove("POSTLY_SECRET_KEY")));
    let [first, second] = starting.map(Starting::ready);
    let ann = first.newcomer("ann");
    assert_eq!(ann.at(&second).ask("GET", "/me", None).status, 200);
}

/// Server and database are often started together.
#[test]
fn it_waits_for_a_postgresql_server_that_is_starting() {
    if !is_postgres() {
        return;
    }
    let direct = wait_for(database::migrated(Path::new("/nowhere")));
    let mut url = url::Url::parse(&direct).unwrap();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(port)).unwrap();
    let site = Site::unconfigured();
    let log = site.path("log");
    let mut command = site.postly();
    command.env("DATABASE_URL", url.as_str()).env("POSTLY_SECRET_KEY", SECRET);
    let starting = Starting::logging_to(&mut command, &log);
    eventually("it says that it waits", || {
        std::fs::read_to_string(&log).unwrap().contains("waiting for PostgreSQL")
    });
    let runtime = rocket::tokio::runtime::Runtime::new().unwrap();
    let _relay = runtime.block_on(Relay::at(&direct, port));
    let server = starting.ready();
    assert_eq!(server.nobody().get("/readyz").unwrap().status, 200);
}

async fn migrated_once(site: &Site) {
    let db = site.db().await;
    let applied: Vec<(i64,)> =
        sql("SELECT version FROM _sqlx_migrations WHERE success = true").all(&db).await.unwrap();
    let files = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let there: BTreeSet<i64> = std::fs::read_dir(files)
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy()[..4].parse().unwrap())
        .collect();
    assert_eq!(applied.len(), there.len());
    assert_eq!(applied.into_iter().map(|(version,)| version).collect::<BTreeSet<_>>(), there);
}

//! Work of many people at the same time, which SQLite commits together: each counts by itself.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::task::JoinHandle;

use crate::support::database::{is_postgres, migrated};
use crate::support::internals::{Db, Error, sql};

const TASKS: i64 = 400;

/// How work ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Commits,
    GivesUp,
    /// A statement is refused, as when a name is taken.
    IsRefused,
    /// Whoever waits for it goes away in the middle.
    IsCancelled,
    /// A statement fails and takes the whole transaction of the database with it, as a full disk does.
    RollsBackAll,
}

fn far_future() -> DateTime<Utc> {
    Utc::now() + TimeDelta::days(1)
}

/// Writes row `n`, and ends as it is told. What it wrote can be read by others once it is committed.
async fn work(db: Db, n: i64, kind: Kind) -> Result<(), Error> {
    let insert = |text| sql(text).bind(format!("work:{n}")).bind(n).bind(far_future());
    let plain = || insert("INSERT INTO throttles (key, count, ends_at) VALUES ($1, $2, $3)");
    let mut tx = db.begin().await?;
    plain().execute(&mut tx).await?;
    tokio::task::yield_now().await;
    match kind {
        Kind::Commits | Kind::IsCancelled => {}
        Kind::GivesUp => return Err(Error::NotFound),
        Kind::IsRefused => drop(plain().execute(&mut tx).await?),
        Kind::RollsBackAll => {
            let ruin =
                "INSERT OR ROLLBACK INTO throttles (key, count, ends_at) VALUES ($1, $2, $3)";
            let failed = insert(ruin).execute(&mut tx).await;
            assert!(failed.is_err());
            // Not even if it goes on as if nothing had happened.
            let after = sql("INSERT INTO throttles (key, count, ends_at) VALUES ($1, 1, $2)")
                .bind(format!("after:{n}"));
            let _ = after.bind(far_future()).execute(&mut tx).await;
        }
    }
    tx.commit().await?;
    assert_eq!(rows(&db, n).await, 1, "{n}: committed, and nobody can read it");
    Ok(())
}

async fn rows(db: &Db, n: i64) -> i64 {
    count(db, format!("work:{n}")).await
}

async fn count(db: &Db, key: String) -> i64 {
    sql("SELECT count(*) FROM throttles WHERE key = $1").bind(key).scalar(db).await.unwrap()
}

async fn start(db: &Db, n: i64, kind: Kind) -> JoinHandle<Result<(), Error>> {
    let handle = tokio::spawn(work(db.clone(), n, kind));
    // They meet in different places.
    for _ in 0..n % 5 {
        tokio::task::yield_now().await;
    }
    handle
}

/// Runs a test on threads that work at the same time.
fn with_database<F: Future<Output = ()>>(test: impl FnOnce(Db) -> F) {
    let folder = tempfile::tempdir().unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.unwrap().block_on(async {
        let url = migrated(folder.path()).await;
        test(Db::connect(&url, 4, Duration::from_secs(60)).await.unwrap()).await;
    });
}

#[test]
fn what_is_committed_together_succeeds_and_fails_by_itself() {
    with_database(each_by_itself);
}

async fn each_by_itself(db: Db) {
    let mut started = Vec::new();
    for n in 0..TASKS {
        let kind = match n % 7 {
            1 => Kind::GivesUp,
            3 => Kind::IsRefused,
            5 => Kind::IsCancelled,
            _ => Kind::Commits,
        };
        started.push((n, kind, start(&db, n, kind).await));
    }
    for (n, kind, handle) in &started {
        if *kind == Kind::IsCancelled {
            // Until it is somewhere in its work, or done.
            for _ in 0..n % 50 {
                tokio::task::yield_now().await;
            }
            handle.abort();
        }
    }
    for (n, kind, handle) in started {
        let outcome = handle.await;
        let found = rows(&db, n).await;
        match kind {
            Kind::Commits => {
                assert!(matches!(outcome, Ok(Ok(()))), "{n}: {outcome:?}");
                assert_eq!(found, 1, "{n} is lost");
            }
            Kind::GivesUp | Kind::IsRefused => {
                assert!(matches!(outcome, Ok(Err(_))), "{n}: {outcome:?}");
                assert_eq!(found, 0, "{n} was given up, and has been written");
            }
            _ => {}
        }
    }
}

#[test]
fn when_the_database_rolls_everything_back_nobody_is_told_that_it_was_written() {
    with_database(all_rolled_back);
}

async fn all_rolled_back(db: Db) {
    let mut started = Vec::new();
    for n in 0..TASKS {
        let kind = if n % 20 == 11 { Kind::RollsBackAll } else { Kind::Commits };
        started.push((n, kind, start(&db, n, kind).await));
    }
    let mut written = 0;
    for (n, kind, handle) in started {
        let outcome = handle.await.unwrap();
        assert_eq!(count(&db, format!("after:{n}")).await, 0, "{n}: written without a transaction");
        let found = rows(&db, n).await;
        assert_eq!(found, i64::from(outcome.is_ok()), "{n}: {outcome:?}");
        if kind == Kind::RollsBackAll {
            assert!(outcome.is_err(), "{n}");
        } else {
            assert!(matches!(outcome, Ok(()) | Err(Error::Unavailable)), "{n}: {outcome:?}");
        }
        written += found;
    }
    if is_postgres() {
        // There, each transaction is its own.
        assert_eq!(written, TASKS - TASKS / 20);
    }
    // The next one writes as if nothing had been.
    work(db.clone(), TASKS, Kind::Commits).await.unwrap();
}

#[test]
fn work_that_is_given_up_while_others_wait_lets_them_write() {
    with_database(given_up);
}

async fn given_up(db: Db) {
    let tx = db.begin().await.unwrap();
    let waiting: Vec<_> =
        (0..5).map(|n| tokio::spawn(work(db.clone(), n, Kind::Commits))).collect();
    tokio::task::yield_now().await;
    drop(tx);
    for handle in waiting {
        let written = tokio::time::timeout(Duration::from_secs(60), handle).await;
        written.expect("nobody waits for ever").unwrap().unwrap();
    }
}

//! Group commit on SQLite: work that waits for the one connection that writes shares a transaction, and
//! with it the commit, which waits for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::Transaction;
use sqlx::sqlite::{Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard, oneshot};
use tokio::time::timeout;

use super::freshness::Freshness;
use super::sqlite_file::SqliteGuard;
use crate::error::{Error, Fault, Result};

/// How many share a commit at most: the first of them waits for the last one.
const MOST: usize = 64;

/// What the commit of a group has come to. An error that is not about the database has no fault.
type Outcome = std::result::Result<(), Option<Fault>>;

/// A transaction of SQLite, and whose work it has so far.
struct Group {
    tx: Transaction<'static, Sqlite>,
    /// Those who wait for the commit.
    waiting: Vec<oneshot::Sender<Outcome>>,
    /// Whether the savepoint before the latest work exists. Before that of the first, there is none.
    has_savepoint: bool,
    /// Whether that work was given up, and is still to be rolled back.
    is_abandoned: bool,
}

impl Group {
    /// Makes room for the work that comes next, which can be rolled back by itself.
    async fn prepare(&mut self) -> sqlx::Result<()> {
        let savepoint = match (self.has_savepoint, self.is_abandoned) {
            (false, _) => "SAVEPOINT work",
            // SQLite keeps what has changed since a savepoint: there is one at a time.
            (true, false) => "RELEASE work; SAVEPOINT work",
            (true, true) => return self.undo().await,
        };
        sqlx::query(savepoint).execute(&mut *self.tx).await?;
        self.has_savepoint = true;
        Ok(())
    }

    /// Rolls back the work that was given up. Fails when SQLite has rolled back everything, as it does
    /// after some errors.
    async fn undo(&mut self) -> sqlx::Result<()> {
        sqlx::query("ROLLBACK TO work").execute(&mut *self.tx).await?;
        self.is_abandoned = false;
        Ok(())
    }

    fn tell(waiting: Vec<oneshot::Sender<Outcome>>, outcome: &Result<()>) {
        for one in waiting {
            // Whoever has gone away need not know.
            let _ = one.send(match outcome {
                Ok(()) => Ok(()),
                Err(Error::Unserved(fault)) => Err(Some(fault.clone())),
                Err(_) => Err(None),
            });
        }
    }
}

/// The turn to write; the group is there while its transaction is open.
type Turn = OwnedMutexGuard<Option<Group>>;

/// Transactions on the connection that writes. Cheap to clone.
#[derive(Clone)]
pub struct GroupCommit {
    writer: SqlitePool,
    guard: SqliteGuard,
    content: Freshness,
    /// Fair: turns come in the order of arrival.
    turn: Arc<Mutex<Option<Group>>>,
    /// How many wait for their turn.
    arriving: Arc<AtomicUsize>,
}

/// One who waits for the turn, until this is dropped.
struct Arrival<'a>(&'a AtomicUsize);

impl Arrival<'_> {
    fn new(arriving: &AtomicUsize) -> Arrival<'_> {
        arriving.fetch_add(1, Ordering::Relaxed);
        Arrival(arriving)
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl GroupCommit {
    pub(super) fn new(writer: SqlitePool, guard: SqliteGuard, content: Freshness) -> GroupCommit {
        let (turn, arriving) = Default::default();
        GroupCommit { writer, guard, content, turn, arriving }
    }

    /// Waits for the turn to write, and begins a transaction or joins the one that is open.
    pub(super) async fn begin(&self) -> Result<SqliteTx> {
        let limit = self.writer.options().get_acquire_timeout();
        let turn = timeout(limit, self.turn()).await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        let turn = match *turn {
            None => self.open(turn).await?,
            // A statement that is no longer waited for may have run or not. This one runs to its end.
            Some(_) => {
                let joined = tokio::spawn(self.clone().join(turn)).await;
                joined.map_err(|_| Error::Unavailable)??
            }
        };
        Ok(SqliteTx { turn: Some(turn), commits: self.clone(), is_intact: true })
    }

    async fn turn(&self) -> Turn {
        let _arrival = Arrival::new(&self.arriving);
        self.turn.clone().lock_owned().await
    }

    /// Opens a transaction. It takes the write lock at once, so that it cannot fail later because a
    /// read lock has to be upgraded.
    async fn open(&self, mut turn: Turn) -> Result<Turn> {
        self.guard.check()?;
        let begin = async { Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?) };
        let tx = self.guard.observe(begin).await?;
        let waiting = Vec::new();
        *turn = Some(Group { tx, waiting, has_savepoint: false, is_abandoned: false });
        Ok(turn)
    }

    async fn join(self, mut turn: Turn) -> Result<Turn> {
        if let Some(mut group) = turn.take() {
            self.guard.deadline().begin();
            match group.prepare().await {
                Ok(()) => {
                    *turn = Some(group);
                    return Ok(turn);
                }
                Err(error) => Group::tell(group.waiting, &Err(error.into())),
            }
        }
        self.open(turn).await
    }

    /// Commits what the turn has, and says so to those who wait.
    async fn close(&self, turn: &mut Turn) -> Result<()> {
        let Some(mut group) = turn.take() else { return Ok(()) };
        let waiting = std::mem::take(&mut group.waiting);
        if !waiting.is_empty() {
            self.guard.deadline().begin();
        }
        let outcome = self.finish(group).await;
        Group::tell(waiting, &outcome);
        outcome
    }

    async fn finish(&self, mut group: Group) -> Result<()> {
        if group.is_abandoned {
            group.undo().await?;
        }
        let _write = self.content.begin_write();
        self.guard.write(async { Ok(group.tx.commit().await?) }).await
    }
}

/// Work on the connection that writes; rolled back unless committed.
pub struct SqliteTx {
    /// None once it is committed.
    turn: Option<Turn>,
    commits: GroupCommit,
    /// Whether all statements so far have succeeded. After some errors, SQLite has rolled back the whole
    /// transaction, and later statements would be committed one by one.
    is_intact: bool,
}

impl SqliteTx {
    /// The connection for one statement, after which `end_statement` is called if it has succeeded.
    pub(super) fn begin_statement(&mut self) -> Result<(&mut SqliteConnection, &SqliteGuard)> {
        if !std::mem::take(&mut self.is_intact) {
            return Err(Error::Unavailable);
        }
        let group = self.turn.as_deref_mut().and_then(Option::as_mut).ok_or(Error::Unavailable)?;
        Ok((&mut group.tx, &self.commits.guard))
    }

    pub(super) fn end_statement(&mut self) {
        self.is_intact = true;
    }

    /// Lifts the time limit, until the next work begins. What others have written is committed first:
    /// they need not wait for what may take long.
    pub(super) async fn without_time_limit(&mut self) -> Result<()> {
        let Some(mut turn) = self.turn.take() else { return Err(Error::Unavailable) };
        if turn.as_ref().is_some_and(|group| !group.waiting.is_empty()) {
            self.commits.close(&mut turn).await?;
            turn = self.commits.open(turn).await?;
        }
        self.commits.guard.deadline().lift();
        self.turn = Some(turn);
        Ok(())
    }

    /// # Errors
    /// `Unavailable` when a statement has failed; those of the commit, for everybody in the group.
    pub(super) async fn commit(mut self) -> Result<()> {
        if !self.is_intact {
            return Err(Error::Unavailable);
        }
        let Some(mut turn) = self.turn.take() else { return Err(Error::Unavailable) };
        let commits = self.commits.clone();
        let Some(group) = turn.as_mut() else { return Err(Error::Unavailable) };
        let is_first = group.waiting.is_empty();
        if is_first && commits.arriving.load(Ordering::Relaxed) == 0 {
            return commits.close(&mut turn).await;
        }
        let (one, outcome) = oneshot::channel();
        group.waiting.push(one);
        if group.waiting.len() >= MOST {
            tokio::spawn(async move { commits.close(&mut turn).await });
        } else if is_first {
            drop(turn);
            // Its turn comes after those who wait already: they join.
            tokio::spawn(async move {
                let mut turn = commits.turn.clone().lock_owned().await;
                commits.close(&mut turn).await
            });
        } else {
            drop(turn);
        }
        match outcome.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Some(fault))) => Err(fault.into()),
            Ok(Err(None)) | Err(_) => Err(Error::Unavailable),
        }
    }
}

impl Drop for SqliteTx {
    fn drop(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        match turn.as_mut() {
            Some(group) if !group.waiting.is_empty() => group.is_abandoned = true,
            // Rolled back as a whole.
            _ => **turn = None,
        }
    }
}

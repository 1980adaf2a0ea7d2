//! The time limit of whatever the one connection that writes to SQLite does next.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::sqlite::SqliteConnection;

/// How many instructions of its virtual machine SQLite executes between two looks at the clock.
const INSTRUCTIONS: i32 = 10_000;
/// No limit.
const NEVER: u64 = u64::MAX;

/// When SQLite interrupts what a connection does, with SQLITE_INTERRUPT. Moving it asks nothing of the
/// thread of the connection, which a progress handler of its own for each transaction would do. Cheap to
/// clone.
#[derive(Clone)]
pub struct Deadline {
    limit: Option<Duration>,
    began: Instant,
    /// Milliseconds after `began`.
    ends: Arc<AtomicU64>,
}

impl Deadline {
    /// Of a connection that may do something for so long at a time.
    pub(super) fn new(limit: Option<Duration>) -> Deadline {
        Deadline { limit, began: Instant::now(), ends: Arc::new(AtomicU64::new(NEVER)) }
    }

    /// Lets SQLite look at it. A new connection has no other, and there is no other connection.
    pub(super) async fn watch(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        if self.limit.is_some() {
            let watched = self.clone();
            let mut handle = connection.lock_handle().await?;
            handle.set_progress_handler(INSTRUCTIONS, move || !watched.is_over());
        }
        Ok(())
    }

    /// The connection begins something.
    pub(super) fn begin(&self) {
        let ends = self.limit.map(|limit| self.began.elapsed() + limit);
        let ends = ends.map(|ends| u64::try_from(ends.as_millis()).unwrap_or(NEVER));
        self.ends.store(ends.unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// What has begun may take as long as it wants.
    pub(super) fn lift(&self) {
        self.ends.store(NEVER, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        let ends = self.ends.load(Ordering::Relaxed);
        ends != NEVER && self.began.elapsed() >= Duration::from_millis(ends)
    }
}

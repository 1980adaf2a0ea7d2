//! Whether what this instance knows about the database may have changed since it was read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::error::{Error, Result};

/// For how long a change by another instance, or by a command, may go unnoticed.
const MAX_AGE: Duration = Duration::from_millis(500);

/// A number that was read, until it may have changed. Cheap to clone.
#[derive(Clone, Default)]
pub struct Freshness(Arc<State>);

#[derive(Default)]
struct State {
    /// How many writes of this instance have ended.
    writes: AtomicU64,
    known: RwLock<Option<Known>>,
    /// Held by the one who reads.
    reading: Mutex<()>,
    /// How often it could not be read.
    failures: AtomicU64,
}

#[derive(Clone, Copy)]
struct Known {
    number: i64,
    /// `State::writes` before it was read.
    writes: u64,
    read_at: Instant,
}

/// A write of this instance. It ends when this is dropped, however that comes about: whether a write
/// that failed or was given up has been committed, nobody knows.
pub(super) struct Write(Freshness);

impl Drop for Write {
    fn drop(&mut self) {
        self.0.0.writes.fetch_add(1, Ordering::Release);
    }
}

impl Freshness {
    pub(super) fn begin_write(&self) -> Write {
        Write(self.clone())
    }

    /// The known number, if no write of this instance has ended since it was read, and if it is not
    /// too old.
    fn known(&self) -> Option<i64> {
        let known = *self.0.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |known: &Known| {
            known.writes == self.0.writes.load(Ordering::Acquire)
                && known.read_at.elapsed() < MAX_AGE
        };
        known.filter(is_fresh).map(|known| known.number)
    }

    /// The known number, or else the result of `read`, which one caller at a time runs.
    ///
    /// # Errors
    /// Those of `read`. Whoever waited for a read that failed gets `Unavailable`: they need not fail
    /// one after the other.
    pub(super) async fn get(&self, read: impl Future<Output = Result<i64>>) -> Result<i64> {
        if let Some(number) = self.known() {
            return Ok(number);
        }
        let state = &self.0;
        let failures = state.failures.load(Ordering::Acquire);
        let _one = state.reading.lock().await;
        if let Some(number) = self.known() {
            return Ok(number);
        }
        if state.failures.load(Ordering::Acquire) != failures {
            return Err(Error::Unavailable);
        }
        // Before it is read: what is written meanwhile may not be part of it.
        let (writes, read_at) = (state.writes.load(Ordering::Acquire), Instant::now());
        let number = read.await.inspect_err(|_| {
            state.failures.fetch_add(1, Ordering::Release);
        })?;
        let known = Known { number, writes, read_at };
        *state.known.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        Ok(number)
    }
}

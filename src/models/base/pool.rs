//! Expensive work outside the threads that serve requests, with a bounded queue.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Runs work on blocking threads, no more at once than there are cores, so that the site stays
/// responsive. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    cores: Arc<Semaphore>,
    /// Places in the queue; when all are taken, further callers are rejected immediately.
    queue: Arc<Semaphore>,
}

impl Default for Pool {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Pool { cores: Arc::new(Semaphore::new(cores)), queue: Arc::new(Semaphore::new(cores * 64)) }
    }
}

impl Pool {
    /// Runs expensive work on a blocking thread, after earlier callers. Nothing can stop it once it
    /// has begun, so it must be bounded.
    ///
    /// # Errors
    /// `Unavailable` when too many callers are already waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let _place = self.queue.try_acquire().map_err(|_| Error::Unavailable)?;
        let core = self.cores.clone().acquire_owned().await.map_err(|_| Error::Unavailable)?;
        let running = tokio::task::spawn_blocking(move || {
            // Held until the work ends, even if the caller has gone.
            let _core = core;
            work()
        });
        running.await.map_err(|e| Error::Internal(e.to_string()))
    }
}

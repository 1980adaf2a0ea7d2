//! Expensive work outside the threads that serve requests, with a bounded queue.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Runs work on blocking threads, no more at once than there are cores, so that the site stays
/// responsive. Cheap to clone.
#[derive(Clone)]
pub struct Pool {
    cores: Arc<Semaphore>,
    /// Places in the queue; when all are taken, further callers are rejected immediately.
    queue: Arc<Semaphore>,
    threads: Threads,
}

/// The threads that do the work.
#[derive(Clone, Copy)]
enum Threads {
    Tokio,
    LowPriority,
}

/// Threads that give way to those that serve requests. A thread can lower its priority but not raise it
/// again, so they are not tokio's, which do other work as well.
static LOW_PRIORITY: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_current_thread()
        .max_blocking_threads(available_cores())
        // Their memory is returned between bursts of log-ins.
        .thread_keep_alive(Duration::from_secs(10))
        .thread_name("low-priority")
        .on_thread_start(lower_priority)
        .build()
});

/// On Linux, a priority belongs to a thread; elsewhere to the whole process, which must keep its own.
fn lower_priority() {
    /// Gets about a tenth of the time of a thread with the usual priority, when both want all of it.
    #[cfg(target_os = "linux")]
    const NICENESS: i32 = 10;
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "could not lower the priority of a thread");
    }
}

fn available_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Default for Pool {
    fn default() -> Self {
        let cores = available_cores();
        Pool {
            cores: Arc::new(Semaphore::new(cores)),
            queue: Arc::new(Semaphore::new(cores * 64)),
            threads: Threads::Tokio,
        }
    }
}

impl Pool {
    /// A pool for work that takes so long that it must not compete with requests for a core.
    pub fn with_low_priority() -> Pool {
        Pool { threads: Threads::LowPriority, ..Pool::default() }
    }

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
        let work = move || {
            // Held until the work ends, even if the caller has gone.
            let _core = core;
            work()
        };
        let low_priority = match self.threads {
            Threads::LowPriority => LOW_PRIORITY.as_ref().ok(),
            Threads::Tokio => None,
        };
        let running = match low_priority {
            Some(runtime) => runtime.spawn_blocking(work),
            None => tokio::task::spawn_blocking(work),
        };
        running.await.map_err(|e| Error::Internal(e.to_string()))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_threads_of_low_priority_work_give_way() {
        // The niceness is the nineteenth field; the name before it has no spaces.
        let niceness = || {
            let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
            stat.split(' ').nth(18).unwrap().parse::<i32>().unwrap()
        };
        let run = |pool: Pool| {
            let runtime = Builder::new_current_thread().build().unwrap();
            runtime.block_on(pool.run(niceness)).unwrap()
        };
        let usual = niceness();
        assert_eq!(run(Pool::default()), usual);
        assert_eq!(run(Pool::with_low_priority()), (usual + 10).min(19));
    }
}

//! Circuit breaker: after a connection failure, fail fast with 503 until the server answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::PgPool;

use crate::error::{Error, Result};

/// How often the server is probed while the circuit is open.
const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// Open while the server is unreachable. With the pool alone, every request would wait for a
/// connection until it times out.
#[derive(Clone)]
pub struct CircuitBreaker {
    pool: PgPool,
    open: Arc<AtomicBool>,
}

impl CircuitBreaker {
    pub fn new(pool: PgPool) -> CircuitBreaker {
        CircuitBreaker { pool, open: Arc::default() }
    }

    /// Runs `work`, unless the circuit is open.
    ///
    /// # Errors
    /// `Disconnected` immediately while the circuit is open.
    pub async fn call<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        if self.open.load(Ordering::Relaxed) {
            return Err(Error::Disconnected);
        }
        let result = work.await;
        if let Err(Error::Disconnected) = result
            && !self.open.swap(true, Ordering::Relaxed)
        {
            tokio::spawn(self.clone().probe());
        }
        result
    }

    /// Closes the circuit as soon as the server answers: immediately, if it was only busy.
    async fn probe(self) {
        while !self.pool.is_closed() {
            if sqlx::query("SELECT 1").execute(&self.pool).await.is_ok() {
                tracing::info!("the database is reachable again");
                break;
            }
            tokio::time::sleep(PROBE_INTERVAL).await;
        }
        self.open.store(false, Ordering::Relaxed);
    }
}

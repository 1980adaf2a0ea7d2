//! A database server that is gone: noticed once, then answered for at once until it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::postgres::PgPool;

use crate::error::{Error, Result};

/// How often it is looked whether the server is back.
const ROUND: Duration = Duration::from_millis(500);

/// Whether the server is gone. A pool alone would let every request wait for a connection, until
/// its time runs out.
#[derive(Clone)]
pub struct Outage {
    pool: PgPool,
    gone: Arc<AtomicBool>,
}

impl Outage {
    pub fn new(pool: PgPool) -> Outage {
        Outage { pool, gone: Arc::default() }
    }

    /// Does what asks the server, unless it is known to be gone.
    pub async fn watch<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        if self.gone.load(Ordering::Relaxed) {
            return Err(Error::Unavailable);
        }
        let done = work.await;
        if let Err(Error::Unavailable) = done
            && !self.gone.swap(true, Ordering::Relaxed)
        {
            tokio::spawn(self.clone().wait());
        }
        done
    }

    /// Ends when the server answers again; at once, if it was merely busy.
    async fn wait(self) {
        while !self.pool.is_closed() {
            if sqlx::query("SELECT 1").execute(&self.pool).await.is_ok() {
                tracing::info!("the database answers again");
                break;
            }
            tokio::time::sleep(ROUND).await;
        }
        self.gone.store(false, Ordering::Relaxed);
    }
}

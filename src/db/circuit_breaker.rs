//! Circuit breaker in front of PostgreSQL: while the server is unreachable, requests fail at once.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::health::{Health, Outage, PROBE_INTERVAL, Readiness};
use crate::error::{Error, Fault, FaultKind, Result};

/// After this long, a call that is still waiting makes the server be probed. A server that hangs
/// sends no error.
const SUSPICIOUS: Duration = Duration::from_secs(1);

/// How long a probe waits for its answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Fails on a server that is read-only, or that cannot extend a file.
const WRITE_PROBE: &str = "BEGIN; CREATE TEMPORARY TABLE postly_probe ON COMMIT DROP AS \
     SELECT n FROM generate_series(1, 5000) AS n; ROLLBACK";

/// Open while the server is unreachable. Only a probe on a connection of its own opens it: the pool
/// may be exhausted, and one connection may break, without the server being gone.
#[derive(Clone)]
pub struct CircuitBreaker {
    pool: PgPool,
    health: Health,
    probe: Arc<Probe>,
    abandoned: Abandoned,
}

#[derive(Default)]
struct Probe {
    running: AtomicBool,
    /// When the server last answered one.
    answered: Mutex<Option<Instant>>,
}

impl CircuitBreaker {
    pub fn new(pool: PgPool, health: Health, abandoned: Abandoned) -> CircuitBreaker {
        CircuitBreaker { pool, health, probe: Arc::default(), abandoned }
    }

    /// Runs `work`, unless the circuit is open; gives it up when the circuit opens, or after
    /// `patience`.
    ///
    /// # Errors
    /// Those of `work`; `Unserved` while the circuit is open, immediately.
    pub async fn call<T>(
        &self,
        patience: Option<Duration>,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let mut outage = self.health.watch();
        if is_open(&outage.borrow_and_update()) {
            return Err(gone().into());
        }
        let result = tokio::select! {
            biased;
            result = work => result,
            fault = self.give_up(&mut outage, patience) => {
                self.abandoned.note();
                Err(fault.into())
            }
        };
        result.map_err(|error| self.observe(error))
    }

    /// Completes when waiting is futile.
    async fn give_up(
        &self,
        outage: &mut watch::Receiver<Option<Outage>>,
        patience: Option<Duration>,
    ) -> Fault {
        let start = Instant::now();
        loop {
            tokio::select! {
                _ = outage.wait_for(is_open) => return gone(),
                () = sleep(SUSPICIOUS) => self.suspect(),
            }
            if patience.is_some_and(|patience| start.elapsed() > patience) {
                return Fault::new(FaultKind::Busy, "the server did not answer in time");
            }
        }
    }

    fn observe(&self, error: Error) -> Error {
        let Error::Unserved(mut fault) = error else { return error };
        match fault.kind {
            FaultKind::Gone if !fault.known => self.probe(),
            FaultKind::Full | FaultKind::ReadOnly => {
                if self.health.record(&mut fault) {
                    tokio::spawn(self.clone().until_writable(fault.kind));
                }
            }
            _ => {}
        }
        fault.into()
    }

    /// Probes the server, unless it has just answered: this call may only be slow.
    fn suspect(&self) {
        let answered = self.probe.answered.lock().ok().and_then(|at| *at);
        if answered.is_none_or(|at| at.elapsed() >= SUSPICIOUS) {
            self.probe();
        }
    }

    fn probe(&self) {
        if !self.probe.running.swap(true, Ordering::Relaxed) {
            tokio::spawn(self.clone().until_reachable());
        }
    }

    async fn until_reachable(self) {
        if let Err(mut fault) = self.ask("SELECT 1").await {
            self.health.record(&mut fault);
            while !self.pool.is_closed() && self.ask("SELECT 1").await.is_err() {
                sleep(PROBE_INTERVAL).await;
            }
            self.health.end(FaultKind::Gone);
        }
        if let Ok(mut answered) = self.probe.answered.lock() {
            *answered = Some(Instant::now());
        }
        self.probe.running.store(false, Ordering::Relaxed);
    }

    async fn until_writable(self, kind: FaultKind) {
        while self.health.outage() == Some(kind) && !self.pool.is_closed() {
            sleep(PROBE_INTERVAL).await;
            // A role that may not create temporary tables cannot be probed.
            let fails = matches!(self.ask(WRITE_PROBE).await, Err(fault)
                if matches!(fault.kind, FaultKind::Full | FaultKind::ReadOnly));
            if !fails && self.health.is_calm() {
                self.health.end(kind);
            }
        }
    }

    /// Asks the server on a new connection. That there are too many already is an answer.
    async fn ask(&self, text: &'static str) -> Result<(), Fault> {
        let options = self.pool.connect_options();
        let asking = async {
            let mut connection = connect(&options).await?;
            let asked = sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut connection).await;
            let _ = connection.close().await;
            asked
        };
        match timeout(PROBE_TIMEOUT, asking).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => match Error::from(error) {
                Error::Unserved(fault) if fault.kind == FaultKind::Busy => Ok(()),
                Error::Unserved(fault) => Err(fault),
                error => Err(Fault::new(FaultKind::Gone, error.to_string())),
            },
            Err(_) => Err(Fault::new(FaultKind::Gone, "the server does not answer")),
        }
    }

    /// Whether the server can serve requests, without waiting for a connection of the pool.
    pub async fn readiness(&self) -> Readiness {
        if self.health.outage() == Some(FaultKind::Gone) || self.pool.is_closed() {
            return Readiness::Gone;
        }
        let idle = async { sqlx::query("SELECT 1").execute(&self.pool).await };
        if let Ok(Ok(_)) = timeout(SUSPICIOUS, idle).await {
            return self.health.readiness();
        }
        self.abandoned.note();
        match self.ask("SELECT 1").await {
            Ok(()) => Readiness::Busy,
            Err(_) => {
                self.probe();
                Readiness::Gone
            }
        }
    }

    /// Ends the statements of this instance that are still running. PostgreSQL notices only much
    /// later that a client which waits for a lock is gone.
    pub async fn terminate(&self) {
        let options = self.pool.connect_options();
        let Some(name) = options.get_application_name() else { return };
        let ending = async {
            let mut connection = connect(&options).await?;
            sqlx::query(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE application_name = $1 AND pid <> pg_backend_pid()",
            )
            .bind(name)
            .execute(&mut connection)
            .await
        };
        if let Ok(Err(error)) = timeout(PROBE_TIMEOUT, ending).await {
            tracing::warn!(%error, "statements that are still running cannot be ended");
        }
    }
}

async fn connect(options: &PgConnectOptions) -> sqlx::Result<PgConnection> {
    options.connect().await
}

fn is_open(outage: &Option<Outage>) -> bool {
    outage.is_some_and(|outage| outage.kind == FaultKind::Gone)
}

fn gone() -> Fault {
    Fault { known: true, ..Fault::new(FaultKind::Gone, "the database is gone") }
}

/// When a call was last given up. The pool waits for the answer to it before it uses the
/// connection again, and one that never comes would occupy a place in the pool for ever.
#[derive(Clone, Default)]
pub struct Abandoned(Arc<Mutex<Option<Instant>>>);

impl Abandoned {
    fn note(&self) {
        if let Ok(mut last) = self.0.lock() {
            *last = Some(Instant::now());
        }
    }

    /// For the pool: fails if a connection that may have been given up does not answer.
    pub async fn check(self, connection: &mut PgConnection) -> sqlx::Result<bool> {
        const RECENT: Duration = Duration::from_secs(10);
        let last = self.0.lock().ok().and_then(|last| *last);
        if last.is_some_and(|last| last.elapsed() < RECENT) {
            timeout(PROBE_TIMEOUT, connection.ping())
                .await
                .unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
        }
        Ok(true)
    }
}

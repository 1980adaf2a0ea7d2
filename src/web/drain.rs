//! Graceful shutdown: report not ready, stop accepting connections, finish requests, exit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::{Build, Ignite, Orbit, Request, Response, Rocket, fairing};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::error::{Fatal, Result};

/// Whether this instance is shutting down.
#[derive(Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// At the first SIGTERM or SIGINT `rocket` reports not ready, but keeps serving for `wait`, so that
/// load balancers can notice before any request is refused. A second signal ends the wait. Then it
/// accepts no more connections, and running requests have Rocket's grace period to finish.
///
/// Rocket's own signal handling would stop accepting immediately. The task returns the end of
/// Rocket's grace period.
pub fn at_signal(rocket: &Rocket<Ignite>, wait: Duration) -> Result<JoinHandle<Instant>, Fatal> {
    let listen = |kind| signal(kind).map_err(|e| Fatal(format!("signals cannot be handled: {e}")));
    let mut term = listen(SignalKind::terminate())?;
    let mut int = listen(SignalKind::interrupt())?;
    let mut hangup = listen(SignalKind::hangup())?;
    // Unless it is handled, it ends the process at once, with its requests.
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            tracing::info!("SIGHUP changes nothing; to read a new configuration, restart");
        }
    });
    let draining = rocket.state::<Draining>().cloned().unwrap_or_default();
    let shutdown = rocket.shutdown();
    let limits = &rocket.config().shutdown;
    let grace = Duration::from_secs(u64::from(limits.grace + limits.mercy));
    Ok(tokio::spawn(async move {
        either(&mut term, &mut int).await;
        tracing::info!("shutting down");
        draining.0.store(true, Ordering::Relaxed);
        // Until the wait is over or the next signal arrives, whichever comes first.
        let _ = tokio::time::timeout(wait, either(&mut term, &mut int)).await;
        shutdown.notify();
        Instant::now() + grace
    }))
}

/// Waits for running requests until `end`; returns whether all have finished.
///
/// Rocket 0.5.2 does so itself, unless it is notified between two of its own checks: then it
/// returns at once, with an error that contains the server, whose requests are still running.
pub async fn finish(rocket: &Arc<Rocket<Orbit>>, end: Instant) -> bool {
    // Every connection and every request has a reference to the server; nothing signals when one is
    // dropped.
    while Arc::strong_count(rocket) > 1 && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Arc::strong_count(rocket) == 1
}

async fn either(one: &mut Signal, other: &mut Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}

/// A proxy sends this header when it would ask another instance on 502.
const OTHERS: &str = "X-Other-Instances";

/// Manages `Draining`. During shutdown, keep-alive is off, and proxies are sent away.
///
/// nginx leaves out an instance that answers a GET with 502, for a while, and asks another one.
/// Otherwise it would still be connecting when the socket closes: connections that are not accepted
/// by then are reset, with the requests in them, and a POST must not be repeated after that. What
/// changes something is served until the end.
pub struct Drain;

#[rocket::async_trait]
impl Fairing for Drain {
    fn info(&self) -> Info {
        Info { name: "drain", kind: Kind::Ignite | Kind::Response | Kind::Shutdown }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        Ok(rocket.manage(Draining::default()))
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        if request.rocket().state::<Draining>().is_some_and(Draining::has_begun) {
            response.set_raw_header("Connection", "close");
            let is_read = matches!(request.method(), Method::Get | Method::Head);
            if is_read && request.headers().contains(OTHERS) {
                *response = Response::build().status(Status::BadGateway).finalize();
                response.set_raw_header("Connection", "close");
            }
        }
    }

    async fn on_shutdown(&self, _: &Rocket<Orbit>) {
        // Idle connections are now closing. Rocket checks only once whether any is left, and would
        // then wait for the whole grace period, so this delays the check a little.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! Ending when told to: first not ready, then deaf to new requests, then gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Build, Ignite, Orbit, Request, Response, Rocket, fairing};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use crate::error::{Error, Result};

/// Whether this instance has been told to end.
#[derive(Clone, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    /// # Errors
    /// `Unavailable`, once it has been told: whoever spreads requests should choose another.
    pub fn refuse(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(Error::Unavailable) } else { Ok(()) }
    }
}

/// At the first SIGTERM or SIGINT `rocket` is not ready any more, but serves on for `wait`, so that
/// nobody is turned away before all have heard of it. A second signal cuts the waiting short. Then
/// it accepts no more connections, and what is under way has Rocket's grace to finish.
///
/// Rocket itself would stop accepting at once. The task gives the moment of that.
pub fn at_signal(rocket: &Rocket<Ignite>, wait: Duration) -> Result<JoinHandle<Instant>> {
    let listen = |kind| {
        signal(kind).map_err(|e| Error::Internal(format!("no signal can be listened for: {e}")))
    };
    let mut term = listen(SignalKind::terminate())?;
    let mut int = listen(SignalKind::interrupt())?;
    let draining = rocket.state::<Draining>().cloned().unwrap_or_default();
    let shutdown = rocket.shutdown();
    Ok(tokio::spawn(async move {
        either(&mut term, &mut int).await;
        tracing::info!("told to end");
        draining.0.store(true, Ordering::Relaxed);
        // At the end of the waiting or at the next signal, whichever comes first.
        let _ = tokio::time::timeout(wait, either(&mut term, &mut int)).await;
        shutdown.notify();
        Instant::now()
    }))
}

/// Waits for what is under way, to the end of Rocket's grace; tells whether all of it is finished.
///
/// Rocket 0.5.2 does so itself, unless it hears that it must stop between two looks of its own:
/// then it returns at once, with an error that holds the server, whose requests go on.
pub async fn finish(rocket: &Arc<Rocket<Orbit>>, stopping: JoinHandle<Instant>) -> bool {
    let limits = &rocket.config().shutdown;
    let stopped = stopping.await.unwrap_or_else(|_| Instant::now());
    let end = stopped + Duration::from_secs(u64::from(limits.grace + limits.mercy));
    // Every connection and every request holds the server; nothing tells when one lets go of it.
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

/// Keeps `Draining`; while it lasts, no connection is kept for a further request.
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
        if request.rocket().state::<Draining>().is_some_and(|d| d.refuse().is_err()) {
            response.set_raw_header("Connection", "close");
        }
    }

    async fn on_shutdown(&self, _: &Rocket<Orbit>) {
        // Idle connections close by themselves now. Rocket looks once whether any is left, and then
        // waits for the whole of the grace: let it look a moment later.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

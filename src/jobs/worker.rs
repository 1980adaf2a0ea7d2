//! The loop that claims and runs jobs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::job::{Context, Handler};
use crate::error::{Error, Result};
use crate::models::base::job::{self, ClaimedJob};

/// How often the table is polled when nothing wakes the worker: for retries, and for jobs of other
/// instances.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// Runs jobs until `shutdown` completes. `wake` is notified after requests that may have queued
/// a job.
pub async fn run(
    context: Context,
    handlers: &'static [Handler],
    wake: Arc<Notify>,
    shutdown: impl Future<Output = ()> + Send,
) {
    tokio::pin!(shutdown);
    let (mut is_scheduled, mut is_failing) = (false, false);
    loop {
        if !is_scheduled {
            match schedule_all(&context, handlers).await {
                Ok(()) => is_scheduled = true,
                Err(error) if !is_failing => {
                    is_failing = true;
                    report(&error, "periodic jobs cannot be scheduled");
                }
                Err(_) => {}
            }
        }
        tokio::select! {
            // An interrupted job is run again by another worker once its claim expires.
            () = &mut shutdown => return,
            outcome = run_due(&context, handlers) => match outcome {
                Ok(()) => is_failing = false,
                // Once, however long it lasts.
                Err(error) if !is_failing => {
                    is_failing = true;
                    report(&error, "the job queue cannot be read");
                }
                Err(_) => {}
            },
        }
        tokio::select! {
            () = &mut shutdown => return,
            () = wake.notified() => {}
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
}

/// An outage that is known has been logged already.
fn report(error: &Error, what: &str) {
    if !matches!(error, Error::Unserved(fault) if fault.known) {
        tracing::warn!(%error, "{what}");
    }
}

async fn schedule_all(context: &Context, handlers: &[Handler]) -> Result<()> {
    for handler in handlers.iter().filter(|handler| handler.every.is_some()) {
        job::schedule(context.site.db.writer(), handler.name, chrono::Duration::zero()).await?;
    }
    Ok(())
}

/// Runs what is due.
pub async fn run_due(context: &Context, handlers: &[Handler]) -> Result<()> {
    let kinds: Vec<&str> = handlers.iter().map(|handler| handler.name).collect();
    while let Some(claimed) = job::claim(&context.site.db, &kinds).await? {
        if let Some(handler) = handlers.iter().find(|handler| handler.name == claimed.kind) {
            run_one(context, handler, &claimed).await?;
        }
    }
    Ok(())
}

async fn run_one(context: &Context, handler: &Handler, claimed: &ClaimedJob) -> Result<()> {
    let db = &context.site.db;
    if claimed.attempts > handler.max_attempts {
        // Every worker that claimed it died, perhaps because of it.
        let error = "no worker ever finished it";
        job::fail(db, claimed, handler.max_attempts, error).await?;
        tracing::error!(kind = claimed.kind, "a job was given up: {error}");
        return Ok(());
    }
    // A separate task, so that a panic fails only this job.
    let running = tokio::spawn((handler.run)(context.clone(), &claimed.payload));
    let outcome = running.await.unwrap_or_else(|e| Err(Error::Internal(e.to_string())));
    match outcome {
        Ok(()) => job::complete(db, claimed).await?,
        Err(error) => {
            let retry = job::fail(db, claimed, handler.max_attempts, &error.to_string()).await?;
            let (kind, attempt) = (claimed.kind.as_str(), claimed.attempts);
            tracing::warn!(%error, kind, attempt, retry, "a job failed");
        }
    }
    if let Some(every) = handler.every {
        let delay = chrono::Duration::from_std(every).unwrap_or(chrono::Duration::hours(1));
        job::schedule(db.writer(), handler.name, delay).await?;
    }
    Ok(())
}

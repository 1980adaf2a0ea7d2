//! The loop that claims and runs jobs.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};

use super::failure::JobFailure;
use super::job::{Context, Handler};
use crate::error::{Error, Result};
use crate::models::base::job::{self, ClaimedJob, Wanted};

/// How often the table is polled when nothing wakes the worker: for retries, and for jobs of other
/// instances.
const POLL_INTERVAL: Duration = Duration::from_secs(5);

/// How many jobs of the same lane run at the same time.
const AT_ONCE_IN_A_LANE: usize = 2;

/// Runs jobs until `shutdown` completes, and then finishes those under way. `wake` is notified
/// after requests that may have queued a job.
pub async fn run(
    context: Context,
    handlers: &[Handler],
    wake: Arc<Notify>,
    shutdown: impl Future<Output = ()> + Send,
) {
    tokio::pin!(shutdown);
    let (mut is_scheduled, mut is_failing) = (false, false);
    let mut running = Running::default();
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
        match running.start_due(&context, handlers).await {
            Ok(()) => is_failing = false,
            // Once, however long it lasts.
            Err(error) if !is_failing => {
                is_failing = true;
                report(&error, "the job queue cannot be read");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = &mut shutdown => break,
            true = running.finish_one() => {}
            () = wake.notified() => {}
            () = tokio::time::sleep(POLL_INTERVAL) => {}
        }
    }
    // A job that does not finish before the process ends is run again by another worker once its
    // claim expires.
    while running.finish_one().await {}
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

/// Runs what is due, and waits until it has finished.
pub async fn run_due(context: &Context, handlers: &[Handler]) -> Result<()> {
    let mut running = Running::default();
    loop {
        running.start_due(context, handlers).await?;
        if !running.finish_one().await {
            return Ok(());
        }
    }
}

/// The jobs under way in this instance.
#[derive(Default)]
struct Running {
    tasks: JoinSet<()>,
    /// The kind and the lane of each task.
    places: HashMap<Id, (&'static str, Option<String>)>,
}

impl Running {
    /// Claims and starts jobs until none is due or has a place.
    async fn start_due(&mut self, context: &Context, handlers: &[Handler]) -> Result<()> {
        loop {
            let free: Vec<&Handler> =
                handlers.iter().filter(|handler| self.count(handler) < handler.at_once).collect();
            if free.is_empty() {
                return Ok(());
            }
            let wanted: Vec<Wanted<'_>> = free.iter().map(|handler| handler.wanted()).collect();
            let claimed = job::claim(&context.site.db, &wanted, &self.full_lanes()).await?;
            let Some(claimed) = claimed else { return Ok(()) };
            if let Some(handler) =
                handlers.iter().copied().find(|handler| handler.name == claimed.kind)
            {
                let place = (handler.name, claimed.lane.clone());
                let task = self.tasks.spawn(run_one(context.clone(), handler, claimed));
                self.places.insert(task.id(), place);
            }
        }
    }

    /// Waits until a job has finished; false when none is under way.
    async fn finish_one(&mut self) -> bool {
        let Some(finished) = self.tasks.join_next_with_id().await else { return false };
        let id = match finished {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.places.remove(&id);
        true
    }

    fn count(&self, handler: &Handler) -> usize {
        self.places.values().filter(|(kind, _)| *kind == handler.name).count()
    }

    fn full_lanes(&self) -> Vec<&str> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for lane in self.places.values().filter_map(|(_, lane)| lane.as_deref()) {
            *counts.entry(lane).or_default() += 1;
        }
        counts.retain(|_, count| *count >= AT_ONCE_IN_A_LANE);
        counts.into_keys().collect()
    }
}

async fn run_one(context: Context, handler: Handler, claimed: ClaimedJob) {
    if let Err(error) = run_and_record(&context, &handler, &claimed).await {
        let kind = claimed.kind.as_str();
        tracing::warn!(%error, kind, "the outcome of a job cannot be recorded; it is run again");
    }
}

async fn run_and_record(context: &Context, handler: &Handler, claimed: &ClaimedJob) -> Result<()> {
    let db = &context.site.db;
    if claimed.attempts > handler.max_attempts {
        // Every worker that claimed it died, perhaps because of it.
        let error = "no worker ever finished it";
        job::fail(db, claimed, handler.max_attempts, error).await?;
        context.site.metrics.job(&claimed.kind, "failed");
        tracing::error!(kind = claimed.kind, "a job was given up: {error}");
        return Ok(());
    }
    // A separate task, so that a panic fails only this job.
    let running = tokio::spawn((handler.run)(context.clone(), claimed.clone()));
    let outcome = running.await.unwrap_or_else(|e| Err(Error::Internal(e.to_string()).into()));
    let (kind, attempt) = (claimed.kind.as_str(), claimed.attempts);
    let metrics = &context.site.metrics;
    match outcome {
        Ok(()) => {
            job::complete(db, claimed).await?;
            metrics.job(kind, "succeeded");
        }
        Err(JobFailure::Temporary(error)) => {
            let retry = job::fail(db, claimed, handler.max_attempts, &error.to_string()).await?;
            metrics.job(kind, if retry { "retried" } else { "failed" });
            tracing::warn!(%error, kind, attempt, retry, "a job failed");
        }
        Err(JobFailure::Permanent(reason)) => {
            // No attempt is left.
            job::fail(db, claimed, claimed.attempts, &reason).await?;
            let (id, lane) = (claimed.id, claimed.lane.as_deref());
            metrics.job(kind, "failed");
            tracing::warn!(reason, kind, id, lane, "a job was given up");
        }
    }
    if let Some(every) = handler.every {
        let delay = chrono::Duration::from_std(every).unwrap_or(chrono::Duration::hours(1));
        job::schedule(db.writer(), handler.name, delay).await?;
    }
    Ok(())
}

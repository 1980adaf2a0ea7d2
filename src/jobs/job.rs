//! Kinds of jobs and their handlers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::failure::JobFailure;
use super::mailer::Mailer;
use super::surroundings::Surroundings;
use crate::error::Error;
use crate::models::base::job::{self, ClaimedJob, Wanted};
use crate::models::base::site::Site;

/// What jobs need.
#[derive(Clone)]
pub struct Context {
    pub site: Site,
    pub mailer: Arc<Mailer>,
    pub surroundings: Arc<Surroundings>,
}

/// A kind of job; the value is its payload.
pub trait Job: DeserializeOwned + Send + 'static {
    /// The name in the job table.
    const NAME: &'static str;
    /// The maximum number of attempts; 50 take about two days.
    const MAX_ATTEMPTS: i64 = 50;
    /// How many of them run at the same time in each instance.
    const AT_ONCE: usize = 1;
    /// How long a claim on it lasts. What takes longer is begun by another worker, too.
    const LEASE: Duration = job::LEASE;
    /// For periodic jobs: the delay between two runs.
    const EVERY: Option<Duration> = None;

    /// # Errors
    /// Any failure.
    fn run(
        self,
        context: Context,
        job: ClaimedJob,
    ) -> impl Future<Output = Result<(), JobFailure>> + Send;
}

type Run = fn(Context, ClaimedJob) -> Pin<Box<dyn Future<Output = Result<(), JobFailure>> + Send>>;

/// A kind of job, as the worker sees it.
#[derive(Clone, Copy)]
pub struct Handler {
    pub name: &'static str,
    pub max_attempts: i64,
    pub at_once: usize,
    pub lease: Duration,
    pub every: Option<Duration>,
    pub run: Run,
}

impl Handler {
    pub const fn of<J: Job>() -> Handler {
        Handler {
            name: J::NAME,
            max_attempts: J::MAX_ATTEMPTS,
            at_once: J::AT_ONCE,
            lease: J::LEASE,
            every: J::EVERY,
            run: |context, claimed| {
                Box::pin(async move {
                    let job = serde_json::from_str::<J>(&claimed.payload)
                        .map_err(|e| Error::Internal(format!("the payload: {e}")))?;
                    job.run(context, claimed).await
                })
            },
        }
    }

    /// What a worker asks the queue for.
    pub fn wanted(&self) -> Wanted<'static> {
        Wanted { kind: self.name, lease: self.lease }
    }
}

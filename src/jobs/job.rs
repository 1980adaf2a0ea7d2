//! Kinds of jobs and their handlers.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::mailer::Mailer;
use crate::error::{Error, Result};
use crate::models::base::site::Site;

/// What jobs need.
#[derive(Clone)]
pub struct Context {
    pub site: Site,
    pub mailer: Arc<Mailer>,
}

/// A kind of job; the value is its payload.
pub trait Job: DeserializeOwned + Send + 'static {
    /// The name in the job table.
    const NAME: &'static str;
    /// The maximum number of attempts; 50 take about two days.
    const MAX_ATTEMPTS: i64 = 50;
    /// For periodic jobs: the delay between two runs.
    const EVERY: Option<Duration> = None;

    /// # Errors
    /// Any failure; the job is retried later.
    fn run(self, context: Context) -> impl Future<Output = Result<()>> + Send;
}

type Run = fn(Context, &str) -> Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A kind of job, as the worker sees it.
pub struct Handler {
    pub name: &'static str,
    pub max_attempts: i64,
    pub every: Option<Duration>,
    pub run: Run,
}

impl Handler {
    pub const fn of<J: Job>() -> Handler {
        Handler {
            name: J::NAME,
            max_attempts: J::MAX_ATTEMPTS,
            every: J::EVERY,
            run: |context, payload| {
                let job = serde_json::from_str::<J>(payload);
                Box::pin(async move {
                    let job = job.map_err(|e| Error::Internal(format!("the payload: {e}")))?;
                    job.run(context).await
                })
            },
        }
    }
}

//! Starts the worker with the server and wakes it after requests that may have queued a job.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Method;
use rocket::{Build, Orbit, Request, Response, Rocket, fairing};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::jobs::HANDLERS;
use crate::jobs::job::Context;
use crate::jobs::mailer::Mailer;
use crate::jobs::surroundings::Surroundings;
use crate::jobs::worker;
use crate::models::base::site::Site;

pub struct Worker {
    mailer: Arc<Mailer>,
    surroundings: Arc<Surroundings>,
    wake: Arc<Notify>,
    running: RunningWorker,
}

impl Worker {
    pub fn new(mailer: Mailer, surroundings: Surroundings) -> Worker {
        Worker {
            mailer: Arc::new(mailer),
            surroundings: Arc::new(surroundings),
            wake: Arc::default(),
            running: RunningWorker::default(),
        }
    }
}

/// The worker of this instance.
#[derive(Clone, Default)]
pub struct RunningWorker(Arc<Mutex<Option<JoinHandle<()>>>>);

impl RunningWorker {
    /// Waits until the jobs under way have finished, but not longer than until `end`; returns
    /// whether they have. During shutdown the worker starts no others.
    pub async fn finish(&self, end: Instant) -> bool {
        let task = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        match task {
            Some(task) => tokio::time::timeout_at(end.into(), task).await.is_ok(),
            None => true,
        }
    }
}

#[rocket::async_trait]
impl Fairing for Worker {
    fn info(&self) -> Info {
        Info { name: "worker", kind: Kind::Ignite | Kind::Liftoff | Kind::Response }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        Ok(rocket.manage(self.running.clone()))
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Some(site) = rocket.state::<Site>() else { return };
        let context = Context {
            site: site.clone(),
            mailer: self.mailer.clone(),
            surroundings: self.surroundings.clone(),
        };
        let worker = worker::run(context, HANDLERS, self.wake.clone(), rocket.shutdown());
        let mut running = self.running.0.lock().unwrap_or_else(PoisonError::into_inner);
        *running = Some(tokio::spawn(worker));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, _: &mut Response<'r>) {
        if !matches!(request.method(), Method::Get | Method::Head | Method::Options) {
            self.wake.notify_one();
        }
    }
}

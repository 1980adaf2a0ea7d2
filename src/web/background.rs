//! Starts the worker with the server and wakes it after requests that may have queued a job.

use std::sync::Arc;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Method;
use rocket::{Orbit, Request, Response, Rocket};
use tokio::sync::Notify;

use crate::jobs::HANDLERS;
use crate::jobs::job::Context;
use crate::jobs::mailer::Mailer;
use crate::jobs::worker;
use crate::models::base::site::Site;

pub struct Worker {
    mailer: Arc<Mailer>,
    wake: Arc<Notify>,
}

impl Worker {
    pub fn new(mailer: Mailer) -> Worker {
        Worker { mailer: Arc::new(mailer), wake: Arc::default() }
    }
}

#[rocket::async_trait]
impl Fairing for Worker {
    fn info(&self) -> Info {
        Info { name: "worker", kind: Kind::Liftoff | Kind::Response }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Some(site) = rocket.state::<Site>() else { return };
        let context = Context { site: site.clone(), mailer: self.mailer.clone() };
        tokio::spawn(worker::run(context, HANDLERS, self.wake.clone(), rocket.shutdown()));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, _: &mut Response<'r>) {
        if !matches!(request.method(), Method::Get | Method::Head | Method::Options) {
            self.wake.notify_one();
        }
    }
}

//! What runs beside requests: sending the mails that wait.

use std::sync::Arc;
use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Method;
use rocket::{Orbit, Request, Response, Rocket, Shutdown};
use tokio::sync::Notify;

use crate::db::Db;
use crate::error::Result;
use crate::mail::Mailer;
use crate::models::outbox;
use crate::web::Database;

/// How often the outbox is looked into when nobody rings: for later tries, and for what other
/// instances left behind.
const ROUND: Duration = Duration::from_secs(5);

/// Empties the outbox, for as long as the server runs.
pub struct Postman {
    mailer: Arc<Mailer>,
    /// Rung after every request that may have put a mail down.
    bell: Arc<Notify>,
}

impl Postman {
    pub fn new(mailer: Mailer) -> Postman {
        Postman { mailer: Arc::new(mailer), bell: Arc::new(Notify::new()) }
    }
}

#[rocket::async_trait]
impl Fairing for Postman {
    fn info(&self) -> Info {
        Info { name: "postman", kind: Kind::Liftoff | Kind::Response }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Some(db) = <Database as rocket_db_pools::Database>::fetch(rocket) else { return };
        let (db, mailer, bell) = (Db::clone(db), self.mailer.clone(), self.bell.clone());
        tokio::spawn(rounds(db, mailer, bell, rocket.shutdown()));
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, _: &mut Response<'r>) {
        if !matches!(request.method(), Method::Get | Method::Head | Method::Options) {
            self.bell.notify_one();
        }
    }
}

async fn rounds(db: Db, mailer: Arc<Mailer>, bell: Arc<Notify>, mut shutdown: Shutdown) {
    loop {
        tokio::select! {
            // A mail that is under way at the end is sent again by whoever comes next.
            () = &mut shutdown => return,
            outcome = empty(&db, &mailer) => if let Err(error) = outcome {
                tracing::warn!(%error, "the outbox cannot be read");
            },
        }
        tokio::select! {
            () = &mut shutdown => return,
            () = bell.notified() => {}
            () = tokio::time::sleep(ROUND) => {}
        }
    }
}

/// Sends what is due.
async fn empty(db: &Db, mailer: &Mailer) -> Result<()> {
    while let Some(item) = outbox::claim(db).await? {
        let sent = match outbox::letter(db, &item).await? {
            Some(letter) => mailer.send(&letter).await,
            None => Ok(()),
        };
        match sent {
            Ok(()) => outbox::done(db, item.id).await?,
            Err(error) => {
                let stays = outbox::failed(db, &item).await?;
                let (kind, attempts) = (item.kind.as_str(), item.attempts);
                tracing::warn!(%error, kind, attempts, stays, "a mail cannot be sent");
            }
        }
    }
    Ok(())
}

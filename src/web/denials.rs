//! Notes in the audit what people were refused.

use std::sync::atomic::Ordering::Relaxed;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Request, Response};

use super::Database;
use super::scene::Scene;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::models::audit::{self, Entry};
use crate::models::caller::Caller;
use crate::models::throttle;
use crate::models::user::User;

/// Writes an event when somebody who is logged in was told that they may not do something. Refusals
/// of nobody in particular stand in the log alone: anybody could fill the disk with them.
pub struct Denials;

#[rocket::async_trait]
impl Fairing for Denials {
    fn info(&self) -> Info {
        Info { name: "denials", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, _: &mut Response<'r>) {
        let scene = Scene::of(request);
        let Some(present) = scene.present().filter(|_| scene.denied.load(Relaxed)) else { return };
        let Some(db) = <Database as rocket_db_pools::Database>::fetch(request.rocket()) else {
            return;
        };
        // The route's pattern, not the path: what people type does not belong in the audit.
        let place = request.route().map(|route| route.uri.path().to_owned()).unwrap_or_default();
        let what = format!("{} {place}", request.method());
        if let Err(error) = note(db, &scene.caller, &present.user, what).await {
            tracing::error!(%error, "a denial cannot be noted");
        }
    }
}

async fn note(db: &Db, caller: &Caller, user: &User, what: String) -> Result<()> {
    match throttle::take_quietly(db, &throttle::DENIALS, &user.id.to_string()).await {
        Ok(()) => Entry::own(audit::Kind::Denied, user).detail(what).note(db, caller).await,
        Err(Error::TooMany { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

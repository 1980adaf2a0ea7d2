//! Records denied requests in the audit log.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Request, Response};

use crate::db::Db;
use crate::error::{Error, Result};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::caller::Caller;
use crate::models::base::site::Site;
use crate::models::base::{rate_limit, rate_policy};
use crate::models::users::user::User;
use crate::web::request::state::RequestState;

/// Writes an event when a logged-in user is denied something. Anonymous denials are not audited:
/// anybody could fill the disk with them.
pub struct Denials;

/// How long a response waits for its denial to be recorded.
const PATIENCE: Duration = Duration::from_millis(500);

#[rocket::async_trait]
impl Fairing for Denials {
    fn info(&self) -> Info {
        Info { name: "denials", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, _: &mut Response<'r>) {
        let state = RequestState::of(request);
        let denied = state.authenticated().filter(|_| state.denied.load(Relaxed));
        let (Some(denied), Some(site)) = (denied, request.rocket().state::<Site>()) else { return };
        // The route's pattern, not the path: user input does not belong in the audit log.
        let route = request.route().map(|route| route.uri.path().to_owned()).unwrap_or_default();
        let detail = format!("{} {route}", request.method());
        let (db, caller, user) = (site.db.clone(), state.caller.clone(), denied.user.clone());
        let recording = tokio::spawn(async move {
            if let Err(error) = record(&db, &caller, &user, detail).await {
                let request_id = caller.request_id.as_str();
                tracing::error!(request_id, %error, "a denial cannot be recorded");
            }
        });
        // Recorded before it is answered, unless the database is slow: then the response does not
        // wait for it.
        let _ = tokio::time::timeout(PATIENCE, recording).await;
    }
}

async fn record(db: &Db, caller: &Caller, user: &User, detail: String) -> Result<()> {
    let key = user.id.to_string();
    match rate_limit::acquire_silently(db.writer(), &rate_policy::DENIALS, &key).await {
        Ok(()) => AuditEvent::own(EventKind::DENIED, user).detail(detail).record(db, caller).await,
        Err(Error::TooManyRequests { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

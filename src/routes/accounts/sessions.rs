//! The user's own sessions.

use rocket::{delete, get};
use serde::Serialize;

use crate::models::accounts::session_list::{self, SessionView};
use crate::models::audit::{self, Event};
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::web::{
    self, AccountScope, Confirmed, CurrentSession, Flash, Query, ReturnTo, Scoped, gone, list, room,
};

room! {
    tag: ("sessions", "Where you are logged in"),
    both: [index, delete, delete_others],
}

/// A page of active sessions, the latest log-in first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SessionList {
    #[serde(flatten)]
    page: Page<SessionView>,
    /// Copied refresh tokens that were detected in the last two weeks.
    replays: Vec<Event>,
}

/// List your active sessions
///
/// The latest log-in first.
#[utoipa::path(get, path = "/me/sessions", operation_id = "listSessions", tag = "sessions",
    security(("oauth2" = ["account"])), params(PageParams),
    responses((status = 200, body = SessionList)))]
#[get("/me/sessions")]
async fn index(
    actor: Scoped<AccountScope>,
    current: CurrentSession,
    query: Query<PageParams>,
    site: &Site,
) -> web::Result {
    let sessions = session_list::list(site, &actor.user, current.id(), &query).await?;
    let replays = audit::replays(&site.db, &actor.user).await?;
    Ok(list("accounts/sessions/index.html", sessions, |page| SessionList { page, replays }))
}

/// End one of your sessions
///
/// Takes effect immediately, on every instance. Requires a recently confirmed password, see
/// `/auth/sudo`.
#[utoipa::path(delete, path = "/me/sessions/{sid}", operation_id = "endSession", tag = "sessions",
    security(("oauth2" = ["account"])), params(("sid" = String, Path)),
    responses((status = 204)))]
#[delete("/me/sessions/<sid>", data = "<return_to>")]
async fn delete(
    sid: &str,
    return_to: ReturnTo,
    actor: Confirmed<AccountScope>,
    site: &Site,
) -> web::Result {
    session_list::end(site, &actor, sid).await?;
    Ok(gone(return_to.or("/me/sessions"), Flash("session-ended")))
}

/// End all your other sessions
///
/// Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(delete, path = "/me/sessions", operation_id = "endOtherSessions", tag = "sessions",
    security(("oauth2" = ["account"])),
    responses((status = 204)))]
#[delete("/me/sessions", data = "<return_to>")]
async fn delete_others(
    return_to: ReturnTo,
    actor: Confirmed<AccountScope>,
    current: CurrentSession,
    site: &Site,
) -> web::Result {
    session_list::end_others(site, &actor, current.id()).await?;
    Ok(gone(return_to.or("/me/sessions"), Flash("sessions-ended")))
}

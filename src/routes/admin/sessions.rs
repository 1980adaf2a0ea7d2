//! A user's sessions, for admins.

use rocket::{delete, get};
use serde::Serialize;

use crate::models::accounts::session_list::{self, SessionView};
use crate::models::base::actor::Admin;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::web::{self, CurrentSession, Flash, Query, ReturnTo, gone, list, room};

room! {
    both: [index, delete, delete_all],
}

/// A page of a user's active sessions, the latest log-in first, and the username.
#[derive(Serialize, utoipa::ToSchema)]
pub struct UserSessionList {
    /// Whose sessions these are.
    #[schema(example = "ann")]
    username: String,
    #[serde(flatten)]
    page: Page<SessionView>,
}

/// List a user's active sessions
///
/// The latest log-in first.
#[utoipa::path(get, path = "/admin/users/{username}/sessions", operation_id = "listUserSessions",
    tag = "admin", security(("oauth2" = ["admin"])),
    params(("username" = String, Path), PageParams),
    responses((status = 200, body = UserSessionList)))]
#[get("/admin/users/<username>/sessions")]
async fn index(
    username: &str,
    admin: Admin,
    current: CurrentSession,
    query: Query<PageParams>,
    site: &Site,
) -> web::Result {
    let sessions = session_list::list_of(site, &admin, username, current.id(), &query).await?;
    let username = username.to_owned();
    Ok(list("admin/sessions.html", sessions, |page| UserSessionList { username, page }))
}

/// End one of a user's sessions
///
/// Takes effect immediately, on every instance.
#[utoipa::path(delete, path = "/admin/users/{username}/sessions/{sid}",
    operation_id = "endUserSession", tag = "admin", security(("oauth2" = ["admin"])),
    params(("username" = String, Path), ("sid" = String, Path)),
    responses((status = 204)))]
#[delete("/admin/users/<username>/sessions/<sid>", data = "<return_to>")]
async fn delete(
    username: &str,
    sid: &str,
    return_to: ReturnTo,
    admin: Admin,
    site: &Site,
) -> web::Result {
    session_list::end_of(site, &admin, username, Some(sid)).await?;
    Ok(gone(return_to.or("/admin/users"), Flash("session-ended")))
}

/// End all of a user's sessions
///
/// Takes effect immediately, on every instance.
#[utoipa::path(delete, path = "/admin/users/{username}/sessions", operation_id = "endUserSessions",
    tag = "admin", security(("oauth2" = ["admin"])), params(("username" = String, Path)),
    responses((status = 204)))]
#[delete("/admin/users/<username>/sessions", data = "<return_to>")]
async fn delete_all(username: &str, return_to: ReturnTo, admin: Admin, site: &Site) -> web::Result {
    session_list::end_of(site, &admin, username, None).await?;
    Ok(gone(return_to.or("/admin/users"), Flash("user-logged-out")))
}

//! Sessions: seeing them and ending them.

use rocket::{Route, delete, get, routes};
use serde::Serialize;

use super::docs::Problem;
use crate::models::audit::{self, Event};
use crate::models::caller::Caller;
use crate::models::session::{self, Seen};
use crate::models::user::{Admin, User};
use crate::web::scene::Present;
use crate::web::{self, Back, Database, Flash, gone, page};

pub fn both() -> Vec<Route> {
    routes![index, end, end_others, index_of, end_of, end_all_of]
}

/// Live sessions, the latest used first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Sessions {
    pub items: Vec<Seen>,
    /// Copied refresh tokens that were found out within two weeks.
    pub replays: Vec<Event>,
}

/// One's own live sessions
#[utoipa::path(get, path = "/me/sessions", tag = "sessions", security(("password" = [])),
    responses((status = 200, body = Sessions), (status = 401, body = Problem)))]
#[get("/me/sessions")]
pub async fn index(me: User, present: Present, db: &Database) -> web::Result {
    let items = session::list(db, &me, present.sid()).await?;
    let replays = audit::replays(db, &me).await?;
    Ok(page("sessions/index.html", Sessions { items, replays }))
}

/// End one of one's own sessions
///
/// At once, on every instance.
#[utoipa::path(delete, path = "/me/sessions/{sid}", tag = "sessions", security(("password" = [])),
    params(("sid" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
#[delete("/me/sessions/<sid>", data = "<back>")]
pub async fn end(sid: &str, me: User, caller: &Caller, back: Back, db: &Database) -> web::Result {
    session::end(db, caller, &me, sid).await?;
    Ok(gone(back.or("/me/sessions"), Flash::SessionEnded))
}

/// End all of one's other sessions
#[utoipa::path(delete, path = "/me/sessions", tag = "sessions", security(("password" = [])),
    responses((status = 204), (status = 401, body = Problem)))]
#[delete("/me/sessions", data = "<back>")]
pub async fn end_others(
    me: User,
    present: Present,
    caller: &Caller,
    back: Back,
    db: &Database,
) -> web::Result {
    session::end_others(db, caller, &me, present.sid()).await?;
    Ok(gone(back.or("/me/sessions"), Flash::SessionsEnded))
}

/// Somebody's live sessions, and whose they are.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SessionsOf {
    pub username: String,
    pub items: Vec<Seen>,
}

/// Somebody's live sessions
#[utoipa::path(get, path = "/admin/users/{username}/sessions", tag = "admin",
    security(("password" = [])), params(("username" = String, Path)),
    responses((status = 200, body = SessionsOf), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
#[get("/admin/users/<username>/sessions")]
pub async fn index_of(
    username: &str,
    admin: Admin,
    present: Present,
    db: &Database,
) -> web::Result {
    let items = session::list_of(db, &admin, username, present.sid()).await?;
    Ok(page("admin/sessions.html", SessionsOf { username: username.to_owned(), items }))
}

/// End one of somebody's sessions
#[utoipa::path(delete, path = "/admin/users/{username}/sessions/{sid}", tag = "admin",
    security(("password" = [])), params(("username" = String, Path), ("sid" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
#[delete("/admin/users/<username>/sessions/<sid>", data = "<back>")]
pub async fn end_of(
    username: &str,
    sid: &str,
    admin: Admin,
    caller: &Caller,
    back: Back,
    db: &Database,
) -> web::Result {
    session::end_of(db, caller, &admin, username, Some(sid)).await?;
    Ok(gone(back.or("/admin/users"), Flash::SessionEnded))
}

/// End all of somebody's sessions
#[utoipa::path(delete, path = "/admin/users/{username}/sessions", tag = "admin",
    security(("password" = [])), params(("username" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem)))]
#[delete("/admin/users/<username>/sessions", data = "<back>")]
pub async fn end_all_of(
    username: &str,
    admin: Admin,
    caller: &Caller,
    back: Back,
    db: &Database,
) -> web::Result {
    session::end_of(db, caller, &admin, username, None).await?;
    Ok(gone(back.or("/admin/users"), Flash::SignedOut))
}

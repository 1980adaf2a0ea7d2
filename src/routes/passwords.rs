//! Passwords: changing one's own, resetting a forgotten one.

use rocket::{Route, State, get, post, put, routes};
use serde_json::json;

use super::docs::Problem;
use crate::models::caller::Caller;
use crate::models::password::Hasher;
use crate::models::recovery::{self, Change, Request, Reset};
use crate::models::session::Session;
use crate::models::user::User;
use crate::web::link::{Arrival, Carried};
use crate::web::{self, Database, Flash, Input, OrForm, form, gone};

pub fn both() -> Vec<Route> {
    routes![update]
}

pub fn pages() -> Vec<Route> {
    routes![edit, ask_form, ask_page, reset_form, reset_page]
}

/// Mounted below `/auth` at the API door.
pub fn api() -> Vec<Route> {
    routes![ask, reset]
}

#[get("/me/password")]
fn edit(_session: Session) -> web::Reply {
    form("passwords/edit.html", json!({}), json!({}))
}

/// Change one's password
///
/// Every other session ends, with its tokens; the owner is mailed.
#[utoipa::path(put, path = "/me/password", tag = "accounts", security(("password" = [])),
    request_body = Change,
    responses((status = 204), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[put("/me/password", data = "<change>")]
pub async fn update(
    me: User,
    session: Session,
    change: Input<Change>,
    caller: &Caller,
    hasher: &State<Hasher>,
    db: &Database,
) -> web::Result {
    recovery::change(db, hasher, caller, &me, &session, &change).await.or_form(
        "passwords/edit.html",
        &change.0,
        json!({}),
    )?;
    Ok(gone("/me", Flash::PasswordChanged))
}

#[get("/password-reset")]
fn ask_form() -> web::Reply {
    form("passwords/ask.html", json!({}), json!({}))
}

#[post("/password-reset", data = "<request>")]
async fn ask_page(request: Input<Request>, caller: &Caller, db: &Database) -> web::Result {
    recovery::ask(db, caller, &request).await.or_form(
        "passwords/ask.html",
        &request.0,
        json!({}),
    )?;
    Ok(gone("/login", Flash::ResetAsked))
}

/// Ask for a link with which to set a new password
///
/// The answer is the same for every address.
#[utoipa::path(post, path = "/auth/password-reset", tag = "accounts", request_body = Request,
    responses((status = 204), (status = 422, body = Problem), (status = 429, body = Problem)))]
#[post("/password-reset", data = "<request>")]
pub async fn ask(request: Input<Request>, caller: &Caller, db: &Database) -> web::Result {
    recovery::ask(db, caller, &request).await?;
    Ok(gone("/", Flash::ResetAsked))
}

/// Opening the link changes nothing yet: programs that look into mails open links too.
#[get("/password-reset/new")]
fn reset_form(arrival: Arrival<'_>) -> web::Result<Carried> {
    Ok(arrival.form("passwords/reset.html"))
}

#[post("/password-reset/new", data = "<reset>")]
async fn reset_page(
    reset: Input<Reset>,
    arrival: Arrival<'_>,
    caller: &Caller,
    hasher: &State<Hasher>,
    db: &Database,
) -> web::Result {
    let Input(mut reset) = reset;
    reset.token = Some(arrival.token().to_owned());
    recovery::reset(db, hasher, caller, &reset).await.or_form(
        "passwords/reset.html",
        &reset,
        json!({}),
    )?;
    arrival.used();
    Ok(gone("/login", Flash::PasswordReset))
}

/// Set a new password with a mailed link
///
/// Every session and every personal token ends. Nobody is logged in by it.
#[utoipa::path(post, path = "/auth/password-reset/new", tag = "accounts", request_body = Reset,
    responses((status = 204), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[post("/password-reset/new", data = "<reset>")]
pub async fn reset(
    reset: Input<Reset>,
    caller: &Caller,
    hasher: &State<Hasher>,
    db: &Database,
) -> web::Result {
    recovery::reset(db, hasher, caller, &reset).await?;
    Ok(gone("/", Flash::PasswordReset))
}

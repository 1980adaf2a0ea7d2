//! E-mail addresses: changing and confirming them.

use rocket::{Route, State, get, post, put, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::docs::Problem;
use crate::models::caller::Caller;
use crate::models::email::{self, Draft, Rules};
use crate::models::user::{self, Account, User};
use crate::web::link::{Arrival, Carried};
use crate::web::{self, Database, Flash, Input, OrForm, Sudo, form, gone, saved};

pub fn both() -> Vec<Route> {
    routes![update, resend]
}

pub fn pages() -> Vec<Route> {
    routes![edit, verify_form, verify_page]
}

/// Mounted below `/auth` at the API door.
pub fn api() -> Vec<Route> {
    routes![verify]
}

#[get("/me/email")]
async fn edit(me: User, _sudo: Sudo, db: &Database) -> web::Result {
    let account = user::account(db, &me).await?;
    let email = account.pending_email.clone().or_else(|| account.email.clone());
    Ok(form("emails/edit.html", Draft { email }, json!(account)))
}

/// Change one's e-mail address
///
/// Where mail is sent, the new address counts once it is confirmed, and the old one is told. Needs a
/// fresh proof, see `/auth/sudo`.
#[utoipa::path(put, path = "/me/email", tag = "accounts", security(("password" = [])),
    request_body = Draft,
    responses((status = 200, body = Account), (status = 401, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[put("/me/email", data = "<draft>")]
pub async fn update(
    me: User,
    _sudo: Sudo,
    caller: &Caller,
    draft: Input<Draft>,
    rules: &State<Rules>,
    db: &Database,
) -> web::Result {
    let changed = email::change(db, caller, rules, &me, &draft).await;
    let account = user::account(db, &me).await?;
    changed.or_form("emails/edit.html", &draft.0, json!(account))?;
    Ok(saved("/me", Flash::EmailAsked, account))
}

/// Have the link for confirming sent once more
#[utoipa::path(post, path = "/me/email/verification", tag = "accounts",
    security(("password" = [])),
    responses((status = 204), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem)))]
#[post("/me/email/verification")]
pub async fn resend(me: User, caller: &Caller, db: &Database) -> web::Result {
    email::resend(db, caller, &me).await?;
    Ok(gone("/me", Flash::LinkSent))
}

/// The secret of a mailed link.
#[derive(Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Secret {
    /// The `token` of the link.
    #[schema(required = true)]
    token: Option<String>,
}

/// Opening the link changes nothing yet: programs that look into mails open links too.
#[get("/verify-email")]
fn verify_form(arrival: Arrival<'_>) -> web::Result<Carried> {
    Ok(arrival.form("emails/verify.html"))
}

#[post("/verify-email")]
async fn verify_page(arrival: Arrival<'_>, caller: &Caller, db: &Database) -> web::Result {
    email::verify(db, caller, arrival.token()).await.or_form(
        "emails/verify.html",
        &json!({}),
        json!({}),
    )?;
    arrival.used();
    Ok(gone("/", Flash::EmailVerified))
}

/// Confirm an e-mail address
///
/// With the secret of the mailed link.
#[utoipa::path(post, path = "/auth/verify-email", tag = "accounts", request_body = Secret,
    responses((status = 204), (status = 401, body = Problem), (status = 409, body = Problem),
        (status = 429, body = Problem)))]
#[post("/verify-email", data = "<secret>")]
pub async fn verify(secret: Input<Secret>, caller: &Caller, db: &Database) -> web::Result {
    email::verify(db, caller, secret.token.as_deref().unwrap_or_default()).await?;
    Ok(gone("/", Flash::EmailVerified))
}

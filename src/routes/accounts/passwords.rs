//! Passwords: changing one, resetting a forgotten one.

use rocket::response::Redirect;
use rocket::{get, post, put};
use serde_json::json;

use crate::models::accounts::password_change::{self, PasswordChange};
use crate::models::accounts::password_reset::{self, PasswordReset, ResetRequest};
use crate::models::accounts::personal_token;
use crate::models::accounts::session::Session;
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::site::Site;
use crate::models::mail::email_link::Purpose;
use crate::web::security::link_cookie::{LinkResponse, LinkVisit};
use crate::web::{self, Client, Flash, Input, OrForm, form, gone, room};

room! {
    both: [update],
    pages: [edit, well_known, new_request, create_request_page, new_reset, create_reset_page],
    auth: [create_request, create_reset],
}

const EDIT_FORM: &str = "accounts/passwords/edit.html";
const REQUEST_FORM: &str = "accounts/passwords/ask.html";
const RESET_FORM: &str = "accounts/passwords/reset.html";

/// Where password managers look for the page (W3C, A Well-Known URL for Changing Passwords).
#[get("/.well-known/change-password")]
fn well_known() -> Redirect {
    Redirect::to("/me/password")
}

#[get("/me/password")]
async fn edit(actor: Actor, _session: Session, site: &Site) -> web::Result {
    let tokens = personal_token::count(&site.db, &actor.user).await?;
    Ok(form(EDIT_FORM, json!({}), json!({ "tokens": tokens })))
}

/// Change your password
///
/// All your other sessions end, with their tokens; you are notified by e-mail. Personal tokens stay
/// valid unless you send `revoke_tokens`.
#[utoipa::path(put, path = "/me/password", operation_id = "updatePassword", tag = "accounts",
    request_body = PasswordChange,
    responses((status = 204), (status = 429)))]
#[put("/me/password", data = "<input>")]
async fn update(
    input: Input<PasswordChange>,
    actor: Actor,
    session: Session,
    site: &Site,
) -> web::Result {
    let tokens = personal_token::count(&site.db, &actor.user).await?;
    password_change::change(site, &actor, &session, &input)
        .await
        .or_form(EDIT_FORM, json!({ "tokens": tokens }))?;
    Ok(gone("/me", Flash("password-changed")))
}

#[get("/password-reset")]
fn new_request() -> web::Reply {
    form(REQUEST_FORM, json!({}), json!({}))
}

#[post("/password-reset", data = "<input>")]
async fn create_request_page(
    input: Input<ResetRequest>,
    caller: &Caller,
    site: &Site,
) -> web::Result {
    password_reset::request(site, caller, &input).await.or_form(REQUEST_FORM, json!({}))?;
    Ok(gone("/login", Flash("reset-requested")))
}

/// Request a link for setting a new password
///
/// The response is the same for every address.
#[utoipa::path(post, path = "/auth/password-reset", operation_id = "requestPasswordReset",
    tag = "accounts", security(()), request_body = ResetRequest,
    responses((status = 204), (status = 429)))]
#[post("/password-reset", data = "<input>")]
async fn create_request(input: Input<ResetRequest>, caller: &Caller, site: &Site) -> web::Result {
    password_reset::request(site, caller, &input).await?;
    Ok(gone("/", Flash("reset-requested")))
}

/// Opening the link changes nothing yet: e-mail scanners open links too.
#[get("/password-reset/new")]
async fn new_reset(visit: LinkVisit<'_>) -> web::Result<LinkResponse> {
    visit.form(Purpose::Reset, RESET_FORM).await
}

#[post("/password-reset/new", data = "<input>")]
async fn create_reset_page(
    input: Input<PasswordReset>,
    visit: LinkVisit<'_>,
    client: Client<'_>,
    site: &Site,
) -> web::Result {
    let Input(mut input) = input;
    input.token = Some(visit.token(Purpose::Reset).to_owned());
    let reset = password_reset::reset(site, client.caller(), &input).await;
    client.remember_device(&reset.or_form(RESET_FORM, json!({}))?)?;
    visit.forget(Purpose::Reset);
    Ok(gone("/login", Flash("password-reset")))
}

/// Set a new password with an e-mailed link
///
/// All sessions and personal tokens are revoked. It does not log you in.
#[utoipa::path(post, path = "/auth/password-reset/new", operation_id = "resetPassword",
    tag = "accounts", security(()), request_body = PasswordReset,
    responses((status = 204), (status = 429),
        (status = 401, description = "The link is unknown, used, replaced or expired.")))]
#[post("/password-reset/new", data = "<input>")]
async fn create_reset(input: Input<PasswordReset>, caller: &Caller, site: &Site) -> web::Result {
    password_reset::reset(site, caller, &input).await?;
    Ok(gone("/", Flash("password-reset")))
}

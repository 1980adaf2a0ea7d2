//! Two-factor log-in: setting up an authenticator, turning it off, recovery codes.

use rocket::response::Redirect;
use rocket::{delete, get, post, put};
use serde_json::json;

use crate::error::Error;
use crate::models::accounts::two_factor::code::TwoFactorCode;
use crate::models::accounts::two_factor::recovery_codes::NewRecoveryCodes;
use crate::models::accounts::two_factor::totp::{self, TwoFactorSetup, TwoFactorStatus};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::web::{
    self, Flash, Input, NoBody, OrForm, SettingUp, Shown, ShownPage, Sudo, begun, gone, once, page,
    room, shown,
};

room! {
    tag: ("two-factor", "An authenticator, and recovery codes"),
    both: [show, create, update, delete, create_codes],
    pages: [setup, codes],
}

const SETUP_PAGE: &str = "accounts/two_factor/setup.html";
/// Shows new recovery codes once.
const CODES: &str = "/me/two-factor/recovery-codes";
const CODES_PAGE: &str = "accounts/two_factor/codes.html";

/// Get your two-factor status
///
/// Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(get, path = "/me/two-factor", operation_id = "getTwoFactor", tag = "two-factor",
    responses((status = 200, body = TwoFactorStatus)))]
#[get("/me/two-factor")]
async fn show(actor: SettingUp<Actor>, _sudo: SettingUp<Sudo>, site: &Site) -> web::Result {
    Ok(page("accounts/two_factor/show.html", totp::status(site, &actor.user).await?))
}

/// Start setting up an authenticator
///
/// Takes effect after PUT with a code from it. Requires a recently confirmed password, see
/// `/auth/sudo`.
#[utoipa::path(post, path = "/me/two-factor", operation_id = "beginTwoFactor", tag = "two-factor",
    responses((status = 201, body = TwoFactorSetup), (status = 409)))]
#[post("/me/two-factor", data = "<_body>")]
async fn create(
    _body: NoBody,
    actor: SettingUp<Actor>,
    _sudo: SettingUp<Sudo>,
    site: &Site,
) -> web::Result {
    let setup = totp::begin(site, &actor).await?;
    Ok(begun("/me/two-factor/setup", "/me/two-factor", setup))
}

/// The setup in progress.
#[get("/me/two-factor/setup")]
async fn setup(
    actor: SettingUp<Actor>,
    _sudo: SettingUp<Sudo>,
    site: &Site,
) -> web::Result<ShownPage> {
    match totp::begun(site, &actor.user).await {
        Ok(setup) => Ok(Ok(page(SETUP_PAGE, setup))),
        Err(Error::NotFound) => Ok(Err(Box::new(Redirect::to("/me/two-factor")))),
        Err(error) => Err(error.into()),
    }
}

/// Turn two-factor log-in on, with a code from the new authenticator
///
/// Returns ten recovery codes, which are shown only once.
#[utoipa::path(put, path = "/me/two-factor", operation_id = "enableTwoFactor", tag = "two-factor",
    request_body = TwoFactorCode,
    responses((status = 201, body = NewRecoveryCodes), (status = 404), (status = 429)))]
#[put("/me/two-factor", data = "<input>")]
async fn update(
    input: Input<TwoFactorCode>,
    actor: SettingUp<Actor>,
    _sudo: SettingUp<Sudo>,
    site: &Site,
) -> web::Result {
    let codes = match totp::enable(site, &actor, &input).await {
        Ok(codes) => codes,
        refused => {
            let setup = totp::begun(site, &actor.user).await?;
            refused.or_form(SETUP_PAGE, json!(setup))?
        }
    };
    Ok(shown(CODES, CODES_PAGE, "/me/two-factor", codes))
}

#[get("/me/two-factor/recovery-codes")]
fn codes(shown: Shown) -> ShownPage {
    once(shown, CODES_PAGE, "/me/two-factor")
}

/// Turn two-factor log-in off, with a code
///
/// A recovery code works as well. Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(delete, path = "/me/two-factor", operation_id = "disableTwoFactor",
    tag = "two-factor", request_body = TwoFactorCode,
    responses((status = 204), (status = 404), (status = 429)))]
#[delete("/me/two-factor", data = "<input>")]
async fn delete(
    input: Input<TwoFactorCode>,
    actor: Actor,
    _sudo: Sudo,
    site: &Site,
) -> web::Result {
    or_show(totp::disable(site, &actor, &input).await, site, &actor).await?;
    Ok(gone("/me/two-factor", Flash("two-factor-off")))
}

/// Create new recovery codes, with a code
///
/// The old ones become invalid.
#[utoipa::path(post, path = "/me/two-factor/recovery-codes", operation_id = "createRecoveryCodes",
    tag = "two-factor", request_body = TwoFactorCode,
    responses((status = 201, body = NewRecoveryCodes), (status = 404), (status = 429)))]
#[post("/me/two-factor/recovery-codes", data = "<input>")]
async fn create_codes(
    input: Input<TwoFactorCode>,
    actor: Actor,
    _sudo: Sudo,
    site: &Site,
) -> web::Result {
    let codes = or_show(totp::renew_codes(site, &actor, &input).await, site, &actor).await?;
    Ok(shown(CODES, CODES_PAGE, "/me/two-factor", codes))
}

/// Shows the page with both forms again when a code was rejected.
async fn or_show<T>(outcome: Result<T, Error>, site: &Site, actor: &Actor) -> web::Result<T> {
    match outcome {
        Ok(value) => Ok(value),
        refused => {
            let status = totp::status(site, &actor.user).await?;
            refused.or_form("accounts/two_factor/show.html", json!(status))
        }
    }
}

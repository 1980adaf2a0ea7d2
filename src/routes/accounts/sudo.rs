//! Confirming the password and the second factor again, for sensitive actions.

use rocket::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::models::accounts::login;
use crate::models::accounts::session::Session;
use crate::models::accounts::two_factor::totp;
use crate::models::base::actor::Actor;
use crate::models::base::form_value;
use crate::models::base::site::Site;
use crate::web::{
    self, Flash, Input, Kept, OrForm, Query, QueryParams, ReturnTo, SettingUp, form, gone, room,
};

room! {
    pages: [new, create],
    auth: [create],
}

/// The password and the code, to be confirmed.
#[derive(Default, Deserialize, utoipa::ToSchema)]
pub struct SudoInput {
    /// The current password.
    #[schema(value_type = String, example = "violet otter paddles upstream", min_length = 1, max_length = 1000)]
    password: Option<String>,
    /// With two-factor log-in: the six-digit code from the authenticator, or a recovery code. A code
    /// works once, also the one that was used to log in.
    #[schema(example = "123456", max_length = 100)]
    code: Option<String>,
    #[schema(ignore)]
    next: Option<String>,
    /// Whether a form was interrupted, which has to be sent again.
    #[serde(default, deserialize_with = "form_value::boolean")]
    #[schema(ignore)]
    repeat: Option<bool>,
}

impl QueryParams for SudoInput {}

pub(super) const FORM: &str = "accounts/sudo.html";

#[get("/sudo")]
async fn new(
    actor: SettingUp<Actor>,
    _session: SettingUp<Session>,
    query: Query<SudoInput>,
    site: &Site,
) -> web::Result {
    let Query(SudoInput { next, repeat, .. }) = query;
    let values = json!({ "next": ReturnTo::from(next).or("/me"), "repeat": repeat });
    let view = json!({ "two_factor": totp::is_on(&site.db, actor.user.id).await? });
    Ok(form(FORM, values, view))
}

/// Confirm your password, and your second factor
///
/// Required for sensitive actions, which return 401 and `error="insufficient_user_authentication"`
/// (RFC 9470) until the password is confirmed, and with two-factor log-in also a `code`. Lasts 15
/// minutes.
#[utoipa::path(post, path = "/auth/sudo", operation_id = "confirmPassword", tag = "accounts",
    request_body = SudoInput,
    responses((status = 204), (status = 429),
        (status = 401, description = "Not logged in, or a `code` is also required.")))]
#[post("/sudo", data = "<input>")]
async fn create(
    input: Input<SudoInput>,
    actor: SettingUp<Actor>,
    session: SettingUp<Session>,
    kept: Kept<'_>,
    site: &Site,
) -> web::Result {
    let Input(SudoInput { password, code, next, repeat }) = input;
    let two_factor = totp::is_on(&site.db, actor.user.id).await?;
    let view = json!({ "two_factor": two_factor, "kept": kept.is_carried() });
    login::reauthenticate(site, &actor, &session, password.as_deref(), code.as_deref())
        .await
        .or_form(FORM, view)?;
    let flash = match repeat.unwrap_or_default() || kept.is_carried() {
        true => Flash("reauthenticated-repeat"),
        false => Flash("reauthenticated"),
    };
    Ok(gone(kept.keep(site, &session.id, ReturnTo::from(next).or("/me")).await?, flash))
}

//! E-mail addresses: changing and confirming them.

use rocket::{get, post, put};
use serde::Deserialize;
use serde_json::json;

use crate::models::accounts::account::{self, Account};
use crate::models::accounts::email_address::{self, EmailChange};
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::site::Site;
use crate::models::mail::email_link::Purpose;
use crate::web::security::link_cookie::{LinkResponse, LinkVisit};
use crate::web::{self, Flash, Input, OrForm, Sudo, form, gone, room, saved};

room! {
    both: [update, resend],
    pages: [edit, new_verification, create_verification_page],
    auth: [create_verification],
}

const EDIT_FORM: &str = "accounts/emails/edit.html";
const VERIFY_FORM: &str = "accounts/emails/verify.html";

#[get("/me/email")]
async fn edit(actor: Actor, _sudo: Sudo, site: &Site) -> web::Result {
    let account = account::own(site, &actor.user).await?;
    let email = account.pending_email.as_ref().or(account.email.as_ref());
    Ok(form(EDIT_FORM, json!({ "email": email }), json!(account)))
}

/// Change your e-mail address
///
/// If the site sends e-mail, the new address takes effect once it is confirmed, and the old one is
/// notified. Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(put, path = "/me/email", operation_id = "updateEmail", tag = "accounts",
    request_body = EmailChange,
    responses((status = 200, body = Account), (status = 409), (status = 429)))]
#[put("/me/email", data = "<input>")]
async fn update(input: Input<EmailChange>, actor: Actor, _sudo: Sudo, site: &Site) -> web::Result {
    let changed = email_address::change(site, &actor, &input).await;
    let account = account::own(site, &actor.user).await?;
    changed.or_form(EDIT_FORM, json!(account))?;
    Ok(saved("/me", Flash("email-changed"), account))
}

/// Send the confirmation link again
///
/// To the address that waits for confirmation. The link that was sent before becomes invalid.
#[utoipa::path(post, path = "/me/email/verification", operation_id = "resendVerification",
    tag = "accounts",
    responses((status = 204), (status = 409), (status = 429)))]
#[post("/me/email/verification")]
async fn resend(actor: Actor, site: &Site) -> web::Result {
    email_address::resend(site, &actor).await?;
    Ok(gone("/me", Flash("link-sent")))
}

/// The secret of an e-mailed link.
#[derive(Default, Deserialize, utoipa::ToSchema)]
pub struct LinkToken {
    /// The `token` of the link.
    #[schema(value_type = String, example = "prl_…", min_length = 1, max_length = 1000)]
    token: Option<String>,
}

/// Opening the link changes nothing yet: e-mail scanners open links too.
#[get("/verify-email")]
async fn new_verification(visit: LinkVisit<'_>) -> web::Result<LinkResponse> {
    visit.form(Purpose::Verify, VERIFY_FORM).await
}

#[post("/verify-email")]
async fn create_verification_page(
    visit: LinkVisit<'_>,
    caller: &Caller,
    site: &Site,
) -> web::Result {
    let token = visit.token(Purpose::Verify);
    email_address::verify(site, caller, token).await.or_form(VERIFY_FORM, json!({}))?;
    visit.forget(Purpose::Verify);
    Ok(gone("/", Flash("email-verified")))
}

/// Confirm an e-mail address
///
/// With the secret of the e-mailed link.
#[utoipa::path(post, path = "/auth/verify-email", operation_id = "verifyEmail", tag = "accounts",
    security(()), request_body = LinkToken,
    responses((status = 204), (status = 409), (status = 429),
        (status = 401, description = "The link is unknown, used, replaced or expired.")))]
#[post("/verify-email", data = "<input>")]
async fn create_verification(input: Input<LinkToken>, caller: &Caller, site: &Site) -> web::Result {
    email_address::verify(site, caller, input.token.as_deref().unwrap_or_default()).await?;
    Ok(gone("/", Flash("email-verified")))
}

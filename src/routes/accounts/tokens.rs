//! Personal tokens.

use rocket::{delete, get, post};
use serde::Serialize;
use serde_json::json;

use crate::error::Result;
use crate::models::accounts::authorized_application::{self, AuthorizedApplication};
use crate::models::accounts::personal_token::{
    self, NewPersonalToken, PersonalTokenInput, PersonalTokenView,
};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::web::{
    self, Flash, Id, Input, OrForm, ReturnTo, Shown, ShownPage, Sudo, gone, once, page, room, shown,
};

room! {
    tag: ("tokens", "Personal tokens for your own programs"),
    both: [index, create, delete, delete_application],
    pages: [created],
}

/// Shows a new token once.
const CREATED: &str = "/me/tokens/created";
const CREATED_PAGE: &str = "accounts/tokens/created.html";

/// The user's own tokens, without their secrets, and the applications that have access.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PersonalTokenList {
    /// At most 50.
    items: Vec<PersonalTokenView>,
    /// Applications of third parties that have access to the account.
    applications: Vec<AuthorizedApplication>,
}

async fn everything(site: &Site, actor: &Actor) -> Result<PersonalTokenList> {
    let items = personal_token::list(site, &actor.user).await?;
    let applications = authorized_application::list(site, &actor.user).await?;
    Ok(PersonalTokenList { items, applications })
}

/// List your personal tokens, newest first, and the applications that have access to your account
///
/// Without their secrets. Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(get, path = "/me/tokens", operation_id = "listPersonalTokens", tag = "tokens",
    responses((status = 200, body = PersonalTokenList)))]
#[get("/me/tokens")]
async fn index(actor: Actor, _sudo: Sudo, site: &Site) -> web::Result {
    Ok(page("accounts/tokens/index.html", everything(site, &actor).await?))
}

/// Create a personal token
///
/// For your own programs, sent as `Authorization: Bearer`. It is shown only once. Requires a
/// recently confirmed password, see `/auth/sudo`.
#[utoipa::path(post, path = "/me/tokens", operation_id = "createPersonalToken", tag = "tokens",
    request_body = PersonalTokenInput,
    responses((status = 201, body = NewPersonalToken), (status = 409), (status = 429)))]
#[post("/me/tokens", data = "<input>")]
async fn create(
    input: Input<PersonalTokenInput>,
    actor: Actor,
    _sudo: Sudo,
    site: &Site,
) -> web::Result {
    let token = match personal_token::create(site, &actor, &input).await {
        Ok(token) => token,
        refused => {
            let view = everything(site, &actor).await?;
            refused.or_form("accounts/tokens/index.html", json!(view))?
        }
    };
    let location = format!("/me/tokens/{}", token.view.id);
    Ok(shown(CREATED, CREATED_PAGE, location, token))
}

#[get("/me/tokens/created")]
fn created(shown: Shown) -> ShownPage {
    once(shown, CREATED_PAGE, "/me/tokens")
}

/// Revoke a personal token
///
/// Takes effect immediately. Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(delete, path = "/me/tokens/{id}", operation_id = "revokePersonalToken",
    tag = "tokens", params(("id" = i64, Path)),
    responses((status = 204)))]
#[delete("/me/tokens/<id>", data = "<return_to>")]
async fn delete(
    id: Id,
    return_to: ReturnTo,
    actor: Actor,
    _sudo: Sudo,
    site: &Site,
) -> web::Result {
    personal_token::delete(site, &actor, *id).await?;
    Ok(gone(return_to.or("/me/tokens"), Flash("token-revoked")))
}

/// Revoke an application's access to your account
///
/// Takes effect immediately. Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(delete, path = "/me/tokens/applications/{id}", operation_id = "revokeAuthorization",
    tag = "tokens", params(("id" = i64, Path, description = "The number of the application.")),
    responses((status = 204)))]
#[delete("/me/tokens/applications/<id>", data = "<return_to>")]
async fn delete_application(
    id: Id,
    return_to: ReturnTo,
    actor: Actor,
    _sudo: Sudo,
    site: &Site,
) -> web::Result {
    authorized_application::revoke(site, &actor, *id).await?;
    Ok(gone(return_to.or("/me/tokens"), Flash("access-revoked")))
}

//! The user's own applications: programs for which other people give access to their accounts.

use rocket::{delete, get, post, put};
use serde::Serialize;
use serde_json::json;

use crate::models::accounts::application::{
    self, ApplicationInput, ApplicationUpdate, ApplicationView, NewApplication,
};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::web::{
    self, Flash, Id, Input, OrForm, ReturnTo, Shown, ShownPage, Sudo, gone, once, page, room,
    saved, shown,
};

room! {
    tag: ("applications", "Your applications, which other people can give access to their accounts"),
    both: [index, show, create, update, delete],
    pages: [created],
}

/// The user's own applications, without their secrets.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ApplicationList {
    /// At most 20.
    items: Vec<ApplicationView>,
}

const INDEX: &str = "accounts/applications/index.html";
const SHOW: &str = "accounts/applications/show.html";
/// Shows a new application and its secret once.
const CREATED: &str = "/me/applications/created";
const CREATED_PAGE: &str = "accounts/applications/created.html";

/// List your applications, newest first
///
/// Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(get, path = "/me/applications", operation_id = "listApplications",
    tag = "applications",
    responses((status = 200, body = ApplicationList)))]
#[get("/me/applications")]
async fn index(actor: Actor, _sudo: Sudo, site: &Site) -> web::Result {
    let items = application::list(site, &actor.user).await?;
    Ok(page(INDEX, ApplicationList { items }))
}

/// Get one of your applications
///
/// Requires a recently confirmed password, see `/auth/sudo`.
#[utoipa::path(get, path = "/me/applications/{id}", operation_id = "getApplication",
    tag = "applications",
    params(("id" = i64, Path, description = "The number of the application.")),
    responses((status = 200, body = ApplicationView)))]
#[get("/me/applications/<id>")]
async fn show(id: Id, actor: Actor, _sudo: Sudo, site: &Site) -> web::Result {
    Ok(page(SHOW, application::show(site, &actor.user, *id).await?))
}

/// Register an application
///
/// For a program that other people give access to their accounts at `/oauth/authorize`
/// (authorization code with PKCE). The secret of a confidential one is shown only once. Requires a
/// recently confirmed password, see `/auth/sudo`.
#[utoipa::path(post, path = "/me/applications", operation_id = "createApplication",
    tag = "applications", request_body = ApplicationInput,
    responses((status = 201, body = NewApplication), (status = 409), (status = 429)))]
#[post("/me/applications", data = "<input>")]
async fn create(
    input: Input<ApplicationInput>,
    actor: Actor,
    _sudo: Sudo,
    site: &Site,
) -> web::Result {
    let created = match application::create(site, &actor, &input).await {
        Ok(created) => created,
        refused => {
            let items = application::list(site, &actor.user).await?;
            refused.or_form(INDEX, json!({ "items": items }))?
        }
    };
    let location = format!("/me/applications/{}", created.view.id);
    Ok(shown(CREATED, CREATED_PAGE, location, created))
}

#[get("/me/applications/created")]
fn created(shown: Shown) -> ShownPage {
    once(shown, CREATED_PAGE, "/me/applications")
}

/// Change one of your applications
///
/// Fields that are missing stay as they are. Access that people have given remains. Requires a
/// recently confirmed password, see `/auth/sudo`.
#[utoipa::path(put, path = "/me/applications/{id}", operation_id = "updateApplication",
    tag = "applications",
    params(("id" = i64, Path, description = "The number of the application.")),
    request_body = ApplicationUpdate,
    responses((status = 200, body = ApplicationView), (status = 429)))]
#[put("/me/applications/<id>", data = "<input>")]
async fn update(
    id: Id,
    input: Input<ApplicationUpdate>,
    actor: Actor,
    _sudo: Sudo,
    site: &Site,
) -> web::Result {
    let updated = match application::update(site, &actor, *id, &input).await {
        Ok(updated) => updated,
        refused => {
            let view = application::show(site, &actor.user, *id).await?;
            refused.or_form(SHOW, json!(view))?
        }
    };
    Ok(saved(format!("/me/applications/{id}"), Flash("application-saved"), updated))
}

/// Delete one of your applications
///
/// Everybody's access through it ends immediately. Requires a recently confirmed password, see
/// `/auth/sudo`.
#[utoipa::path(delete, path = "/me/applications/{id}", operation_id = "deleteApplication",
    tag = "applications",
    params(("id" = i64, Path, description = "The number of the application.")),
    responses((status = 204)))]
#[delete("/me/applications/<id>", data = "<return_to>")]
async fn delete(
    id: Id,
    return_to: ReturnTo,
    actor: Actor,
    _sudo: Sudo,
    site: &Site,
) -> web::Result {
    application::delete(site, &actor, *id).await?;
    Ok(gone(return_to.or("/me/applications"), Flash("application-deleted")))
}

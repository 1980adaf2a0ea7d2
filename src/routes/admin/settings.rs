//! The settings of the site.

use rocket::{get, patch};
use serde_json::json;

use crate::models::base::actor::Admin;
use crate::models::base::site::Site;
use crate::models::moderation::settings::{self, SettingsInput, SettingsView};
use crate::web::{self, Flash, Input, OrForm, form, page, room, saved};

room! {
    both: [update],
    pages: [edit],
    api: [show],
}

const FORM: &str = "admin/settings.html";

/// Get the settings of the site
///
/// With those that the configuration has fixed, and the variables that fix them.
#[utoipa::path(get, path = "/admin/settings", operation_id = "getSettings", tag = "admin",
    security(("oauth2" = ["admin"])),
    responses((status = 200, body = SettingsView)))]
#[get("/admin/settings")]
async fn show(admin: Admin, site: &Site) -> web::Result {
    Ok(page(FORM, settings::show(site, &admin).await?))
}

#[get("/admin/settings")]
async fn edit(admin: Admin, site: &Site) -> web::Result {
    let view = settings::show(site, &admin).await?;
    let fixed = json!({ "fixed": view.fixed });
    let mut values = json!(view);
    // A form has only texts.
    for value in values.as_object_mut().into_iter().flat_map(|fields| fields.values_mut()) {
        if let Some(flag) = value.as_bool() {
            *value = json!(flag.to_string());
        }
    }
    Ok(form(FORM, values, fixed))
}

/// Change settings of the site
///
/// Missing fields stay unchanged. In force within a second, on every instance.
#[utoipa::path(patch, path = "/admin/settings", operation_id = "updateSettings", tag = "admin",
    security(("oauth2" = ["admin"])), request_body = SettingsInput,
    responses((status = 200, body = SettingsView), (status = 429)))]
#[patch("/admin/settings", data = "<input>")]
async fn update(input: Input<SettingsInput>, admin: Admin, site: &Site) -> web::Result {
    let fixed: std::collections::BTreeMap<_, _> =
        site.settings.fixed().variables().into_iter().collect();
    let view =
        settings::update(site, &admin, &input).await.or_form(FORM, json!({ "fixed": fixed }))?;
    Ok(saved("/admin/settings", Flash("settings-saved"), view))
}

//! The first run: a page that creates the first admin. It exists until there has ever been one.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rocket::{State, get, post};
use serde::Serialize;
use serde_json::json;

use crate::error::Error;
use crate::models::base::caller::Caller;
use crate::models::base::site::{EmailRules, Site};
use crate::models::moderation::first_run::{self, FirstRunInput};
use crate::web::security::link_cookie::{LinkResponse, LinkVisit, SETUP};
use crate::web::{self, Client, Flash, Input, OrForm, Reach, form, room, saved};

room! {
    pages: [new, create],
}

const FORM: &str = "admin/setup.html";

/// The link to the page, and the file that contains it until the site is set up.
pub struct SetupLink {
    file: PathBuf,
    /// What the server prints when it listens.
    link: OnceLock<String>,
}

impl SetupLink {
    /// In the folder of the site's data.
    pub fn new(folder: &Path) -> SetupLink {
        SetupLink { file: folder.join("setup-link"), link: OnceLock::new() }
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

    pub fn set(&self, link: String) {
        let _ = self.link.set(link);
    }

    pub fn get(&self) -> Option<&str> {
        self.link.get().map(String::as_str)
    }

    /// Removes the file: the link no longer works.
    pub fn remove(&self) {
        match std::fs::remove_file(&self.file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "{} cannot be removed", self.file.display());
            }
            _ => {}
        }
    }
}

/// What the page shows besides the form.
#[derive(Serialize)]
struct SetupView {
    reach: Reach,
    email: EmailRules,
    /// Settings that the configuration has fixed, with the variable.
    fixed: serde_json::Value,
}

fn view(site: &Site, reach: Reach) -> serde_json::Value {
    let fixed: std::collections::BTreeMap<_, _> =
        site.settings.fixed().variables().into_iter().collect();
    json!(SetupView { reach, email: site.email_rules(), fixed: json!(fixed) })
}

#[get("/setup")]
async fn new(
    visit: LinkVisit<'_>,
    reach: Reach,
    caller: &Caller,
    site: &Site,
) -> web::Result<LinkResponse> {
    if !first_run::is_open(&site.db).await? {
        return Err(Error::NotFound.into());
    }
    if let Some(moved) = visit.moved(SETUP) {
        return Ok(moved);
    }
    // Whoever tries Postly out on their own machine wants to show it to others; a site on the
    // Internet opens when its admin says so.
    let registration = if reach.local { "open" } else { "closed" };
    let view = view(site, reach);
    first_run::check(site, caller, visit.token(SETUP)).await.or_form(FORM, view.clone())?;
    let settings = site.settings.current();
    let values = json!({
        "site_name": settings.site_name,
        "description": settings.description,
        "registration": registration,
    });
    Ok(LinkResponse::Form(Box::new(form(FORM, values, view))))
}

#[post("/setup", data = "<input>")]
async fn create(
    input: Input<FirstRunInput>,
    visit: LinkVisit<'_>,
    reach: Reach,
    client: Client<'_>,
    link: &State<SetupLink>,
    site: &Site,
) -> web::Result {
    let view = view(site, reach);
    let identity = first_run::complete(site, client.caller(), visit.token(SETUP), &input)
        .await
        .or_form(FORM, view)?;
    link.remove();
    visit.forget(SETUP);
    client.log_in(&identity).await?;
    Ok(saved("/admin", Flash("set-up"), ()))
}

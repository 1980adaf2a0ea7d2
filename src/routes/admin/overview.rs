//! The overview for admins: what the site still needs.

use rocket::{get, post};
use serde::Serialize;

use crate::models::base::actor::{Actor, Admin};
use crate::models::base::site::Site;
use crate::models::moderation::overview::{self, SiteState};
use crate::web::{self, Flash, OrForm, Reach, gone, page, room};

room! {
    both: [show, create_test_mail],
}

const PAGE: &str = "admin/overview.html";

/// What the site still needs, as the program sees it.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Overview {
    /// How this request reached the site.
    reach: Reach,
    /// The state of the site.
    state: SiteState,
}

/// Get what the site still needs
///
/// How this request reached it, and what is missing: backups, rules, a second factor.
#[utoipa::path(get, path = "/admin", operation_id = "getOverview", tag = "admin",
    security(("oauth2" = ["admin"])),
    responses((status = 200, body = Overview)))]
#[get("/admin")]
async fn show(_admin: Admin, reach: Reach, site: &Site) -> web::Result {
    Ok(page(PAGE, Overview { reach, state: overview::state(site).await? }))
}

/// Send yourself a test e-mail
///
/// The overview tells whether the mail server accepted it.
#[utoipa::path(post, path = "/admin/test-mail", operation_id = "sendTestMail", tag = "admin",
    responses((status = 204), (status = 422), (status = 429)))]
#[post("/admin/test-mail")]
async fn create_test_mail(admin: Admin, actor: Actor, reach: Reach, site: &Site) -> web::Result {
    let view = Overview { reach, state: overview::state(site).await? };
    let sent = overview::send_test_mail(site, &admin, &actor).await;
    sent.or_form(PAGE, serde_json::json!(view))?;
    Ok(gone("/admin", Flash("test-mail-sent")))
}

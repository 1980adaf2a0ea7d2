//! The user's own account and posts.

use rocket::get;
use serde::Serialize;

use crate::models::accounts::account::{self, Account};
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::feed::{self, DashboardStats};
use crate::models::posts::post::PostSummary;
use crate::web::{self, AccountScope, Query, Scoped, list, page, room};

room! {
    both: [show, dashboard],
}

/// Get your account
///
/// With the e-mail address, which nobody else but admins can see.
#[utoipa::path(get, path = "/me", operation_id = "getAccount", tag = "accounts",
    security(("oauth2" = ["account"])),
    responses((status = 200, body = Account)))]
#[get("/me")]
async fn show(actor: Scoped<AccountScope>, site: &Site) -> web::Result {
    Ok(page("accounts/me.html", account::own(site, &actor.user).await?))
}

/// A greeting, statistics, and the user's own posts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Dashboard {
    #[serde(flatten)]
    stats: DashboardStats,
    #[serde(flatten)]
    page: Page<PostSummary>,
}

/// List your posts, newest first
///
/// With a greeting and statistics.
#[utoipa::path(get, path = "/dashboard", operation_id = "getDashboard", tag = "accounts",
    security(("oauth2" = ["account"])), params(PageParams),
    responses((status = 200, body = Dashboard)))]
#[get("/dashboard")]
async fn dashboard(
    actor: Scoped<AccountScope>,
    query: Query<PageParams>,
    site: &Site,
) -> web::Result {
    let me = &actor.user;
    let posts = feed::by_author(site, Some(me), me.id, &query).await?;
    let stats = feed::stats(site, me).await?;
    Ok(list("accounts/dashboard.html", posts, |page| Dashboard { stats, page }))
}

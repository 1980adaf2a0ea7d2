//! The user's own account and posts.

use rocket::get;
use serde::{Deserialize, Serialize};

use crate::models::accounts::account::{self, Account};
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::feed::{self, DashboardStats};
use crate::models::posts::post::PostSummary;
use crate::models::posts::post_draft;
use crate::models::posts::search;
use crate::web::{self, AccountScope, Query, QueryParams, Scoped, list, page, room};

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

/// What to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DashboardParams {
    /// What to search for in the titles of your posts.
    #[param(example = "tides")]
    q: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageParams,
}

impl QueryParams for DashboardParams {
    const NAMES: &'static [&'static str] = &["q", "before", "after", "limit"];
}

/// A greeting, statistics, and the user's own posts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Dashboard {
    #[serde(flatten)]
    stats: DashboardStats,
    #[serde(flatten)]
    page: Page<PostSummary>,
    /// The numbers of those posts whose next version has been begun.
    #[schema(example = json!([1]))]
    with_draft: Vec<i64>,
    /// What was searched for.
    #[schema(example = "tides")]
    q: Option<String>,
}

/// List your posts, newest first
///
/// With a greeting and statistics; `q` searches the titles of your posts.
#[utoipa::path(get, path = "/dashboard", operation_id = "getDashboard", tag = "accounts",
    security(("oauth2" = ["account"])), params(DashboardParams, PageParams),
    responses((status = 200, body = Dashboard)))]
#[get("/dashboard")]
async fn dashboard(
    actor: Scoped<AccountScope>,
    query: Query<DashboardParams>,
    site: &Site,
) -> web::Result {
    let Query(DashboardParams { q, page }) = query;
    let me = &actor.user;
    let posts = search::by_author(site, Some(me), me.id, q.as_deref(), &page).await?;
    let stats = feed::stats(site, me).await?;
    let with_draft = post_draft::begun(site, posts.items.iter().map(|post| post.id)).await?;
    Ok(list("accounts/dashboard.html", posts, |page| Dashboard { stats, page, with_draft, q }))
}

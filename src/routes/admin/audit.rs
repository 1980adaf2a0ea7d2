//! The audit log.

use rocket::get;

use crate::models::audit::{self, Event};
use crate::models::base::actor::Admin;
use crate::models::base::page::PageParams;
use crate::models::base::site::Site;
use crate::web::{self, Query, SearchParams, SearchResult, list, room};

room! {
    both: [index],
}

/// List the audit log, latest first
///
/// `q` is a username, the number of an account, an IP address, the id of a request, or a kind of
/// event.
#[utoipa::path(get, path = "/admin/audit", operation_id = "listAuditEvents", tag = "admin",
    security(("oauth2" = ["admin"])), params(SearchParams, PageParams),
    responses((status = 200, body = SearchResult<Event>)))]
#[get("/admin/audit")]
async fn index(admin: Admin, query: Query<SearchParams>, site: &Site) -> web::Result {
    let Query(SearchParams { q, page }) = query;
    let events = audit::list(site, &admin, q.as_deref(), &page).await?;
    Ok(list("admin/audit.html", events, |page| SearchResult { page, q }))
}

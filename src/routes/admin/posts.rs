//! All posts, for admins.

use rocket::get;

use crate::models::base::actor::Admin;
use crate::models::base::page::PageParams;
use crate::models::base::site::Site;
use crate::models::posts::feed;
use crate::models::posts::post::PostSummary;
use crate::web::{self, Query, SearchParams, SearchResult, list, room};

room! {
    both: [index],
}

/// List all posts, newest first
///
/// `q` searches titles and authors.
#[utoipa::path(get, path = "/admin/posts", operation_id = "listAllPosts", tag = "admin",
    security(("oauth2" = ["admin"])), params(SearchParams, PageParams),
    responses((status = 200, body = SearchResult<PostSummary>)))]
#[get("/admin/posts")]
async fn index(admin: Admin, query: Query<SearchParams>, site: &Site) -> web::Result {
    let Query(SearchParams { q, page }) = query;
    let posts = feed::search(site, &admin, q.as_deref(), &page).await?;
    Ok(list("admin/posts.html", posts, |page| SearchResult { page, q }))
}

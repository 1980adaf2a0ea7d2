//! What only its author finds.

use rocket::get;

use crate::models::base::page::PageParams;
use crate::models::base::site::Site;
use crate::models::posts::drafts;
use crate::web::{self, AccountScope, Query, Scoped, list, room};

room! {
    both: [index],
}

/// List your drafts
///
/// And your scheduled posts and those that are not public, the latest first. Nobody else can list them.
#[utoipa::path(get, path = "/drafts", operation_id = "listDrafts", tag = "publication",
    security(("oauth2" = ["account"])), params(PageParams),
    responses((status = 200, body = crate::models::base::page::Page<crate::models::posts::post::PostSummary>)))]
#[get("/drafts")]
async fn index(actor: Scoped<AccountScope>, query: Query<PageParams>, site: &Site) -> web::Result {
    let drafts = drafts::list(site, &actor, &query).await?;
    Ok(list("posts/drafts.html", drafts, |page| page))
}

//! All comments, for admins.

use rocket::get;

use crate::models::base::actor::Admin;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment_list::{self, ListedComment};
use crate::web::{self, Query, list, room};

room! {
    both: [index],
}

/// List all comments, latest first
///
/// Each with the post that it is about; deleted ones are left out.
#[utoipa::path(get, path = "/admin/comments", operation_id = "listAllComments", tag = "admin",
    security(("oauth2" = ["admin"])), params(PageParams),
    responses((status = 200, body = Page<ListedComment>)))]
#[get("/admin/comments")]
async fn index(admin: Admin, query: Query<PageParams>, site: &Site) -> web::Result {
    let comments = comment_list::latest(site, &admin, &query).await?;
    Ok(list("admin/comments.html", comments, |page| page))
}

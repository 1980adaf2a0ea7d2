//! All posts, for admins.

use rocket::get;
use serde::{Deserialize, Serialize};

use crate::models::base::actor::Admin;
use crate::models::base::choice;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::PostSummary;
use crate::models::posts::search::{self, ListedVisibility, PostSearch};
use crate::web::{self, Query, QueryParams, list, room};

room! {
    both: [index],
}

/// What to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PostListParams {
    /// What to search for: in titles and authors, with `author` in titles.
    #[param(example = "tides")]
    q: Option<String>,
    /// Only the posts of this user.
    #[param(example = "ann")]
    author: Option<String>,
    /// Those that are published, but in no other list: instead of the public ones, and without `q` and
    /// `author`.
    #[param(value_type = ListedVisibility, example = "unlisted")]
    visibility: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageParams,
}

impl QueryParams for PostListParams {
    const NAMES: &'static [&'static str] =
        &["q", "author", "visibility", "before", "after", "limit"];
}

/// A page of posts, and what was asked for.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PostList {
    #[serde(flatten)]
    page: Page<PostSummary>,
    /// What was searched for.
    #[schema(example = "tides")]
    q: Option<String>,
    /// Whose posts these are, if only one author's were requested.
    #[schema(example = "ann")]
    author: Option<String>,
    /// Who may read them.
    visibility: ListedVisibility,
}

/// List all posts, newest first
///
/// `q` searches titles and authors; with `author`, the titles of this user's posts. `visibility` lists those that
/// are in no other list because they are for those who know the address.
#[utoipa::path(get, path = "/admin/posts", operation_id = "listAllPosts", tag = "admin",
    security(("oauth2" = ["admin"])), params(PostListParams, PageParams),
    responses((status = 200, body = PostList), (status = 404)))]
#[get("/admin/posts")]
async fn index(admin: Admin, query: Query<PostListParams>, site: &Site) -> web::Result {
    let Query(PostListParams { q, author, visibility, page }) = query;
    let visibility = choice::chosen("visibility", visibility.as_deref())?;
    let search = PostSearch { q: q.as_deref(), author: author.as_deref(), visibility };
    let (posts, author) = search::for_admin(site, &admin, &search, &page).await?;
    Ok(list("admin/posts.html", posts, |page| PostList { page, q, author, visibility }))
}

//! Public profiles.

use rocket::get;
use serde::Serialize;

use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::feed;
use crate::models::posts::post::PostSummary;
use crate::models::users::user::{self, Profile};
use crate::web::{self, Problem, Query, Visitor, list, room};

room! {
    tag: ("people", "Public profiles"),
    both: [show],
}

/// A user and their posts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct UserPosts {
    user: Profile,
    #[serde(flatten)]
    page: Page<PostSummary>,
}

/// Get a user and their posts, newest first
#[utoipa::path(get, path = "/users/{username}", tag = "people", security((), ("password" = [])),
    params(("username" = String, Path), PageParams),
    responses((status = 200, body = UserPosts), (status = 404, body = Problem)))]
#[get("/users/<username>")]
async fn show(
    username: &str,
    query: Query<PageParams>,
    visitor: Visitor,
    site: &Site,
) -> web::Result {
    let user = user::profile(&site.db, username).await?;
    let posts = feed::by_author(site, visitor.user(), user.id, &query).await?;
    Ok(list("users/show.html", posts, |page| UserPosts { user, page }))
}

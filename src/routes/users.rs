//! Public profiles.

use rocket::get;
use serde::Serialize;

use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment_list::{self, ListedComment};
use crate::models::posts::feed;
use crate::models::posts::post::PostSummary;
use crate::models::posts::series;
use crate::models::users::user::{self, Profile};
use crate::web::{self, Query, Visitor, list, room};

room! {
    tag: ("people", "Public profiles"),
    both: [show, comments],
    cached: [show, comments],
}

/// A user and their posts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct UserPosts {
    /// Whose posts these are.
    user: Profile,
    /// Whether the user has series: `GET /users/{username}/series` lists them.
    has_series: bool,
    #[serde(flatten)]
    page: Page<PostSummary>,
}

/// Get a user and their posts
///
/// Newest first.
#[utoipa::path(get, path = "/users/{username}", operation_id = "getUser", tag = "people",
    security((), ("oauth2" = ["posts:read"])), params(("username" = String, Path), PageParams),
    responses((status = 200, body = UserPosts)))]
#[get("/users/<username>")]
async fn show(
    username: &str,
    query: Query<PageParams>,
    visitor: Visitor,
    site: &Site,
) -> web::Result {
    let user = user::profile(&site.db, username).await?;
    let posts = feed::by_author(site, visitor.user(), user.id, &query).await?;
    let has_series = series::has_any(&site.db, visitor.user(), user.id).await?;
    Ok(list("users/show.html", posts, |page| UserPosts { user, has_series, page }))
}

/// A user and their comments.
#[derive(Serialize, utoipa::ToSchema)]
pub struct UserComments {
    /// Whose comments these are.
    user: Profile,
    /// Whether the user has series: `GET /users/{username}/series` lists them.
    has_series: bool,
    #[serde(flatten)]
    page: Page<ListedComment>,
}

/// List the comments of a user
///
/// Latest first, each with the post that it is about.
#[utoipa::path(get, path = "/users/{username}/comments", operation_id = "listUserComments", tag = "people",
    security((), ("oauth2" = ["posts:read"])), params(("username" = String, Path), PageParams),
    responses((status = 200, body = UserComments)))]
#[get("/users/<username>/comments")]
async fn comments(
    username: &str,
    query: Query<PageParams>,
    visitor: Visitor,
    site: &Site,
) -> web::Result {
    let user = user::profile(&site.db, username).await?;
    let comments = comment_list::by_author(site, visitor.user(), user.id, &query).await?;
    let has_series = series::has_any(&site.db, visitor.user(), user.id).await?;
    Ok(list("users/comments.html", comments, |page| UserComments { user, has_series, page }))
}

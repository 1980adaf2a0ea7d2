//! Votes for posts.

use rocket::{delete, get, put};
use serde::Serialize;

use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::{self, Post};
use crate::models::posts::vote::{self, Vote};
use crate::web::{
    self, Flash, PostsWrite, Problem, Query, ReturnTo, Scoped, Visitor, list, room, saved,
};

room! {
    tag: ("votes", "One per user and post"),
    both: [index, update, delete],
}

/// The votes for a post, and the post.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PostVotes {
    post: PostTitle,
    #[serde(flatten)]
    page: Page<Vote>,
}

/// The title and path of a post.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PostTitle {
    id: i64,
    title: String,
    path: String,
}

/// List the votes for a post, latest first
#[utoipa::path(get, path = "/posts/{id}/votes", tag = "votes", security((), ("password" = [])),
    params(("id" = i64, Path), PageParams),
    responses((status = 200, body = PostVotes), (status = 404, body = Problem)))]
#[get("/posts/<id>/votes")]
async fn index(id: i64, query: Query<PageParams>, visitor: Visitor, site: &Site) -> web::Result {
    let post = post::show(&site.db, visitor.user(), id).await?;
    let votes = vote::list(site, &post, &query).await?;
    let post = PostTitle { id, title: post.summary.title, path: post.summary.path };
    Ok(list("posts/votes.html", votes, |page| PostVotes { post, page }))
}

/// Vote for a post
///
/// Repeating it changes nothing. You can't vote for your own post.
#[utoipa::path(put, path = "/posts/{id}/vote", tag = "votes", params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 429, body = Problem)))]
#[put("/posts/<id>/vote", data = "<return_to>")]
async fn update(
    id: i64,
    return_to: ReturnTo,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let post = vote::cast(site, &actor, id).await?;
    Ok(voted(return_to, Flash("vote-cast"), post))
}

/// Withdraw a vote
///
/// Repeating it changes nothing.
#[utoipa::path(delete, path = "/posts/{id}/vote", tag = "votes", params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 429, body = Problem)))]
#[delete("/posts/<id>/vote", data = "<return_to>")]
async fn delete(
    id: i64,
    return_to: ReturnTo,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let post = vote::withdraw(site, &actor, id).await?;
    Ok(voted(return_to, Flash("vote-withdrawn"), post))
}

fn voted(return_to: ReturnTo, flash: Flash, post: Post) -> web::Reply {
    let (location, version) = (return_to.or(&post.summary.path), post.summary.version);
    saved(location, flash, post).with_version(version)
}

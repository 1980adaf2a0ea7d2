//! Votes for posts.

use rocket::{delete, get, put};
use serde::Serialize;

use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::{self, Post, PostSummary};
use crate::models::posts::vote::{self, Vote};
use crate::web::{
    self, Flash, Id, PostsWrite, Query, ReturnTo, Scoped, Visitor, list, room, saved,
};

room! {
    tag: ("votes", "One per user and post"),
    both: [index, update, delete],
}

/// The page that lists votes.
pub const PAGE: &str = "posts/votes.html";

/// The votes for a post, and the post.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PostVotes {
    /// The post.
    post: PostTitle,
    #[serde(flatten)]
    page: Page<Vote>,
}

/// The title and path of a post.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PostTitle {
    /// The number of the post.
    id: i64,
    /// One line.
    #[schema(example = "On tides")]
    title: String,
    /// The path of its page.
    #[schema(example = "/posts/1/on-tides")]
    path: String,
}

impl PostTitle {
    pub fn new(id: i64, post: &PostSummary) -> PostTitle {
        PostTitle { id, title: post.title.clone(), path: post.path.clone() }
    }
}

/// List the votes for a post, latest first
///
/// Votes are public: each names its user.
#[utoipa::path(get, path = "/posts/{id}/votes", operation_id = "listVotes", tag = "votes",
    security((), ("oauth2" = ["posts:read"])), params(("id" = i64, Path), PageParams),
    responses((status = 200, body = PostVotes)))]
#[get("/posts/<id>/votes")]
async fn index(id: Id, query: Query<PageParams>, visitor: Visitor, site: &Site) -> web::Result {
    let post = post::show(&site.db, visitor.user(), *id).await?;
    let votes = vote::list(site, &post, &query).await?;
    let post = PostTitle::new(*id, &post.summary);
    Ok(list(PAGE, votes, |page| PostVotes { post, page }))
}

/// Vote for a post
///
/// Repeating it changes nothing. You can't vote for your own post.
#[utoipa::path(put, path = "/posts/{id}/vote", operation_id = "castVote", tag = "votes",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 429)))]
#[put("/posts/<id>/vote", data = "<return_to>")]
async fn update(
    id: Id,
    return_to: ReturnTo,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let post = vote::cast(site, &actor, *id).await?;
    Ok(voted(return_to, Flash("vote-cast"), post))
}

/// Withdraw a vote
///
/// Repeating it changes nothing.
#[utoipa::path(delete, path = "/posts/{id}/vote", operation_id = "withdrawVote", tag = "votes",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 429)))]
#[delete("/posts/<id>/vote", data = "<return_to>")]
async fn delete(
    id: Id,
    return_to: ReturnTo,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let post = vote::withdraw(site, &actor, *id).await?;
    Ok(voted(return_to, Flash("vote-withdrawn"), post))
}

fn voted(return_to: ReturnTo, flash: Flash, post: Post) -> web::Reply {
    let (location, version) = (return_to.or(&post.summary.path), post.summary.version);
    saved(location, flash, post).with_version(version)
}

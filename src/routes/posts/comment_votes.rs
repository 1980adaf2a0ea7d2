//! Votes for comments.

use rocket::{delete, get, put};
use serde::Serialize;

use super::votes::{PAGE, PostTitle};
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment::{self, Comment};
use crate::models::posts::comment_vote;
use crate::models::posts::post::{self, Author};
use crate::models::posts::vote::Vote;
use crate::web::{
    self, Flash, Id, PostsWrite, Query, ReturnTo, Scoped, Visitor, list, room, saved,
};

room! {
    both: [index, vote, withdraw],
}

/// The votes for a comment, the comment, and the post on which it is one.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CommentVotes {
    /// The comment.
    comment: VotedComment,
    /// The post.
    post: PostTitle,
    #[serde(flatten)]
    page: Page<Vote>,
}

/// The author and the path of a comment.
#[derive(Serialize, utoipa::ToSchema)]
pub struct VotedComment {
    /// The number of the comment.
    id: i64,
    /// Who wrote it; null when it was deleted.
    author: Option<Author>,
    /// The path of the comment, the same at both doors.
    #[schema(example = "/comments/1")]
    path: String,
}

/// List the votes for a comment, latest first
///
/// Votes are public: each names its user.
#[utoipa::path(get, path = "/comments/{id}/votes", operation_id = "listCommentVotes", tag = "comments",
    security((), ("oauth2" = ["posts:read"])), params(("id" = i64, Path), PageParams),
    responses((status = 200, body = CommentVotes)))]
#[get("/comments/<id>/votes")]
async fn index(id: Id, query: Query<PageParams>, visitor: Visitor, site: &Site) -> web::Result {
    let Comment { post_id, author, path, .. } =
        comment::show(&site.db, visitor.user(), *id).await?;
    let post = post::show(&site.db, visitor.user(), post_id).await?;
    let votes = comment_vote::list(site, *id, &query).await?;
    let comment = VotedComment { id: *id, author, path };
    let post = PostTitle::new(post_id, &post.summary);
    Ok(list(PAGE, votes, |page| CommentVotes { comment, post, page }))
}

/// Vote for a comment
///
/// Repeating it changes nothing. You can't vote for your own comment.
#[utoipa::path(put, path = "/comments/{id}/vote", operation_id = "castCommentVote", tag = "comments",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = Comment), (status = 429)))]
#[put("/comments/<id>/vote", data = "<return_to>")]
async fn vote(id: Id, return_to: ReturnTo, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    let comment = comment_vote::cast(site, &actor, *id).await?;
    Ok(voted(return_to, Flash("vote-cast"), comment))
}

/// Withdraw a vote for a comment
///
/// Repeating it changes nothing.
#[utoipa::path(delete, path = "/comments/{id}/vote", operation_id = "withdrawCommentVote",
    tag = "comments", security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = Comment), (status = 429)))]
#[delete("/comments/<id>/vote", data = "<return_to>")]
async fn withdraw(
    id: Id,
    return_to: ReturnTo,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let comment = comment_vote::withdraw(site, &actor, *id).await?;
    Ok(voted(return_to, Flash("vote-withdrawn"), comment))
}

fn voted(return_to: ReturnTo, flash: Flash, comment: Comment) -> web::Reply {
    let (location, version) = (return_to.or(&comment.path), comment.version);
    saved(location, flash, comment).with_version(version)
}

//! The versions of comments: their history, one of them, what changed, and restoring.

use rocket::{get, post};
use serde::Serialize;

use crate::error::Error;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment::Comment;
use crate::models::posts::comment_revision::{self as revision, CommentRevision};
use crate::models::posts::history::VersionPage;
use crate::models::posts::restoration::{self, RestoreInput};
use crate::web::{
    self, Flash, Id, IfMatch, Input, PostsRead, PostsWrite, Query, Scoped, data, list, page, room,
    saved,
};

room! {
    both: [index, restore],
    pages: [read],
    api: [show],
}

/// The versions of a comment, latest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct CommentRevisions {
    /// The path of the comment, the same at both doors.
    #[schema(example = "/comments/1")]
    path: String,
    #[serde(flatten)]
    page: Page<CommentRevision>,
}

/// A version of a comment as a page.
#[derive(Serialize)]
struct CommentRevisionPage {
    comment: Comment,
    #[serde(flatten)]
    revision: VersionPage<CommentRevision>,
}

/// List the versions of a comment
///
/// Latest first. Only the author and admins may.
#[utoipa::path(get, path = "/comments/{id}/revisions", operation_id = "listCommentRevisions",
    tag = "revisions", security(("oauth2" = ["posts:read"])), params(("id" = i64, Path), PageParams),
    responses((status = 200, body = CommentRevisions)))]
#[get("/comments/<id>/revisions")]
async fn index(
    id: Id,
    query: Query<PageParams>,
    actor: Scoped<PostsRead>,
    site: &Site,
) -> web::Result {
    let (comment, versions) = revision::list(site, &actor, *id, &query).await?;
    let path = comment.path;
    Ok(list("comments/revisions.html", versions, |page| CommentRevisions { path, page }))
}

/// Get a version of a comment
///
/// Only the author and admins may.
#[utoipa::path(get, path = "/comments/{id}/revisions/{number}", operation_id = "getCommentRevision",
    tag = "revisions", security(("oauth2" = ["posts:read"])),
    params(("id" = i64, Path), ("number" = i64, Path)),
    responses((status = 200, body = CommentRevision)))]
#[get("/comments/<id>/revisions/<number>")]
async fn show(id: Id, number: Id, actor: Scoped<PostsRead>, site: &Site) -> web::Result {
    let (_, revision) = revision::show(site, &actor, *id, *number).await?;
    Ok(data(revision))
}

/// A version of a comment, as a page: its text, or with `compare` what has changed since the version of
/// that number; since the previous one, if it is empty.
#[get("/comments/<id>/revisions/<number>?<compare>")]
async fn read(
    id: Id,
    number: Id,
    compare: Option<&str>,
    actor: Scoped<PostsRead>,
    site: &Site,
) -> web::Result {
    let (comment, revision) = revision::read(site, &actor, *id, *number, compare).await?;
    Ok(page("comments/revision.html", CommentRevisionPage { comment, revision }))
}

/// Restore a version of a comment
///
/// Its text is saved again, as a new version. With `If-Match` (or `version`), this is refused when somebody
/// has saved a newer version. Only the author and admins may.
#[utoipa::path(post, path = "/comments/{id}/revisions/{number}/restore",
    operation_id = "restoreCommentRevision", tag = "revisions",
    security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("number" = i64, Path), ("If-Match" = Option<String>, Header)),
    request_body = RestoreInput,
    responses((status = 200, body = Comment), (status = 412), (status = 429)))]
#[post("/comments/<id>/revisions/<number>/restore", data = "<input>")]
async fn restore(
    id: Id,
    number: Id,
    input: Input<RestoreInput>,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let seen = if_match.0.or(input.version);
    let comment = match restoration::restore_comment(site, &actor, *id, *number, seen).await {
        Err(Error::VersionConflict) => return Err(super::comments::stale(site, &actor, *id).await?),
        restored => restored?,
    };
    let (path, version) = (comment.path.clone(), comment.version);
    Ok(saved(path, Flash("comment-restored"), comment).with_version(version))
}

//! The versions of comments: their history, one of them, what changed.

use rocket::get;
use serde::Serialize;

use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment::Comment;
use crate::models::posts::comment_revision::{self as revision, CommentRevision};
use crate::models::posts::history::VersionPage;
use crate::web::{self, Id, PostsRead, Query, Scoped, data, list, page, room};

room! {
    both: [index],
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

//! The versions of posts: their history, one of them, what changed, and restoring.

use rocket::{get, post};
use serde::Serialize;

use super::votes::PostTitle;
use crate::error::Error;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::history::VersionPage;
use crate::models::posts::post::Post;
use crate::models::posts::restoration::{self, RestoreInput};
use crate::models::posts::revision::{self, PostRevision, Revision};
use crate::web::{
    self, Flash, Id, IfMatch, Input, PostsRead, PostsWrite, Query, Scoped, data, list, page, room,
    saved,
};

room! {
    tag: ("revisions", "What posts and comments said before, for their authors and admins"),
    both: [index, restore],
    pages: [read],
    api: [show],
}

/// The versions of a post, latest first, and the post.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PostRevisions {
    /// The post.
    post: PostTitle,
    #[serde(flatten)]
    page: Page<Revision>,
}

/// A version of a post as a page.
#[derive(Serialize)]
struct RevisionPage {
    post: PostTitle,
    /// The version that restoring replaces.
    version: i64,
    #[serde(flatten)]
    revision: VersionPage<PostRevision>,
}

/// List the versions of a post
///
/// Latest first, at most 500. Only the author and admins may.
#[utoipa::path(get, path = "/posts/{id}/revisions", operation_id = "listRevisions", tag = "revisions",
    security(("oauth2" = ["posts:read"])), params(("id" = i64, Path), PageParams),
    responses((status = 200, body = PostRevisions)))]
#[get("/posts/<id>/revisions")]
async fn index(
    id: Id,
    query: Query<PageParams>,
    actor: Scoped<PostsRead>,
    site: &Site,
) -> web::Result {
    let (post, versions) = revision::list(site, &actor, *id, &query).await?;
    let post = PostTitle::new(*id, &post.summary);
    Ok(list("posts/revisions.html", versions, |page| PostRevisions { post, page }))
}

/// Get a version of a post
///
/// Only the author and admins may.
#[utoipa::path(get, path = "/posts/{id}/revisions/{number}", operation_id = "getRevision",
    tag = "revisions", security(("oauth2" = ["posts:read"])),
    params(("id" = i64, Path), ("number" = i64, Path)),
    responses((status = 200, body = PostRevision)))]
#[get("/posts/<id>/revisions/<number>")]
async fn show(id: Id, number: Id, actor: Scoped<PostsRead>, site: &Site) -> web::Result {
    let (_, revision) = revision::show(site, &actor, *id, *number).await?;
    Ok(data(revision))
}

/// A version of a post, as a page: its text, or with `compare` what has changed since the version of that
/// number; since the previous one, if it is empty.
#[get("/posts/<id>/revisions/<number>?<compare>")]
async fn read(
    id: Id,
    number: Id,
    compare: Option<&str>,
    actor: Scoped<PostsRead>,
    site: &Site,
) -> web::Result {
    let (post, revision) = revision::read(site, &actor, *id, *number, compare).await?;
    let version = post.summary.version;
    let post = PostTitle::new(*id, &post.summary);
    Ok(page("posts/revision.html", RevisionPage { post, version, revision }))
}

/// Restore a version of a post
///
/// Its title, text, summary and tags are saved again, as a new version. With `If-Match` (or `version`), this is
/// refused when somebody has saved a newer version.
#[utoipa::path(post, path = "/posts/{id}/revisions/{number}/restore", operation_id = "restoreRevision",
    tag = "revisions", security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("number" = i64, Path), ("If-Match" = Option<String>, Header)),
    request_body = RestoreInput,
    responses((status = 200, body = Post), (status = 412), (status = 429)))]
#[post("/posts/<id>/revisions/<number>/restore", data = "<input>")]
async fn restore(
    id: Id,
    number: Id,
    input: Input<RestoreInput>,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let seen = if_match.0.or(input.version);
    let post = match restoration::restore_post(site, &actor, *id, *number, seen).await {
        Err(Error::VersionConflict) => return Err(super::posts::stale(site, &actor, *id).await?),
        restored => restored?,
    };
    let (path, version) = (post.summary.path.clone(), post.summary.version);
    Ok(saved(path, Flash("post-restored"), post).with_version(version))
}

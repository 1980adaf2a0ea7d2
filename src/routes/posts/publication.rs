//! Publishing drafts, at once or later, and taking posts back.

use rocket::{delete, put};

use crate::error::Error;
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::posts::edit as editing;
use crate::models::posts::post::Post;
use crate::models::posts::post_input::{PostUpdate, PublicationInput};
use crate::models::posts::publication_state::PostState;
use crate::web::{self, Flash, Id, IfMatch, Input, PostsWrite, ReturnTo, Scoped, room, saved};

room! {
    tag: ("publication", "Drafts, and when posts are published"),
    both: [publish, unpublish],
}

/// Whoever has another version than the present one learns which that is.
async fn change(site: &Site, actor: &Actor, id: i64, update: &PostUpdate) -> web::Result<Post> {
    match editing::update(site, actor, id, update).await {
        Err(Error::VersionConflict) => Err(super::posts::stale(site, actor, id).await?),
        other => Ok(other?),
    }
}

/// Publish a post
///
/// At once, or at `published_at`. A post that was published before keeps its time, unless there is another
/// one here; repeating it changes nothing. Only the author may.
#[utoipa::path(put, path = "/posts/{id}/publication", operation_id = "publishPost", tag = "publication",
    security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)), request_body = PublicationInput,
    responses((status = 200, body = Post), (status = 412), (status = 429)))]
#[put("/posts/<id>/publication", data = "<input>")]
async fn publish(
    id: Id,
    input: Input<PublicationInput>,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let Input(input) = input;
    let update = PostUpdate {
        state: Some("published".to_owned()),
        visibility: input.visibility,
        published_at: input.published_at,
        version: if_match.0.or(input.version),
        ..PostUpdate::default()
    };
    let post = change(site, &actor, *id, &update).await?;
    let flash = match post.summary.state {
        PostState::Scheduled => Flash("post-scheduled"),
        _ => Flash("post-created"),
    };
    let (path, version) = (post.summary.path.clone(), post.summary.version);
    Ok(saved(path, flash, post).with_version(version))
}

/// Make a post a draft again
///
/// Nobody but its author can read it then. Its votes and comments are kept, and come back with it. Only the
/// author may.
#[utoipa::path(delete, path = "/posts/{id}/publication", operation_id = "unpublishPost",
    tag = "publication", security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 200, body = Post), (status = 412), (status = 429)))]
#[delete("/posts/<id>/publication", data = "<return_to>")]
async fn unpublish(
    id: Id,
    return_to: ReturnTo,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let update = PostUpdate {
        state: Some("draft".to_owned()),
        version: if_match.0,
        ..PostUpdate::default()
    };
    let post = change(site, &actor, *id, &update).await?;
    let (path, version) = (return_to.or(&post.summary.path), post.summary.version);
    Ok(saved(path, Flash("post-unpublished"), post).with_version(version))
}

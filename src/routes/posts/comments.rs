//! Comments on posts, and replies to them.

use rocket::{delete, get, patch, post, put};
use serde_json::{Value, json};

use super::discussions::title;
use crate::error::{Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::posts::comment::{self, Comment};
use crate::models::posts::comment_edit::{self as editing, CommentInput, CommentUpdate};
use crate::models::posts::comment_merging::{self, CommentResolution};
use crate::models::posts::comment_removal;
use crate::models::posts::post;
use crate::models::users::user::User;
use crate::web::{
    self, EditForm, Failure, Flash, Id, IfMatch, Input, OrForm, PostsWrite, ReturnTo, Scoped,
    Visitor, created, data, form, gone, room, saved,
};

room! {
    tag: ("comments", "What people say about posts"),
    both: [create, patch, delete],
    pages: [new, edit, save],
    api: [show, update],
    cached: [show],
}

const NEW_FORM: &str = "comments/new.html";
const EDIT_FORM: &str = "comments/edit.html";
const MERGE_FORM: &str = "comments/merge.html";

/// Get a comment
///
/// The `ETag` is for `If-Match` and `If-None-Match`.
#[utoipa::path(get, path = "/comments/{id}", operation_id = "getComment", tag = "comments",
    security((), ("oauth2" = ["posts:read"])), params(("id" = i64, Path)),
    responses((status = 200, body = Comment)))]
#[get("/comments/<id>")]
async fn show(id: Id, visitor: Visitor, site: &Site) -> web::Result {
    let comment = comment::show(&site.db, visitor.user(), *id).await?;
    let comment = comment::refresh(site, comment).await?;
    let version = comment.version;
    Ok(data(comment).with_version(version))
}

/// What the form for a comment shows beside its fields.
async fn surroundings(
    site: &Site,
    viewer: &User,
    post_id: i64,
    parent: Option<i64>,
) -> Result<Value> {
    let post = post::show(&site.db, Some(viewer), post_id).await?;
    let parent = match parent {
        Some(parent) => comment::show(&site.db, Some(viewer), parent).await.ok(),
        None => None,
    };
    let parent = match parent.filter(|parent| parent.post_id == post_id) {
        Some(parent) => Some(comment::refresh(site, parent).await?),
        None => None,
    };
    Ok(json!({ "post": title(post_id, &post), "parent": parent }))
}

#[get("/posts/<id>/comments/new?<parent_id>")]
async fn new(id: Id, parent_id: Option<i64>, actor: Actor, site: &Site) -> web::Result {
    let view = surroundings(site, &actor.user, *id, parent_id).await?;
    Ok(form(NEW_FORM, json!({ "parent_id": parent_id }), view))
}

/// Comment on a post
///
/// Or reply to a comment, with `parent_id`. The answer has an `ETag`, for a later edit with `If-Match`.
#[utoipa::path(post, path = "/posts/{id}/comments", operation_id = "createComment", tag = "comments",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)), request_body = CommentInput,
    responses((status = 201, body = Comment), (status = 409), (status = 429)))]
#[post("/posts/<id>/comments", data = "<input>")]
async fn create(
    id: Id,
    input: Input<CommentInput>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let comment = match editing::create(site, &actor, *id, &input).await {
        Ok(comment) => comment,
        // Nothing of what was typed is lost.
        Err(error) => {
            let view = surroundings(site, &actor.user, *id, input.parent_id).await?;
            Err(error).or_form(NEW_FORM, view)?
        }
    };
    let (path, version) = (comment.path.clone(), comment.version);
    Ok(created(path, Flash("comment-created"), comment).with_version(version))
}

#[get("/comments/<id>/edit")]
async fn edit(id: Id, actor: Actor, site: &Site) -> web::Result {
    let comment = editing::editable(&site.db, &actor, *id).await?;
    let values = json!({ "content": comment.content, "version": comment.version });
    Ok(form(EDIT_FORM, values, json!({ "path": comment.path })))
}

/// Edit a comment
///
/// With `If-Match` (or `version`), the edit is refused when somebody else has saved a newer version.
#[utoipa::path(put, path = "/comments/{id}", operation_id = "updateComment", tag = "comments",
    security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)), request_body = CommentUpdate,
    responses((status = 200, body = Comment), (status = 412), (status = 429)))]
#[put("/comments/<id>", data = "<input>")]
async fn update(
    id: Id,
    input: Input<CommentUpdate>,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let Input(mut input) = input;
    input.version = if_match.0.or(input.version);
    let edited = match editing::update(site, &actor, *id, &input).await {
        Err(Error::VersionConflict) => return Err(stale(site, &actor, *id).await?),
        edited => edited,
    };
    let comment = edited.or_form(EDIT_FORM, json!({ "path": comment::path(*id) }))?;
    Ok(comment_saved(comment))
}

/// The refusal of an edit of another version than the present one.
pub(super) async fn stale(site: &Site, actor: &Actor, id: i64) -> Result<Failure> {
    let comment = editing::editable(&site.db, actor, id).await?;
    let comment = comment::refresh(site, comment).await?;
    let version = comment.version;
    Ok(Failure::stale(&data(comment).with_version(version)))
}

/// The form for an edit, sent. If somebody else has saved meanwhile, it comes back with what both wrote;
/// again, until nothing is left to decide.
#[put("/comments/<id>", data = "<form>")]
async fn save(
    id: Id,
    form: EditForm<CommentUpdate>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let EditForm { input, is_merged, marks } = form;
    let mut view = json!({ "path": comment::path(*id) });
    match comment_merging::update(site, &actor, *id, &input, marks).await {
        Ok(CommentResolution::Saved(comment)) => Ok(comment_saved(*comment)),
        Ok(CommentResolution::Merge(merge)) => {
            // What was said of marks was said of others.
            let values = json!({
                "content": merge.texts.text,
                "version": merge.version,
                "keep_marks": null,
            });
            view["merge"] = json!(merge);
            Err(Error::VersionConflict).or_filled_form(MERGE_FORM, values, view)
        }
        Err(error) if is_merged => {
            let merge = comment_merging::compare(site, &actor, *id, &input).await?;
            view["merge"] = json!(merge);
            Err(error).or_form(MERGE_FORM, view)
        }
        Err(error) => Err(error).or_form(EDIT_FORM, view),
    }
}

fn comment_saved(comment: Comment) -> web::Reply {
    let (path, version) = (comment.path.clone(), comment.version);
    saved(path, Flash("comment-saved"), comment).with_version(version)
}

/// Edit a comment by a merge patch
///
/// The same as PUT, for clients that patch (RFC 7396). No field can be removed with null.
#[utoipa::path(patch, path = "/comments/{id}", operation_id = "patchComment", tag = "comments",
    security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)),
    request_body(content( (CommentUpdate = "application/merge-patch+json"), (CommentUpdate = "application/json"))),
    responses((status = 200, body = Comment), (status = 412), (status = 429)))]
#[patch("/comments/<id>", data = "<input>")]
async fn patch(
    id: Id,
    input: Input<CommentUpdate>,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    update(id, input, if_match, actor, site).await
}

/// Delete a comment
///
/// While there are replies to it, it stays without its text and its author. Only the author and admins
/// may.
#[utoipa::path(delete, path = "/comments/{id}", operation_id = "deleteComment", tag = "comments",
    security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 412)))]
#[delete("/comments/<id>", data = "<return_to>")]
async fn delete(
    id: Id,
    return_to: ReturnTo,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let deleted = match comment_removal::delete(site, &actor, *id, if_match.0).await {
        Err(Error::VersionConflict) => return Err(stale(site, &actor, *id).await?),
        deleted => deleted?,
    };
    let discussion = format!("{}/comments", post::resource(deleted.post_id));
    Ok(gone(return_to.or(&discussion), Flash("comment-deleted")))
}

//! Comments on posts, and replies to them.

use rocket::{delete, get, patch, post, put};
use serde::Serialize;
use serde_json::{Value, json};

use super::votes::PostTitle;
use crate::error::{Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment::{self, Comment};
use crate::models::posts::comment_edit::{self as editing, CommentInput, CommentUpdate};
use crate::models::posts::comment_merging::{self, CommentResolution};
use crate::models::posts::comment_removal;
use crate::models::posts::post::{self, Post};
use crate::models::posts::thread::{self, CommentSort, ThreadComment, ThreadParams, Top};
use crate::models::posts::{closure, comment_vote};
use crate::models::users::user::User;
use crate::web::{
    self, Failure, Flash, Id, IfMatch, Input, OrForm, PostsWrite, Query, ReturnTo, Scoped, Visitor,
    created, data, form, gone, list, room, saved,
};

room! {
    tag: ("comments", "What people say about posts"),
    both: [create, patch, delete, vote, withdraw, close, open],
    pages: [discussion, permalink, new, edit, save],
    api: [index, show, update],
    cached: [discussion, permalink, index, show],
}

const NEW_FORM: &str = "comments/new.html";
const EDIT_FORM: &str = "comments/edit.html";
const MERGE_FORM: &str = "comments/merge.html";

/// The comments on a post, and the post. `limit` counts the comments that are not replies; each is
/// followed by the replies to it, at most 500 in all.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PostComments {
    /// The post.
    post: PostTitle,
    /// Their order.
    sort: CommentSort,
    #[serde(flatten)]
    page: Page<ThreadComment>,
}

/// A comment as pages show it: the replies to it follow in a list of their own.
#[derive(Serialize)]
pub struct LaidOut {
    #[serde(flatten)]
    top: ThreadComment,
    /// Whether its list of replies begins here.
    opens: bool,
    /// The comments whose lists of replies end after it, the innermost first.
    closes: Vec<Rest>,
}

/// A comment with some replies that are shown and some that are not.
#[derive(Serialize)]
struct Rest {
    id: i64,
    path: String,
    hidden_replies: i64,
}

/// Comments as pages show them.
#[derive(Serialize)]
pub struct Discussion {
    post: PostTitle,
    sort: CommentSort,
    closed: bool,
    /// The comment whose replies are shown.
    comment: Option<Comment>,
    comments: Vec<LaidOut>,
    next: Option<String>,
    previous: Option<String>,
}

fn title(id: i64, post: &Post) -> PostTitle {
    PostTitle::new(id, &post.summary)
}

/// Says where lists of replies begin and end: templates cannot follow a tree.
fn laid_out(items: Vec<ThreadComment>) -> Vec<LaidOut> {
    let parents: Vec<Option<i64>> = items.iter().map(|item| item.comment.parent_id).collect();
    let mut open: Vec<Rest> = Vec::new();
    let mut shown = Vec::with_capacity(items.len());
    for (place, top) in items.into_iter().enumerate() {
        let next = parents.get(place + 1).copied().flatten();
        let opens = next == Some(top.comment.id);
        let mut closes = Vec::new();
        if opens {
            let (path, hidden_replies) = (top.comment.path.clone(), top.hidden_replies);
            open.push(Rest { id: top.comment.id, path, hidden_replies });
        } else {
            while open.last().is_some_and(|above| next != Some(above.id)) {
                closes.extend(open.pop());
            }
        }
        shown.push(LaidOut { top, opens, closes });
    }
    shown
}

/// The first page of a discussion, for the page of the post.
pub async fn beginning(site: &Site, viewer: Option<&User>, post: &Post) -> Result<Discussion> {
    let params = ThreadParams::default();
    discuss(site, viewer, post, None, &params).await
}

async fn discuss(
    site: &Site,
    viewer: Option<&User>,
    post: &Post,
    comment: Option<Comment>,
    params: &ThreadParams,
) -> Result<Discussion> {
    let id = post.summary.id;
    let sort = params.sort()?;
    let top = comment.as_ref().map_or(Top::Post(id), |comment| Top::Comment(comment.id));
    let Page { items, cursors } = thread::page(site, viewer, top, sort, &params.page).await?;
    Ok(Discussion {
        post: title(id, post),
        sort,
        closed: post.summary.comments_closed,
        comment,
        comments: laid_out(items),
        next: cursors.next,
        previous: cursors.previous,
    })
}

/// List the comments on a post
///
/// Each comment is followed by the replies to it, at most 500 comments in all; `hidden_replies` says how
/// many are left out, which `parent` finds.
#[utoipa::path(get, path = "/posts/{id}/comments", operation_id = "listComments", tag = "comments",
    security((), ("oauth2" = ["posts:read"])), params(("id" = i64, Path), ThreadParams, PageParams),
    responses((status = 200, body = PostComments)))]
#[get("/posts/<id>/comments")]
async fn index(id: Id, query: Query<ThreadParams>, visitor: Visitor, site: &Site) -> web::Result {
    let post = post::show(&site.db, visitor.user(), *id).await?;
    let sort = query.sort()?;
    let top = match query.parent()? {
        None => Top::Post(*id),
        Some(parent) => {
            let comment = comment::show(&site.db, visitor.user(), parent).await?;
            if comment.post_id != *id {
                return Err(Error::NotFound.into());
            }
            Top::Comment(comment.id)
        }
    };
    let page = thread::page(site, visitor.user(), top, sort, &query.page).await?;
    let post = title(*id, &post);
    Ok(list("", page, |page| PostComments { post, sort, page }))
}

/// The comments on a post, as a page.
#[get("/posts/<id>/comments")]
async fn discussion(
    id: Id,
    query: Query<ThreadParams>,
    visitor: Visitor,
    site: &Site,
) -> web::Result {
    let post = post::show(&site.db, visitor.user(), *id).await?;
    let view = discuss(site, visitor.user(), &post, None, &query).await?;
    Ok(web::page("comments/index.html", view))
}

/// A comment and the replies to it, as a page.
#[get("/comments/<id>")]
async fn permalink(
    id: Id,
    query: Query<ThreadParams>,
    visitor: Visitor,
    site: &Site,
) -> web::Result {
    let comment = comment::show(&site.db, visitor.user(), *id).await?;
    let comment = comment::refresh(site, comment).await?;
    let post = post::show(&site.db, visitor.user(), comment.post_id).await?;
    let view = discuss(site, visitor.user(), &post, Some(comment), &query).await?;
    Ok(web::page("comments/show.html", view))
}

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
async fn stale(site: &Site, actor: &Actor, id: i64) -> Result<Failure> {
    let comment = editing::editable(&site.db, actor, id).await?;
    let comment = comment::refresh(site, comment).await?;
    let version = comment.version;
    Ok(Failure::stale(&data(comment).with_version(version)))
}

/// The form for an edit, sent. If somebody else has saved meanwhile, it comes back with what both wrote.
#[put("/comments/<id>", data = "<input>")]
async fn save(
    id: Id,
    input: Input<CommentUpdate>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let view = json!({ "path": comment::path(*id) });
    let mut edited = editing::update(site, &actor, *id, &input).await;
    if let Err(Error::VersionConflict) = edited {
        edited = match comment_merging::resolve(site, &actor, *id, &input).await {
            Ok(CommentResolution::Saved(comment)) => Ok(*comment),
            Ok(CommentResolution::Merge(merge)) => {
                let values = json!({ "content": merge.texts.text, "version": merge.version });
                let view = json!({ "path": comment::path(*id), "merge": merge });
                return Err(Error::VersionConflict).or_filled_form(MERGE_FORM, values, view);
            }
            Err(error) => Err(error),
        };
    }
    Ok(comment_saved(edited.or_form(EDIT_FORM, view)?))
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
    let discussion = format!("{}/comments", post::path(deleted.post_id));
    Ok(gone(return_to.or(&discussion), Flash("comment-deleted")))
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

/// Close the comments on a post
///
/// Nobody can add another; what is there stays. Only the author and admins may.
#[utoipa::path(put, path = "/posts/{id}/comments/closed", operation_id = "closeComments",
    tag = "comments", security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 429)))]
#[put("/posts/<id>/comments/closed", data = "<return_to>")]
async fn close(id: Id, return_to: ReturnTo, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    let post = closure::close(site, &actor, *id).await?;
    Ok(closed(return_to, Flash("comments-closed"), post))
}

/// Open the comments on a post again
///
/// Only the author and admins may.
#[utoipa::path(delete, path = "/posts/{id}/comments/closed", operation_id = "openComments",
    tag = "comments", security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 429)))]
#[delete("/posts/<id>/comments/closed", data = "<return_to>")]
async fn open(id: Id, return_to: ReturnTo, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    let post = closure::open(site, &actor, *id).await?;
    Ok(closed(return_to, Flash("comments-opened"), post))
}

fn closed(return_to: ReturnTo, flash: Flash, post: Post) -> web::Reply {
    let (location, version) = (return_to.or(&post.summary.path), post.summary.version);
    saved(location, flash, post).with_version(version)
}
